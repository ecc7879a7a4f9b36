"""Registered faces as they are searched: vectors stay in memory, and what they are of is asked anew every time.

So a face that another process registers or deletes is found, or not found, from then on; only its vector is not read
again by everybody.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from store.tables import FaceRow

NUMBERS = np.dtype("<f4")
KEPT_BYTES = 256 << 20  # of vectors, of those who were searched last
AT_ONCE = 500  # ids in a query; of more, all are read
Place = tuple[str, tuple[str, ...], str, int]  # database, owners, model, numbers of a vector


@dataclass(frozen=True)
class Match:
    """A registered face, and the cosine between it and the one that was asked about."""

    face_id: str
    name: str
    likeness: float


@dataclass(frozen=True)
class Gallery:
    """Registered faces as they were when they were read; `vectors`: (faces, size), of unit length."""

    ids: list[str]
    names: list[str]
    vectors: NDArray[np.float32]

    def nearest(self, vectors: Sequence[Sequence[float]]) -> list[Match | None]:
        if not self.ids:
            return [None] * len(vectors)
        likenesses = self.vectors @ np.asarray(vectors, NUMBERS).T  # (known, asked)
        best = likenesses.argmax(axis=0)
        return [
            Match(f"face_{self.ids[at]}", self.names[at], float(likenesses[at, asked])) for asked, at in enumerate(best)
        ]


class Galleries:
    """Those that were searched last. Blocking, and for several threads."""

    def __init__(self, kept_bytes: int = KEPT_BYTES) -> None:
        self.kept_bytes = kept_bytes
        self._kept: OrderedDict[Place, Gallery] = OrderedDict()
        self._turn = threading.Lock()

    def read(self, session: Session, place: Place) -> Gallery:
        """As it is in the database now."""
        with self._turn:
            old = self._kept.get(place)
        new = _read(session, place, old)
        with self._turn:
            self._kept[place] = new
            self._kept.move_to_end(place)
            while len(self._kept) > 1 and sum(each.vectors.nbytes for each in self._kept.values()) > self.kept_bytes:
                self._kept.popitem(last=False)
        return new


def _read(session: Session, place: Place, old: Gallery | None) -> Gallery:
    rows = session.execute(_of(place, select(FaceRow.id, FaceRow.name))).all()
    ids = [row.id for row in rows]
    if old and old.ids == ids:
        return old
    known = dict(zip(old.ids, old.vectors, strict=True)) if old else {}
    known |= _vectors(session, place, [each for each in ids if each not in known])
    found = [(row.id, row.name, known[row.id]) for row in rows if row.id in known]  # not deleted in between
    vectors = np.stack([vector for *_, vector in found]) if found else np.empty((0, place[3]), NUMBERS)
    return Gallery([each for each, *_ in found], [name for _, name, _ in found], vectors)


def _vectors(session: Session, place: Place, ids: Sequence[str]) -> Iterator[tuple[str, NDArray[np.float32]]]:
    every = _of(place, select(FaceRow.id, FaceRow.vector))
    for row in session.execute(every.where(FaceRow.id.in_(ids)) if len(ids) <= AT_ONCE else every) if ids else ():
        yield row.id, np.frombuffer(row.vector, NUMBERS)


def _of(place: Place, what: Any) -> Any:
    """Of the same model; vectors of another size were made by another version of it."""
    _, owners, model, size = place
    theirs = what.where(FaceRow.owner.in_(owners), FaceRow.model == model)
    return theirs.where(func.length(FaceRow.vector) == size * NUMBERS.itemsize).order_by(FaceRow.id)
