"""JPEG: the label in an APP1 segment with an XMP packet; everything from the first scan on is copied as it is."""

import io
from pathlib import Path
from typing import BinaryIO

from store.labels import xmp
from store.labels.chunks import Chunk, content, copy, length
from store.labels.refusal import damaged

START = b"\xff\xd8"
XMP, EXIF = b"http://ns.adobe.com/xap/1.0/\0", b"Exif\0"
APP0, APP1, SCAN = 0xE0, 0xE1, 0xDA
LARGEST_SEGMENT = 0xFFFF - 2
MOST_SEGMENTS = 4_096  # before the picture; real files have a few dozen


def embed(source: Path, target: Path, text: str) -> None:
    """Extended XMP, for what does not fit one segment, stays as it is. No room left in the first: `InvalidInput`."""
    with source.open("rb") as file, target.open("wb") as made:
        _write(file, made, text)


def labelled(content: bytes, text: str) -> bytes:
    """The same in memory, of a picture that is sent and not kept."""
    made = io.BytesIO()
    _write(io.BytesIO(content), made, text)
    return made.getvalue()


def extract(path: Path) -> str | None:
    with path.open("rb") as file:
        segments, _ = _segments(file)
        packets = [_body(file, segment)[len(XMP) :] for segment in segments if _starts(file, segment, XMP)]
    return xmp.find(packets[0]) if len(packets) == 1 else None


def _write(file: BinaryIO, made: BinaryIO, text: str) -> None:
    segments, scan = _segments(file)
    packets = [_body(file, segment)[len(XMP) :] for segment in segments if _starts(file, segment, XMP)]
    body = XMP + xmp.merge(packets[0] if packets else None, text)
    if len(body) > LARGEST_SEGMENT:
        raise damaged()
    made.write(START)
    kept = [segment for segment in segments if not _starts(file, segment, XMP)]
    leading = _leading(file, kept)  # JFIF and Exif must come first
    for segment in kept[:leading]:
        copy(file, made, segment.start, segment.size)
    made.write(bytes((0xFF, APP1)) + (len(body) + 2).to_bytes(2, "big") + body)
    for segment in kept[leading:]:
        copy(file, made, segment.start, segment.size)
    copy(file, made, scan, length(file) - scan)


def _segments(file: BinaryIO) -> tuple[list[Chunk], int]:
    """Segments before the first scan, markers included, and where that begins."""
    if content(file, 0, 2) != START:
        raise damaged()
    segments: list[Chunk] = []
    at, end = 2, length(file)
    for _ in range(MOST_SEGMENTS):
        lead, marker = content(file, at, 2)
        if lead == marker == 0xFF:  # a fill byte
            at += 1
            continue
        if lead != 0xFF or marker < 0xC0 or 0xD0 <= marker <= 0xD9:
            raise damaged()
        if marker == SCAN:
            return segments, at
        size = 2 + int.from_bytes(content(file, at + 2, 2), "big")
        if size < 4 or at + size > end:
            raise damaged()
        segments.append(Chunk(bytes((marker,)), at, size))
        at += size
    raise damaged()


def _body(file: BinaryIO, segment: Chunk) -> bytes:
    return content(file, segment.start + 4, segment.size - 4)


def _starts(file: BinaryIO, segment: Chunk, name: bytes) -> bool:
    return segment.kind[0] == APP1 and _body(file, segment).startswith(name)


def _leading(file: BinaryIO, segments: list[Chunk]) -> int:
    """How many of the first segments are JFIF's and Exif's."""
    for count, segment in enumerate(segments):
        if segment.kind[0] != APP0 and not _starts(file, segment, EXIF):
            return count
    return len(segments)
