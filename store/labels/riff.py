"""RIFF files (WAV, WebP): chunks checked against the real size, and rewriting them chunk by chunk."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from store.labels.chunks import Chunk, content, copy, length
from store.labels.refusal import damaged

MOST_CHUNKS = 65_536
HEAD = 12  # RIFF, size, form
LARGEST = 0xFFFF_FFFF  # in a header that was sent before the end was known, it means: up to the end


def chunks(file: BinaryIO, form: bytes) -> list[Chunk]:
    """The chunks of a RIFF file of this form. Sizes that lie: `InvalidInput`."""
    found = []
    for chunk in _walk(file, form):
        found.append(chunk)
        if len(found) > MOST_CHUNKS:
            raise damaged()
    return found


def rewrite(source: BinaryIO, target: Path, form: bytes, parts: Iterable[Chunk | tuple[bytes, bytes]]) -> None:
    """A RIFF file of these parts, old chunks or new (kind, content); what follows the RIFF stays behind it."""
    end = min(_end(source, form), length(source))
    with target.open("wb") as file:
        file.write(bytes(HEAD))
        for part in parts:
            _append(source, file, part)
        size = file.tell() - 8
        if size > LARGEST:
            raise damaged()
        copy(source, file, end, length(source) - end)
        file.seek(0)
        file.write(b"RIFF" + size.to_bytes(4, "little") + form)


def _end(file: BinaryIO, form: bytes) -> int:
    head = content(file, 0, HEAD)
    size = int.from_bytes(head[4:8], "little")
    end = length(file) if size == LARGEST else 8 + size
    if head[:4] != b"RIFF" or head[8:] != form or end > length(file) + 1:  # some leave out the last pad byte
        raise damaged()
    return end


def _walk(file: BinaryIO, form: bytes) -> Iterator[Chunk]:
    end, at = _end(file, form), HEAD
    while at < end:
        head = content(file, at, 8)
        size = int.from_bytes(head[4:], "little")
        chunk = Chunk(head[:4], at + 8, min(end, length(file)) - at - 8 if size == LARGEST else size)
        after = chunk.start + chunk.size
        if after > min(end, length(file)):
            raise damaged()
        yield chunk
        at = after + chunk.size % 2


def _append(source: BinaryIO, file: BinaryIO, part: Chunk | tuple[bytes, bytes]) -> None:
    size = part.size if isinstance(part, Chunk) else len(part[1])
    file.write(part[0] + size.to_bytes(4, "little"))
    if isinstance(part, Chunk):
        copy(source, file, part.start, part.size)
    else:
        file.write(part[1])
    file.write(bytes(size % 2))
