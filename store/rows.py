"""Rows of text datasets, one at a time: JSON lines, JSON, CSV, plain text; in UTF-8 or GBK. Blocking.

Whatever is wrong is `InvalidInput` that names the file and the line. A line takes no more memory than `LONGEST_LINE`.
"""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import PurePosixPath
from typing import IO, Any

from contracts.errors import InvalidInput, TooLarge

LONGEST_LINE = 1 << 20  # bytes
MOST_JSON = 64 << 20  # bytes of a JSON file, which is read whole
ENCODINGS = ("utf-8", "gbk")
BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Row:
    """`line`: in its file, from 1; of a row of several lines, the last. JSON: the number of the entry."""

    file: str
    line: int
    value: Any
    unit: str = "行"

    def wrong(self, problem: str) -> InvalidInput:
        return InvalidInput(f"{shown(self.file)} 第 {self.line} {self.unit}：{problem}")


def rows(file: IO[bytes], name: str) -> Iterator[Row]:
    """Of a file, from its beginning, whose name ends in one of `store.datasets.TEXTS`; blank lines are none."""
    file.seek(0)
    if PurePosixPath(name).suffix.lower() == ".json":
        yield from _entries(file, name)
        return
    encoding = _encoding_of(file, name)
    file.seek(0)
    match PurePosixPath(name).suffix.lower():
        case ".csv":
            yield from _records(file, name, encoding)
        case ".jsonl":
            yield from (Row(name, line, _parsed(text, name, line)) for line, text in _texts(file, name, encoding))
        case _:
            yield from (Row(name, line, {"text": text}) for line, text in _texts(file, name, encoding))


def shown(name: str) -> str:
    """In a message: short, and nothing in it that a terminal would obey."""
    return "".join(character if character.isprintable() else "?" for character in name[-80:])


def _lines(file: IO[bytes], name: str) -> Iterator[tuple[int, bytes]]:
    for number in count(1):
        line = file.readline(LONGEST_LINE + 1)
        if not line:
            return
        if len(line) > LONGEST_LINE:
            raise Row(name, number, None).wrong(f"超过 {LONGEST_LINE >> 20} MB，过长。")
        yield number, line.removeprefix(BOM) if number == 1 else line


def _encoding_of(file: IO[bytes], name: str) -> str:
    """In which all lines are text. In neither: the one with fewer faults is meant, and its first fault is told."""
    faults: dict[str, list[int]] = {encoding: [] for encoding in ENCODINGS}
    for number, line in _lines(file, name):
        for encoding, broken in faults.items():
            try:
                line.decode(encoding)
            except UnicodeDecodeError:
                broken.append(number)
    meant = min(faults, key=lambda encoding: len(faults[encoding]))
    if faults[meant]:
        raise Row(name, faults[meant][0], None).wrong("不是 UTF-8 或 GBK 编码的文本。")
    return meant


def _texts(file: IO[bytes], name: str, encoding: str) -> Iterator[tuple[int, str]]:
    for number, line in _lines(file, name):
        if text := line.decode(encoding).strip():
            yield number, text


def _parsed(text: str, name: str, line: int) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise Row(name, line, None).wrong("不是有效的 JSON。") from None


def _records(file: IO[bytes], name: str, encoding: str) -> Iterator[Row]:
    """The first line names the columns."""
    reader = csv.DictReader((line.decode(encoding) for _, line in _lines(file, name)), strict=True)
    ended = 1  # the line that the last good record ends in
    try:
        reader.fieldnames = [column.strip().lower() for column in reader.fieldnames or []]
        for record in reader:
            row = Row(name, reader.line_num, record)
            if None in record or None in record.values():
                raise row.wrong(f"应有 {len(reader.fieldnames)} 列。")
            yield row
            ended = reader.line_num
    except csv.Error:
        raise Row(name, ended + 1, None).wrong("不是有效的 CSV。") from None


def _entries(file: IO[bytes], name: str) -> Iterator[Row]:
    """An array's, or values one after the other."""
    data = file.read(MOST_JSON + 1)
    if len(data) > MOST_JSON:
        raise TooLarge(f"{shown(name)}：JSON 文件不能超过 {MOST_JSON >> 20} MB，请改用 JSONL。")
    text = _decoded(data.removeprefix(BOM), name)
    number, place, decoder = 0, _next(text, 0), json.JSONDecoder()
    while place < len(text):
        try:
            value, place = decoder.raw_decode(text, place)
        except (ValueError, RecursionError) as error:
            at = error.pos if isinstance(error, json.JSONDecodeError) else place
            raise Row(name, text.count("\n", 0, at) + 1, None).wrong("不是有效的 JSON。") from None
        for entry in value if isinstance(value, list) else [value]:
            number += 1
            yield Row(name, number, entry, "条")
        place = _next(text, place)


def _next(text: str, place: int) -> int:
    """Where something stands that is not white, from a place on."""
    while place < len(text) and text[place].isspace():
        place += 1
    return place


def _decoded(data: bytes, name: str) -> str:
    for encoding in ENCODINGS:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    with io.BytesIO(data) as lines:
        line = next((number for number, line in enumerate(lines, 1) if not _reads(line)), 1)
    raise Row(name, line, None).wrong("不是 UTF-8 或 GBK 编码的文本。")


def _reads(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True
