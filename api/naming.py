"""Names for files that callers bring: their own words, made safe; never one that is taken."""

import re
import unicodedata
from collections.abc import Iterator
from pathlib import PurePosixPath

UNSAFE = re.compile(r'[\s<>:"|?*%#&+;\\/]+')
LONGEST = 120  # bytes of UTF-8, before a number and the suffix


def safe_stem(name: str, otherwise: str) -> str:
    """The file's name without folders, suffix and what no file system or URL takes; Chinese stays."""
    stem = PurePosixPath(unicodedata.normalize("NFC", name).replace("\\", "/")).name
    stem = stem.rpartition(".")[0] or stem
    kept = "".join(letter for letter in stem if unicodedata.category(letter)[0] != "C")
    kept = UNSAFE.sub("_", kept).strip("._ ")
    return kept.encode()[:LONGEST].decode(errors="ignore") or otherwise


def candidates(stem: str, suffix: str) -> Iterator[str]:
    """The name, then the same with a number."""
    yield f"{stem}{suffix}"
    number = 0
    while True:
        number += 1
        yield f"{stem}_{number}{suffix}"
