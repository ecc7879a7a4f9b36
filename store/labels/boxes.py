"""Reading the tags of MP4 and MOV: `moov.udta.meta` or `moov.meta`, keys and values (QuickTime File Format).

Only the boxes on the way are looked at, in bounded memory: libav reserves what a `keys` box claims, up to 2 GiB.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from store.labels.chunks import Chunk, content, length
from store.labels.label import KEY
from store.labels.refusal import damaged

MOST_BOXES = 65_536  # on one level
WANTED = KEY.encode()


def extract(path: Path) -> str | None:
    """The value of the only tag `AIGC`. Sizes that lie: `InvalidInput`."""
    with path.open("rb") as file:
        movie = _child(file, Chunk(b"", 0, length(file)), b"moov")
        if movie is None:
            raise damaged()
        user = _child(file, movie, b"udta")
        holders = [_child(file, parent, b"meta") for parent in (movie, user) if parent]
        found = [value for holder in holders if holder for value in _values(file, holder)]
    return found[0].decode("ascii", "replace") if len(found) == 1 else None


def _boxes(file: BinaryIO, parent: Chunk) -> Iterator[Chunk]:
    """The boxes inside a box; four odd bytes may end a `udta`."""
    at, end = parent.start, parent.start + parent.size
    for _ in range(MOST_BOXES):
        if at + 8 > end:
            return
        head = content(file, at, 8)
        size, inside = int.from_bytes(head[:4], "big"), 8
        if size == 1:
            size, inside = int.from_bytes(content(file, at + 8, 8), "big"), 16
        elif size == 0:
            size = end - at
        if not inside <= size <= end - at:
            raise damaged()
        yield Chunk(head[4:], at + inside, size - inside)
        at += size
    raise damaged()


def _child(file: BinaryIO, parent: Chunk, kind: bytes) -> Chunk | None:
    return next((box for box in _boxes(file, parent) if box.kind == kind), None)


def _values(file: BinaryIO, meta: Chunk) -> list[bytes]:
    """What is stored under the wanted key."""
    if meta.size < 8:
        return []
    bare = content(file, meta.start + 4, 4) == b"hdlr"  # QuickTime leaves out version and flags
    inside = meta if bare else Chunk(meta.kind, meta.start + 4, meta.size - 4)
    keys, items = _child(file, inside, b"keys"), _child(file, inside, b"ilst")
    if keys is None or items is None:
        return []
    indexes = {index.to_bytes(4, "big") for index, name in enumerate(_names(file, keys), 1) if name == WANTED}
    boxes = [_child(file, item, b"data") for item in _boxes(file, items) if item.kind in indexes]
    return [content(file, box.start, box.size)[8:] for box in boxes if box]  # type and locale come first


def _names(file: BinaryIO, keys: Chunk) -> list[bytes]:
    count = int.from_bytes(content(file, keys.start, min(keys.size, 8))[4:], "big")
    entries = Chunk(keys.kind, keys.start + 8, keys.size - 8)
    names = [content(file, box.start, box.size) for box in _boxes(file, entries)]  # a key is laid out as a box
    if count != len(names):
        raise damaged()
    return names
