"""Names of files inside the store. A path in a request is such a name, never one of the server's disk."""

from pathlib import PurePosixPath

from contracts.errors import InvalidInput

LONGEST = 512


def key_of(name: str, param: str = "url") -> str:
    """The key that a caller's path names; what would leave the store is invalid input.

    `./a/b`, `/a/b` and `a\\b` are all `a/b`.
    """
    path = PurePosixPath(name.replace("\\", "/").strip().lstrip("/"))
    parts = [part for part in path.parts if part != "."]
    if not parts or len(name) > LONGEST or any(_refused(part) for part in parts):
        raise InvalidInput("路径无效。", param=param)
    return "/".join(parts)


def _refused(part: str) -> bool:
    return (
        part.startswith(".") or ":" in part or any(ord(character) < 32 or ord(character) == 127 for character in part)
    )
