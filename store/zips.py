"""Zips that callers bring: nothing of one is believed, and one that is refused leaves nothing.

Names, sizes and kinds in a zip are claims: names are decoded and checked here, bytes are counted while they are read,
and what a file is says its content.
"""

import io
import os
import shutil
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Literal, cast

from contracts.errors import InvalidInput, ServiceError, TooLarge, UnsupportedMedia, error_of
from store.media.probe import HEAD_BYTES, sniffed
from store.names import LONGEST, LONGEST_PART

CHUNK = 1 << 18
MOST_RATIO, FREE_BYTES = 200, 1 << 20  # a bomb unpacks to more than so many times its size, and is not small
RECORD_BYTES = 46 + LONGEST + 512  # of the directory, for each file
UTF8, ENCRYPTED = 0x800, 0x1 | 0x40 | 0x2000  # flag bits (APPNOTE 4.4.4)
PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # the others unpack without a bound
LITTER = ("__MACOSX", "Thumbs.db", "desktop.ini")  # and whatever opens with a dot

BROKEN = (zipfile.BadZipFile, NotImplementedError, EOFError, ValueError, struct.error, zlib.error)

Content = Literal["image", "audio", "video", "text"]
SUFFIXES: dict[str, Content] = {
    **dict.fromkeys((".png", ".jpg", ".jpeg", ".webp"), "image"),
    **dict.fromkeys((".wav", ".mp3", ".flac", ".ogg", ".m4a", ".aac", ".amr"), "audio"),
    **dict.fromkeys((".mp4", ".mov", ".mkv", ".webm", ".avi", ".flv", ".ts"), "video"),
    **dict.fromkeys((".txt", ".json", ".jsonl", ".csv", ".tsv", ".md", ".srt"), "text"),
}


@dataclass(frozen=True)
class Entry:
    name: str  # relative to the folder, with slashes, NFC
    size_bytes: int


def extract(
    file: IO[bytes],
    folder: Path | None,
    *,
    most_files: int,
    most_bytes: int,
    suffixes: Collection[str],
    param: str = "file",
) -> list[Entry]:
    """Unpack a zip into a folder that is made for it; what is refused leaves no folder. None: it is only looked at.

    Taken are files with these suffixes (of `SUFFIXES`) whose content agrees. Refused: names that leave the folder, are
    twice there or in no known encoding, links, devices, encryption, zips within (`InvalidInput`, `UnsupportedMedia`);
    more than `most_files` or `most_bytes` unpacked, and bombs (`TooLarge`). Litter of desktops is passed by.
    """
    if folder:
        folder.mkdir(parents=True)
    try:
        with zipfile.ZipFile(cast(IO[bytes], _Bounded(file, most_files * RECORD_BYTES))) as archive:
            return list(_written(archive, _chosen(archive, most_files, suffixes), folder, most_bytes))
    except BaseException as error:
        if folder:
            shutil.rmtree(folder)
        if isinstance(error, ServiceError):
            raise error_of(error.code, error.message, param) from None
        if isinstance(error, BROKEN):
            raise InvalidInput("不是可读的 zip 文件，或已损坏。", param) from None
        raise


def name_of(info: zipfile.ZipInfo) -> str:
    """The name of an entry, relative and NFC; one that leads anywhere else is `InvalidInput`.

    Without the flag for UTF-8 it is bytes in whatever encoding its maker used: UTF-8, or GBK on a Chinese Windows.
    """
    raw = info.orig_filename
    name = unicodedata.normalize("NFC", raw if info.flag_bits & UTF8 else _decoded(raw.encode("cp437")))
    parts = name.removesuffix("/").split("/")
    unreadable = any(unicodedata.category(character) in ("Cc", "Cs") for character in name)
    if unreadable or "\\" in name or len(name.encode()) > LONGEST or any(_leads_away(part) for part in parts):
        raise InvalidInput(f"压缩包中有无效的路径：{_shown(name)}")
    return "/".join(parts)


def _decoded(raw: bytes) -> str:
    for encoding in ("utf-8", "gbk"):
        with suppress(UnicodeDecodeError):
            return raw.decode(encoding)
    raise InvalidInput("压缩包中的文件名编码无法识别。")


def _leads_away(part: str) -> bool:
    """Here or on another system."""
    return part in ("", ".", "..") or ":" in part or part != part.strip() or len(part.encode()) > LONGEST_PART


def _chosen(archive: zipfile.ZipFile, most_files: int, suffixes: Collection[str]) -> dict[str, zipfile.ZipInfo]:
    """What is to be unpacked, by name, as far as the directory tells."""
    chosen: dict[str, zipfile.ZipInfo] = {}
    taken: set[str] = set()
    for info in archive.infolist():
        name = name_of(info)
        _check_plain(info, name)
        if info.is_dir() or is_litter(name):
            continue
        if PurePosixPath(name).suffix.lower() not in suffixes:
            raise UnsupportedMedia(f"压缩包中有不支持的文件：{_shown(name)}")
        if _folded(name) in taken:
            raise InvalidInput(f"压缩包中有重名的文件：{_shown(name)}")
        if len(chosen) == most_files:
            raise TooLarge(f"压缩包中的文件不能超过 {most_files} 个。")
        taken.add(_folded(name))
        chosen[name] = info
    if not chosen:
        raise InvalidInput("压缩包是空的。")
    if any(str(folder) in taken for name in taken for folder in PurePosixPath(name).parents):
        raise InvalidInput("压缩包中有与文件夹重名的文件。")
    return chosen


def _check_plain(info: zipfile.ZipInfo, name: str) -> None:
    if info.flag_bits & ENCRYPTED:
        raise InvalidInput("压缩包已加密。")
    if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise InvalidInput(f"压缩包中有链接或设备：{_shown(name)}")
    if info.compress_type not in PACKED:
        raise UnsupportedMedia("不支持该压缩方式，请使用普通的 zip。")


def _written(
    archive: zipfile.ZipFile, chosen: Mapping[str, zipfile.ZipInfo], folder: Path | None, most_bytes: int
) -> Iterator[Entry]:
    if sum(info.file_size for info in chosen.values()) > most_bytes:  # honest, so nothing need be read
        raise _too_large(most_bytes)
    total = 0
    for name, info in chosen.items():
        before = total
        with archive.open(info) as source, _target(folder, name) as target:
            chunk = source.read(CHUNK)
            _check_content(name, chunk[:HEAD_BYTES])
            while chunk:
                total += len(chunk)
                if total > most_bytes or _is_bomb(info, total - before):
                    raise _too_large(most_bytes)
                target.write(chunk)
                chunk = source.read(CHUNK)
        yield Entry(name, total - before)


def _target(folder: Path | None, name: str) -> IO[bytes]:
    path = folder / name if folder else Path(os.devnull)
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.open("xb" if folder else "wb")


def _is_bomb(info: zipfile.ZipInfo, size_bytes: int) -> bool:
    return size_bytes > max(FREE_BYTES, MOST_RATIO * info.compress_size)


def _check_content(name: str, head: bytes) -> None:
    """A picture may be of another format than its name says, but it is one."""
    wanted = SUFFIXES[PurePosixPath(name).suffix.lower()]
    if wanted == "text":
        agrees = b"\0" not in head
    else:
        found = sniffed(head).partition("/")[0]
        agrees = found == wanted or {found, wanted} == {"audio", "video"}  # one format holds both
    if not agrees:
        raise UnsupportedMedia(f"压缩包中有内容与后缀不符的文件：{_shown(name)}")


def is_litter(name: str) -> bool:
    return any(part.startswith(".") or part in LITTER for part in name.split("/"))


def _folded(name: str) -> str:
    """Names that some file system holds for the same are equal."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold())


def _shown(name: str) -> str:
    """In a message: short, and nothing in it that a terminal would obey."""
    return "".join(character if character.isprintable() else "?" for character in name[:80])


def _too_large(most_bytes: int) -> TooLarge:
    return TooLarge(f"压缩包解压后不能超过 {max(1, most_bytes >> 20)} MB。")


class _Bounded:
    """A file of which nobody reads very much at once: `zipfile` takes a whole directory into memory."""

    def __init__(self, file: IO[bytes], most_bytes: int) -> None:
        self._file, self._most = file, max(most_bytes, CHUNK)
        self.tell, self.seekable = file.tell, file.seekable
        self._size = file.seek(0, io.SEEK_END)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if whence == io.SEEK_SET and not 0 <= offset <= self._size:
            raise zipfile.BadZipFile("a place outside of it")  # of a file, else an error of the system's
        return self._file.seek(offset, whence)

    def read(self, size: int = -1) -> bytes:
        if size > self._most:
            raise TooLarge("压缩包中的文件过多。")
        return self._file.read(size)
