"""WebP (RFC 9649): the label in an XMP chunk; a simple file gets the extended header that XMP needs."""

from pathlib import Path
from typing import BinaryIO

from store.labels import riff, xmp
from store.labels.chunks import Chunk, content
from store.labels.refusal import damaged

FORM, XMP, EXTENDED = b"WEBP", b"XMP ", b"VP8X"
HAS_XMP, HAS_ALPHA = 0x04, 0x10


def embed(source: Path, target: Path, text: str) -> None:
    with source.open("rb") as file:
        chunks = riff.chunks(file, FORM)
        packet = next((content(file, chunk.start, chunk.size) for chunk in chunks if chunk.kind == XMP), None)
        pixels = [chunk for chunk in chunks if chunk.kind not in (XMP, EXTENDED)]
        header = _header(file, chunks)
        riff.rewrite(file, target, FORM, [(EXTENDED, header), *pixels, (XMP, xmp.merge(packet, text))])


def extract(path: Path) -> str | None:
    with path.open("rb") as file:
        packets = [content(file, chunk.start, chunk.size) for chunk in riff.chunks(file, FORM) if chunk.kind == XMP]
    return xmp.find(packets[0]) if len(packets) == 1 else None


def _header(file: BinaryIO, chunks: list[Chunk]) -> bytes:
    """The extended header, with XMP announced."""
    if not chunks or chunks[0].size < 10:
        raise damaged()
    first, head = chunks[0], content(file, chunks[0].start, 10)
    if first.kind == EXTENDED and first.size == 10:
        return bytes((head[0] | HAS_XMP,)) + head[1:]
    if first.kind == b"VP8L" and head[0] == 0x2F:
        bits = int.from_bytes(head[1:5], "little")  # 14 bits width - 1, 14 bits height - 1, 1 bit alpha
        return _extended((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1, bool(bits >> 28 & 1))
    if first.kind == b"VP8 " and head[3:6] == b"\x9d\x01\x2a":
        width, height = (int.from_bytes(head[at : at + 2], "little") & 0x3FFF for at in (6, 8))
        if width and height:
            return _extended(width, height, alpha=False)
    raise damaged()


def _extended(width: int, height: int, alpha: bool) -> bytes:
    sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return bytes((HAS_XMP | HAS_ALPHA * alpha, 0, 0, 0)) + sides
