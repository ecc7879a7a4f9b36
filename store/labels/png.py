"""PNG: the label in an iTXt chunk `XML:com.adobe.xmp` right after the header; no other chunk changes."""

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from store.labels import xmp
from store.labels.chunks import LARGEST_PACKET_BYTES, Chunk, content, copy, length
from store.labels.refusal import damaged, refusing

SIGNATURE = b"\x89PNG\r\n\x1a\n"
KEYWORD = b"XML:com.adobe.xmp\0"
AROUND = 12  # bytes of a chunk beside its content: length, kind, checksum


def embed(source: Path, target: Path, text: str) -> None:
    """Several XMP chunks, which the format forbids, become the first of them."""
    with source.open("rb") as file, target.open("wb") as labelled:
        packets = (_packet(file, chunk) for chunk in _chunks(file) if _is_xmp(file, chunk))
        packet = xmp.merge(next(packets, None), text)
        labelled.write(SIGNATURE)
        for chunk in _chunks(file):
            if not _is_xmp(file, chunk):
                copy(file, labelled, chunk.start - 8, chunk.size + AROUND)
            if chunk.kind == b"IHDR":
                labelled.write(_itxt(packet))
            end = chunk.start + chunk.size + 4
        copy(file, labelled, end, length(file) - end)  # what follows the picture


def extract(path: Path) -> str | None:
    with path.open("rb") as file:
        packets = [_packet(file, chunk) for chunk in _chunks(file) if _is_xmp(file, chunk)]
    return xmp.find(packets[0]) if len(packets) == 1 else None


def _chunks(file: BinaryIO) -> Iterator[Chunk]:
    """Header to end, checked against the file's real size."""
    size, at = length(file), len(SIGNATURE)
    if content(file, 0, at) != SIGNATURE:
        raise damaged()
    while True:
        wide, kind = struct.unpack(">I4s", content(file, at, 8))
        first = at == len(SIGNATURE)
        if at + AROUND + wide > size or not kind.isalpha() or first != (kind == b"IHDR"):
            raise damaged()
        yield Chunk(kind, at + 8, wide)
        at += AROUND + wide
        if kind == b"IEND":
            return


def _is_xmp(file: BinaryIO, chunk: Chunk) -> bool:
    enough = chunk.kind == b"iTXt" and chunk.size >= len(KEYWORD) + 4
    return enough and content(file, chunk.start, len(KEYWORD)) == KEYWORD


def _packet(file: BinaryIO, chunk: Chunk) -> bytes:
    """The chunk's text; deflated ones are inflated within bounds."""
    rest = content(file, chunk.start, chunk.size)[len(KEYWORD) :]
    deflated, (_, _, text) = rest[0], _split(rest[2:])
    if not deflated:
        return text
    with refusing(zlib.error):
        inflate = zlib.decompressobj()
        packet = inflate.decompress(text, LARGEST_PACKET_BYTES)
    if not inflate.eof:
        raise damaged()
    return packet


def _split(rest: bytes) -> tuple[bytes, bytes, bytes]:
    """Language, translated keyword, text."""
    language, _, rest = rest.partition(b"\0")
    keyword, end, text = rest.partition(b"\0")
    if not end:
        raise damaged()
    return language, keyword, text


def _itxt(packet: bytes) -> bytes:
    body = b"iTXt" + KEYWORD + b"\0\0" + b"\0" + b"\0" + packet  # not deflated; no language, no translation
    return struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
