"""Paths in documented fields: names inside the store, and the part of it that is a caller's own."""

import hashlib

from contracts.errors import InvalidInput
from store.names import key_of

PROJECT = "EchOfU/"
LONGEST = 200  # bytes of UTF-8: a key has more parts, before it and after


def documented(path: str, param: str = "url") -> str:
    """The name that a path stands for; what would leave the store is invalid input.

    `/a`, `./a`, `a` with Windows separators and under `EchOfU/` are all `a`.
    """
    return key_of(key_of(path, param).removeprefix(PROJECT), param)


def within(folder: str, path: str, param: str) -> str:
    """What a path names in a folder: of `models`, `/models/a/b` is `a/b`; what lies elsewhere is invalid input."""
    first, _, name = documented(path, param).partition("/")
    if first != folder or not name or "%" in name or len(name.encode()) > LONGEST:
        raise InvalidInput(f"应为 /{folder}/ 下的路径。", param=param)
    return name


def home(owner: str) -> str:
    """Where an owner's own files lie."""
    return f"callers/{hashlib.sha256(owner.encode()).hexdigest()[:32]}"
