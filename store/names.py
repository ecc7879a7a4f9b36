"""Names of files inside the store. A path in a request is such a name, never one of the server's disk."""

import unicodedata
from pathlib import PurePosixPath

from contracts.errors import InvalidInput

LONGEST, LONGEST_PART = 512, 255  # bytes of UTF-8; what every file system and object store takes


def key_of(name: str, param: str = "url") -> str:
    """The key that a caller's path names; what would leave the store is invalid input.

    `./a/b`, `/a/b` and `a\\b` are all `a/b`.
    """
    path = PurePosixPath(name.replace("\\", "/").strip().lstrip("/"))
    parts = [part for part in path.parts if part != "."]
    if not parts or _size(name) > LONGEST or any(_refused(part) for part in parts):
        raise InvalidInput("路径无效。", param=param)
    return "/".join(parts)


def _refused(part: str) -> bool:
    return (
        part.startswith(".")
        or ":" in part
        or part != part.strip()
        or _size(part) > LONGEST_PART
        or any(unicodedata.category(character) in ("Cc", "Cs") for character in part)
    )


def _size(name: str) -> int:
    return len(name.encode("utf-8", "surrogatepass"))
