"""Faces that callers register: the owner's own, of one model, there after a restart."""

import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from sqlalchemy import insert

from contracts.errors import Conflict, NotFound
from store.database import Database
from store.faces import FACE_ID, MOST, UNSTATED, Faces
from store.galleries import NUMBERS, Galleries
from store.tables import FaceRow

pytest_plugins = ["tests.places"]

ANN, BOB = ("anon-ann",), ("anon-bob",)
SIZE = 512


@pytest.fixture
def faces(database: Database) -> Faces:
    return Faces(database)


def vectors(count: int, seed: int = 0) -> np.ndarray:
    """Of unit length, in all directions: (count, SIZE)."""
    drawn = np.random.default_rng(seed).standard_normal((count, SIZE))
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


def test_the_nearest_is_found_with_its_cosine(faces: Faces) -> None:
    known = vectors(3)
    ids = [faces.keep("anon-ann", name, "m", known[at].tolist()) for at, name in enumerate("abc")]
    assert all(FACE_ID.fullmatch(each) for each in ids)
    near = known[1] + 0.2 * vectors(1, 1)[0]
    near /= np.linalg.norm(near)
    [match, same] = faces.nearest(ANN, "m", [near.tolist(), known[2].tolist()])
    assert match and same and (match.face_id, match.name) == (ids[1], "b")
    assert match.likeness == pytest.approx(float(near @ known[1]), abs=1e-6) and 0.9 < match.likeness < 1
    assert (same.name, same.likeness) == ("c", pytest.approx(1))


def test_they_are_there_after_a_restart(database: Database) -> None:
    vector = vectors(1)[0].tolist()
    face_id = Faces(database).keep("anon-ann", "张三", "m", vector, " 本人同意 ")
    again = Database(database.url.render_as_string(hide_password=False))
    [row] = Faces(again).all(ANN)
    assert (row.name, row.model, row.consent, row.owner) == ("张三", "m", "本人同意", "anon-ann")
    [match] = Faces(again).nearest(ANN, "m", [vector])
    assert match and (match.face_id, match.name) == (face_id, "张三")
    again.engine.dispose()


def test_a_person_may_have_several(faces: Faces) -> None:
    one, other = vectors(2)
    ids = [faces.keep("anon-ann", "a", "m", each.tolist()) for each in (one, other)]
    assert [each.face_id for each in faces.nearest(ANN, "m", [one.tolist(), other.tolist()]) if each] == ids
    assert [row.name for row in faces.all(ANN)] == ["a", "a"]


def test_models_and_sizes_do_not_compare(faces: Faces) -> None:
    vector = vectors(1)[0].tolist()
    faces.keep("anon-ann", "a", "other", vector)
    faces.keep("anon-ann", "b", "m", vector[:100])
    assert faces.nearest(ANN, "m", [vector]) == [None]
    assert faces.nearest(ANN, "m", []) == []


def test_anothers_are_not_found(faces: Faces) -> None:
    vector = vectors(1)[0].tolist()
    face_id = faces.keep("anon-ann", "a", "m", vector)
    assert faces.nearest(BOB, "m", [vector]) == [None] and faces.all(BOB) == faces.all(()) == []
    with pytest.raises(NotFound):
        faces.delete(face_id, BOB)
    assert faces.nearest(ANN + BOB, "m", [vector]) != [None]


def test_what_is_deleted_is_gone(faces: Faces) -> None:
    vector = vectors(1)[0].tolist()
    face_id = faces.keep("anon-ann", "a", "m", vector)
    faces.delete(face_id, ANN)
    assert faces.all(ANN) == [] and faces.nearest(ANN, "m", [vector]) == [None]
    with pytest.raises(NotFound):
        faces.delete(face_id, ANN)


@pytest.mark.parametrize("face_id", ["", "face_", "face_001", "face_" + "g" * 32, "f" * 32, "face_\0", "x" * 5_000])
def test_an_id_that_is_none_is_not_found(faces: Faces, face_id: str) -> None:
    with pytest.raises(NotFound) as refused:
        faces.delete(face_id, ANN)
    assert refused.value.param == "face_id"


def test_consent_is_not_stated_unless_it_is(faces: Faces) -> None:
    faces.keep("anon-ann", "a", "m", [1.0], " ")
    assert [row.consent for row in faces.all(ANN)] == [UNSTATED]


def test_there_is_a_bound(faces: Faces, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("store.faces.MOST", 3)

    def keep(number: int) -> bool:
        try:
            return bool(faces.keep("anon-ann", str(number), "m", [1.0]))
        except Conflict:
            return False

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(keep, range(9))) == 3
    assert faces.keep("anon-bob", "a", "m", [1.0])


def test_what_others_change_is_seen_at_once(database: Database) -> None:
    """Two processes, as far as memory goes: neither knows what the other keeps of vectors."""
    ours, theirs, known = Galleries(), Galleries(), vectors(3)

    def found(galleries: Galleries, owners: tuple[str, ...] = ANN) -> list[str]:
        with database.session() as session:
            return sorted(galleries.read(session, ("here", owners, "m", SIZE)).names)

    faces = Faces(database)
    first = faces.keep("anon-ann", "a", "m", known[0].tolist())
    faces.keep("anon-bob", "b", "m", known[1].tolist())
    assert found(ours) == found(theirs) == ["a"]
    faces.keep("anon-ann", "c", "m", known[2].tolist())
    assert found(ours) == ["a", "c"] and found(ours, BOB) == ["b"]
    faces.delete(first, ANN)
    assert found(ours) == found(theirs) == ["c"] and found(ours, ANN + BOB) == ["b", "c"]


def test_memory_is_bounded(database: Database) -> None:
    galleries = Galleries(kept_bytes=3 * SIZE * 4)
    for owner, count in (("ann", 2), ("bob", 2), ("cid", 4)):
        for vector in vectors(count):
            Faces(database).keep(owner, owner, "m", vector.tolist())
        with database.session() as session:
            assert len(galleries.read(session, ("here", (owner,), "m", SIZE)).ids) == count
    assert [place[1] for place in galleries._kept] == [("cid",)]


def test_ten_thousand_are_searched_soon(faces: Faces) -> None:
    known = vectors(10_000).astype(NUMBERS)
    rows = [
        {"id": f"{number:032x}", "owner": "anon-ann", "name": str(number), "model": "m", "consent": "", "created_ms": 0}
        | {"vector": known[number].tobytes()}
        for number in range(len(known))
    ]
    with faces.database.session() as session:
        session.execute(insert(FaceRow), rows)
    took_s = []
    for asked in (7_777, 1, 9_999, 5_000, 3):
        started = time.thread_time()  # of this thread: the database is searched in it, the machine may be busy
        [match] = faces.nearest(ANN, "m", [known[asked].tolist()])
        took_s.append(time.thread_time() - started)
        assert match and match.name == str(asked)
    print(f"10,000 faces of {SIZE} numbers searched in {[round(each * 1000) for each in took_s]} ms")
    assert len(known) <= MOST and min(took_s[1:]) < 0.1
