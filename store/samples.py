"""Samples to teach a language model with: conversations, instructions and plain texts out of datasets. Blocking."""

import hashlib
import io
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, Any

from pydantic import Field, ValidationError

from contracts.chat import Message
from contracts.errors import InvalidInput, ServiceError, error_of
from contracts.model import Contract
from store.artifacts import Artifacts
from store.datasets import ARCHIVE, MOST_BYTES, MOST_FILES, TEXTS
from store.folders import children, look
from store.rows import Row, rows
from store.zips import extract, name_of

MOST_MESSAGES = 1_000  # of one conversation
BUFFER_BYTES = 1 << 18
KINDS = "应有 messages，或 instruction 与 output，或 text 字段。"


class Sample(Contract):
    """A conversation that ends with an answer, or a text; what it has not is empty."""

    messages: list[Message] = Field([], max_length=MOST_MESSAGES)
    text: str = ""

    @property
    def key(self) -> str:
        """Of equal samples the same, in whatever file they come."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()


@dataclass(frozen=True)
class Placed:
    """A sample, and where it stands."""

    sample: Sample
    row: Row


@dataclass(frozen=True)
class Part:
    """A file of a dataset: what its maker calls it, and what opens it. Nothing of one is copied to be read."""

    name: str
    opened: Callable[[], AbstractContextManager[IO[bytes]]]


@dataclass(frozen=True)
class Checked:
    """`sha256`: of the samples in their order, however they are packed."""

    count: int
    sha256: str


def parts(files: Artifacts, key: str) -> list[Part]:
    """The files of a dataset of the store: of a zip or a folder, all that are in it."""
    laid = look(files.settings, key)
    if laid and laid.is_folder:
        names = [each.name for each in children(files.settings, key) if not each.is_folder]
        return [_kept(files, f"{key}/{name}") for name in names if suffix_of(name) in TEXTS]
    return unpacked(_kept(files, key))


def laid_at(path: Path) -> list[Part]:
    """The same of a file of this machine."""
    return unpacked(Part(path.name, lambda: path.open("rb")))


def unpacked(part: Part) -> list[Part]:
    """Of a zip, what is in it, once all of that has been looked at; else the file itself."""
    if suffix_of(part.name) != ARCHIVE:
        return [part]
    with part.opened() as file:
        found = extract(file, None, most_files=MOST_FILES, most_bytes=MOST_BYTES, suffixes=TEXTS)
    return [Part(name, partial(_within, part, name)) for name in sorted(entry.name for entry in found)]


@contextmanager
def _within(archive: Part, name: str) -> Iterator[IO[bytes]]:
    with archive.opened() as file, zipfile.ZipFile(file) as packed:
        info = next(each for each in packed.infolist() if not each.is_dir() and name_of(each) == name)
        with packed.open(info) as entry:
            yield io.BufferedReader(entry, BUFFER_BYTES)  # type: ignore[type-var]  # it reads as a raw file does


def samples(dataset: Iterable[Part]) -> Iterator[Placed]:
    """One after the other, as they stand; what is no sample is `InvalidInput` with its file and line."""
    for part in dataset:
        with part.opened() as file:
            yield from (Placed(_sample(row), row) for row in rows(file, part.name))


def check_kept(files: Artifacts, key: str, param: str) -> Checked:
    """Read a dataset of the store to its end; whatever is wrong with it is told of `param`."""
    with told_of(param):
        return check(parts(files, key))


def check_brought(file: IO[bytes], name: str, param: str) -> Checked:
    """The same of a file that a caller brings."""
    with told_of(param):
        return check(unpacked(Part(name, lambda: nullcontext(file))))


def check(dataset: Iterable[Part]) -> Checked:
    """Fewer than two different samples are too few: one is held out to judge by."""
    count, first, differ, digest = 0, "", False, hashlib.sha256()
    for placed in samples(dataset):
        key, count = placed.sample.key, count + 1
        digest.update(bytes.fromhex(key))
        first = first or key
        differ = differ or key != first
    if not differ:
        raise InvalidInput("数据集是空的，或只有一条样本：至少需要两条不同的样本。")
    return Checked(count, digest.hexdigest())


@contextmanager
def told_of(param: str) -> Iterator[None]:
    try:
        yield
    except ServiceError as error:
        raise error_of(error.code, error.message, param) from None


def suffix_of(name: str) -> str:
    return PurePosixPath(name).suffix.lower()


def _kept(files: Artifacts, key: str) -> Part:
    return Part(PurePosixPath(key).name, partial(files.open, key))


def _sample(row: Row) -> Sample:
    sample = _read(row)
    try:
        "".join([sample.text, *(message.content for message in sample.messages)]).encode()
    except UnicodeEncodeError:  # half of a pair, which JSON can escape
        raise row.wrong("含有无效字符。") from None
    return sample


def _read(row: Row) -> Sample:
    value = row.value
    if not isinstance(value, dict):
        raise row.wrong("应为 JSON 对象。")
    if "messages" in value:
        return _conversation(row, value["messages"])
    if "instruction" in value or "output" in value:
        asked = "\n".join(filter(None, (_words(row, "instruction"), _words(row, "input", needed=False))))
        answered = Message(role="assistant", content=_words(row, "output"))
        return Sample(messages=[Message(role="user", content=asked), answered])
    if "text" in value:
        return Sample(text=_words(row, "text"))
    raise row.wrong(KINDS)


def _conversation(row: Row, told: Any) -> Sample:
    try:
        sample = Sample.model_validate({"messages": [_role_and_content(each) for each in told]})
    except (ValidationError, TypeError):
        raise row.wrong("messages 应为 {role, content} 的列表，role 为 system、user 或 assistant。") from None
    if not sample.messages or sample.messages[-1].role != "assistant":
        raise row.wrong("对话应以 assistant 的回答结束。")
    if not all(message.content.strip() for message in sample.messages if message.role != "system"):
        raise row.wrong("对话中有空的内容。")
    return sample


def _role_and_content(told: Any) -> Any:
    """What else a message says of itself does not matter."""
    return {name: told[name] for name in ("role", "content") if name in told} if isinstance(told, dict) else told


def _words(row: Row, name: str, needed: bool = True) -> str:
    words = row.value.get(name)
    if words is None and not needed:
        return ""
    if not isinstance(words, str) or (needed and not words.strip()):
        raise row.wrong(f"{name} 应为{'非空' if needed else ''}字符串。")
    return words
