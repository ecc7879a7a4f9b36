"""Samples to teach a language model with: conversations, instructions and plain texts out of datasets. Blocking."""

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

from pydantic import Field, ValidationError

from contracts.chat import Message
from contracts.errors import InvalidInput, ServiceError, error_of
from contracts.model import Contract
from store.artifacts import Artifacts
from store.datasets import ARCHIVE, MOST_BYTES, MOST_FILES, TEXTS
from store.folders import children, look
from store.rows import Row, rows
from store.zips import extract

MOST_MESSAGES = 1_000  # of one conversation
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
    """A file of a dataset: what its maker calls it, and where it lies."""

    name: str
    path: Path


@dataclass(frozen=True)
class Checked:
    """`sha256`: of the samples in their order, however they are packed."""

    count: int
    sha256: str


def parts(files: Artifacts, key: str, scratch: Path) -> list[Part]:
    """The files of a dataset of the store, copied into a folder: of a zip or a folder, all that are in it."""
    laid = look(files.settings, key)
    if laid and laid.is_folder:
        names = [each.name for each in children(files.settings, key) if not each.is_folder]
        return [_fetched(files, f"{key}/{name}", scratch) for name in names if suffix_of(name) in TEXTS]
    return unpacked(_fetched(files, key, scratch), scratch)


def unpacked(part: Part, scratch: Path) -> list[Part]:
    """Of a zip, what is in it; else the file itself."""
    if suffix_of(part.name) != ARCHIVE:
        return [part]
    folder = scratch / "unpacked"
    with part.path.open("rb") as file:
        found = extract(file, folder, most_files=MOST_FILES, most_bytes=MOST_BYTES, suffixes=TEXTS)
    return [Part(entry.name, folder / entry.name) for entry in sorted(found, key=lambda entry: entry.name)]


def samples(dataset: Iterable[Part]) -> Iterator[Placed]:
    """One after the other, as they stand; what is no sample is `InvalidInput` with its file and line."""
    for part in dataset:
        yield from (Placed(_sample(row), row) for row in rows(part.path, part.name))


def check_kept(files: Artifacts, key: str, param: str) -> Checked:
    """Read a dataset of the store to its end; whatever is wrong with it is told of `param`."""
    with TemporaryDirectory() as scratch, _told_of(param):
        return check(parts(files, key, Path(scratch)))


def check_brought(file: Path, name: str, param: str) -> Checked:
    """The same of a file that a caller brings."""
    with TemporaryDirectory() as scratch, _told_of(param):
        return check(unpacked(Part(name, file), Path(scratch)))


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
def _told_of(param: str) -> Iterator[None]:
    try:
        yield
    except ServiceError as error:
        raise error_of(error.code, error.message, param) from None


def suffix_of(name: str) -> str:
    return PurePosixPath(name).suffix.lower()


def _fetched(files: Artifacts, key: str, scratch: Path) -> Part:
    part = Part(PurePosixPath(key).name, scratch / PurePosixPath(key).name)
    files.fetch(key, part.path)
    return part


def _sample(row: Row) -> Sample:
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
