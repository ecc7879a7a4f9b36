"""JSON and Markdown of ours: the label as the first field, or the first line of the front matter."""

import json
import re
from collections.abc import Iterator
from json.decoder import JSONDecoder
from pathlib import Path

from store.labels.label import KEY
from store.labels.refusal import damaged, refusing

LARGEST_BYTES = 8 << 20  # parsed in memory, which takes many times as much
BLANK = re.compile(r"[ \t\n\r]*")
MARK = "\ufeff"
NUMBERS = JSONDecoder(parse_int=str, parse_float=str)  # never converted: only where they end matters
FRONT = re.compile(r"---[ \t]*(\r?\n)(.*?)^(?:---|\.\.\.)[ \t]*(?:\r?\n|\Z)", re.DOTALL | re.MULTILINE)
FIELD = re.compile(rf"""^(["']?){KEY}\1[ \t]*:([^\r\n]*)(?:\r?\n|\Z)((?:[ \t]+[^\r\n]*(?:\r?\n|\Z))*)""", re.MULTILINE)
NAMED = re.compile(r"""(?:[ \t\r]*(?:#[^\n]*)?\n)*(?:[^\s#:{\[\-][^:\n]*:(?:\s|\Z)|\Z)""")


def embed_json(source: Path, target: Path, text: str) -> None:
    """Every other character of the file stays. Not an object: `InvalidInput`."""
    mark, document = _read(source)
    with refusing(ValueError, RecursionError):
        start, members, end = _members(document)
    kept = [part for name, part, _ in members if name != KEY]
    lead = BLANK.match(document, start)
    field = f"{lead.group() if lead else ''}{json.dumps(KEY)}:{text}"
    body = ",".join([field, *kept])
    target.write_bytes(f"{mark}{document[:start]}{body}{document[end:]}".encode())


def extract_json(path: Path) -> str | None:
    with refusing(ValueError, RecursionError):
        found = [value for name, _, value in _members(_read(path)[1])[1] if name == KEY]
    return found[0] if len(found) == 1 else None


def embed_markdown(source: Path, target: Path, text: str) -> None:
    """An existing front matter keeps its other keys; without one, there is a new one."""
    mark, document = _read(source)
    line = f"{KEY}: {text}"
    if front := _front(document):
        newline, fields = front.group(1), FIELD.sub("", front.group(2))
        document = f"---{newline}{line}{newline}{fields}{document[front.end(2) :]}"
    else:
        newline = "\r\n" if "\r\n" in document else "\n"
        document = f"---{newline}{line}{newline}---{newline}{document}"
    target.write_bytes(f"{mark}{document}".encode())


def extract_markdown(path: Path) -> str | None:
    front = _front(_read(path)[1])
    found = [match.group(2).strip() for match in FIELD.finditer(front.group(2))] if front else []
    return found[0] if len(found) == 1 else None


def _read(path: Path) -> tuple[str, str]:
    """The byte order mark, if there is one, and the text behind it, line ends as they are."""
    if path.stat().st_size > LARGEST_BYTES:
        raise damaged()
    with refusing(UnicodeDecodeError):
        text = path.read_bytes().decode()
    return (MARK, text[1:]) if text.startswith(MARK) else ("", text)


def _members(document: str) -> tuple[int, list[tuple[str, str, str]], int]:
    """Where the object's inside begins; name, whole text and value of each member; where it ends."""
    start = _skip(document, 0)
    _, after = NUMBERS.raw_decode(document, start)
    if document[start] != "{" or _skip(document, after) != len(document):
        raise damaged()
    return start + 1, list(_each(document, start + 1)), after - 1


def _each(document: str, at: int) -> Iterator[tuple[str, str, str]]:
    """The members of an object that is known to be sound."""
    while document[_skip(document, at)] != "}":
        name, colon = NUMBERS.raw_decode(document, _skip(document, at))
        value = _skip(document, _skip(document, colon) + 1)
        _, after = NUMBERS.raw_decode(document, value)
        end = _skip(document, after)
        yield name, document[at:end], document[value:after]
        if document[end] == "}":
            return
        at = end + 1


def _skip(document: str, at: int) -> int:
    blank = BLANK.match(document, at)
    return blank.end() if blank else at


def _front(document: str) -> re.Match[str] | None:
    """The front matter; two rules around plain words are not one."""
    front = FRONT.match(document)
    return front if front and NAMED.match(front.group(2)) else None
