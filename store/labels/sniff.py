"""What a file is, by its content: its name may say anything."""

import json
from pathlib import Path

import filetype  # type: ignore[import-untyped, unused-ignore]

from store.labels.text import LARGEST_BYTES

UNKNOWN = "application/octet-stream"
NAMES = {  # filetype's, where the world says something else
    "audio/x-wav": "audio/wav",
    "audio/x-flac": "audio/flac",
    "image/apng": "image/png",
    "video/x-m4v": "video/mp4",
}


def sniff(path: Path) -> str:
    """A media type; text that is no JSON is Markdown when it opens with front matter, and plain otherwise."""
    guess = filetype.guess_mime(str(path))
    return NAMES.get(guess, guess) if guess else _written(path)


def _written(path: Path) -> str:
    if path.stat().st_size > LARGEST_BYTES:
        return UNKNOWN
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        return UNKNOWN
    if "\0" in text:
        return UNKNOWN
    try:
        json.JSONDecoder(parse_int=str, parse_float=str).decode(text)
    except (ValueError, RecursionError):
        return "text/markdown" if text.startswith("---") else "text/plain"
    return "application/json"
