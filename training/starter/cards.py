"""Model cards: a text with places, and what is filled in."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from contracts.settings import ROOT

T = TypeVar("T")


def filled(template: Path, parts: Mapping[str, str]) -> str:
    """The template with each `{name}` replaced."""
    text = template.read_text(encoding="utf-8")
    for name, value in parts.items():
        text = text.replace("{" + name + "}", value)
    return text


def digest_of_sources(sources: Sequence[str]) -> str:
    """SHA-256 over every file that a corpus is made by: the data set's identity."""
    whole = hashlib.sha256()
    for source in sources:
        path = ROOT / source
        files = [path] if path.is_file() else sorted([*path.rglob("*.py"), *path.rglob("*.txt"), *path.rglob("*.yaml")])
        for file in files:
            whole.update(file.read_bytes())
    return whole.hexdigest()


def hashes(folder: Path) -> str:
    """Rows of a table: each file but the card, by its path in the folder, and its SHA-256."""
    kept = sorted(path for path in folder.rglob("*") if path.name != "README.md" and path.is_file())
    digests = ((path.relative_to(folder).as_posix(), hashlib.sha256(path.read_bytes()).hexdigest()) for path in kept)
    return "\n".join(f"| {name} | `{digest}` |" for name, digest in digests)


def spread(values: Sequence[T], number: int = 12) -> list[T]:
    """Some of them, the last among these."""
    return list(values[:: -max(1, len(values) // number)])[::-1]
