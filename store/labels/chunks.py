"""Parts of a file: where they lie, and copying them without holding them."""

from typing import BinaryIO, NamedTuple

from store.labels.refusal import damaged

BLOCK_BYTES = 1 << 20
LARGEST_PACKET_BYTES = 4 << 20  # of metadata that is held in memory


class Chunk(NamedTuple):
    """`size` bytes of content at `start`, named `kind`."""

    kind: bytes
    start: int
    size: int


def length(file: BinaryIO) -> int:
    """The real size of an open file, whatever its headers say."""
    return file.seek(0, 2)


def content(file: BinaryIO, start: int, size: int) -> bytes:
    """A small part, whole. More than `LARGEST_PACKET_BYTES`, or past the end: `InvalidInput`."""
    if size > LARGEST_PACKET_BYTES:
        raise damaged()
    file.seek(start)
    found = file.read(size)
    if len(found) < size:
        raise damaged()
    return found


def copy(source: BinaryIO, target: BinaryIO, start: int, size: int) -> None:
    """Append `size` bytes from `start` of the source to the target."""
    source.seek(start)
    while size > 0:
        block = source.read(min(size, BLOCK_BYTES))
        if not block:
            raise damaged()
        target.write(block)
        size -= len(block)
