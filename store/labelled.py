"""Pictures to teach a classifier with: a folder for each class, in a zip or as operators have laid them. Blocking."""

import hashlib
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO

from contracts.errors import InvalidInput
from store.artifacts import Artifacts
from store.datasets import ARCHIVE, IN_ARCHIVES, MOST_BYTES, MOST_FILES, TEXTS
from store.folders import children, look
from store.samples import suffix_of, told_of
from store.zips import extract, is_litter, name_of

PICTURES = tuple(suffix for suffix in IN_ARCHIVES if suffix not in TEXTS)
DEEPEST = 3  # folders: dataset/train/cat
MOST_CLASSES = 1_000
LEAST = 2  # pictures of a class: one is held out to judge by


@dataclass(frozen=True)
class Labelled:
    """`label`: what its folder is called; `name`: where it stands in the dataset; `key`: of equal files the same."""

    label: str
    name: str
    content: bytes

    @property
    def key(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True)
class CheckedPictures:
    """`labels` in their order; `sha256`: of the pictures and what they are called, however they are packed."""

    count: int
    labels: list[str]
    sha256: str


def labelled(files: Artifacts, key: str) -> Iterator[Labelled]:
    """A dataset's pictures, one after the other. A folder without any, and pictures in no folder: `InvalidInput`."""
    laid = look(files.settings, key)
    if laid and laid.is_folder:
        yield from _laid(files, key)
    elif suffix_of(key) == ARCHIVE:
        with files.open(key) as file:
            yield from packed(file)
    else:
        raise InvalidInput("应为按类别分文件夹的图片（zip 压缩包）。")


def packed(file: IO[bytes]) -> Iterator[Labelled]:
    """Those of a zip, once all of it has been looked at."""
    extract(file, None, most_files=MOST_FILES, most_bytes=MOST_BYTES, suffixes=PICTURES)
    with zipfile.ZipFile(file) as archive:
        entries = {name_of(info): info for info in archive.infolist()}
        names = sorted(name for name, info in entries.items() if not info.is_dir() and not is_litter(name))
        filled = {str(folder) for name in names for folder in PurePosixPath(name).parents}
        for name, info in entries.items():
            if info.is_dir() and name not in filled and not is_litter(name):
                raise _empty(name)
        for name in names:
            yield Labelled(_label(name), name, archive.read(entries[name]))


def check_labelled(files: Artifacts, key: str, param: str) -> CheckedPictures:
    """Read a dataset of the store to its end; whatever is wrong with it is told of `param`.

    Two classes at least, and of each two different pictures. Whether they decode, the training finds out.
    """
    with told_of(param):
        return check(labelled(files, key))


def check(pictures: Iterator[Labelled]) -> CheckedPictures:
    kinds: dict[str, str] = {}
    seen: set[tuple[str, str]] = set()
    count = 0
    for picture in pictures:
        if kinds.setdefault(picture.key, picture.label) != picture.label:
            raise InvalidInput(f"同一张图片在两个类别中：{picture.name}")
        seen.add((picture.label, picture.key))
        count += 1
    found = Counter(label for label, _ in seen)
    if len(found) < 2:
        raise InvalidInput("至少需要两个类别，每个类别一个文件夹。")
    if len(found) > MOST_CLASSES:
        raise InvalidInput(f"类别不能超过 {MOST_CLASSES} 个。")
    if few := min(found, key=lambda label: found[label]) if min(found.values()) < LEAST else "":
        raise InvalidInput(f"类别 {few} 的图片太少：每个类别至少需要 {LEAST} 张不同的图片。")
    digest = hashlib.sha256("".join(f"{label}\0{key}\n" for label, key in sorted(seen)).encode())
    return CheckedPictures(count, sorted(found), digest.hexdigest())


def _laid(files: Artifacts, key: str) -> Iterator[Labelled]:
    names = sorted(_below(files, key, ""))
    if len(names) > MOST_FILES:
        raise InvalidInput(f"图片不能超过 {MOST_FILES} 张。")
    for name in names:
        with files.open(f"{key}/{name}") as file:
            yield Labelled(_label(name), name, file.read())


def _below(files: Artifacts, key: str, folder: str, depth: int = 0) -> Iterator[str]:
    found = children(files.settings, f"{key}/{folder}".rstrip("/"))
    pictures = [each.name for each in found if not each.is_folder and suffix_of(each.name) in PICTURES]
    folders = [each.name for each in found if each.is_folder]
    if folder and not pictures and not folders:
        raise _empty(folder)
    yield from (f"{folder}/{name}".lstrip("/") for name in pictures)
    if depth < DEEPEST:
        for name in folders:
            yield from _below(files, key, f"{folder}/{name}".lstrip("/"), depth + 1)


def _label(name: str) -> str:
    """What the folder is called that it lies in."""
    if not (label := PurePosixPath(name).parent.name):
        raise InvalidInput(f"图片应放在以类别命名的文件夹中：{name[:80]}")
    return label


def _empty(folder: str) -> InvalidInput:
    return InvalidInput(f"类别文件夹是空的：{folder[:80]}")
