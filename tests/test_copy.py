"""Everything moves between SQLite and Postgres, either way, and what was begun is done on the other side."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as quick
from hypothesis import strategies as st
from sqlalchemy import JSON, BigInteger, Column, Integer, LargeBinary, String, delete, func, insert, select, text
from sqlalchemy.exc import DataError

from contracts.errors import Conflict
from contracts.jobs import Job
from contracts.settings import ROOT, Settings
from jobs import engine
from jobs.jobs import Jobs
from jobs.records import Records
from store.accounts import Accounts
from store.copy import TABLES, copy
from store.database import Database, now_ms
from store.stories import Stories
from store.tables import ArtifactRow, EventRow, JobRow, LeaseRow, User, Words
from tests.test_faults import locked
from tests.test_jobs import Place

pytest_plugins = ["tests.places"]
ODD = "小狐狸 🦊 é\u0301 \u200b\ufffe\U0010ffff ‮ \\ ' \" % :x \r\n\t"
LARGE = 2**62
DATA = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-LARGE, LARGE)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@pytest.fixture
def sqlite(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/copied.db"


@pytest.fixture(params=["to postgres", "to sqlite"])
def urls(request: pytest.FixtureRequest, sqlite: str, new_postgres: Callable[[], str]) -> tuple[str, str]:
    """Of the old database and of the new one."""
    postgres = new_postgres()
    return (sqlite, postgres) if request.param == "to postgres" else (postgres, sqlite)


@pytest.fixture
def both(urls: tuple[str, str]) -> Iterator[tuple[Database, Database]]:
    old, new = Database(urls[0]), Database(urls[1])
    old.migrate()
    yield old, new
    old.engine.dispose()
    new.engine.dispose()


def everything(database: Database) -> dict[str, list[dict[str, Any]]]:
    with database.engine.connect() as connection:
        return {
            table.name: [dict(row) for row in connection.execute(select(table).order_by(*table.primary_key)).mappings()]
            for table in TABLES
        }


def fill(database: Database, prompt: str = ODD, data: Any = None) -> int:
    """A user with a story, its jobs, their events and files; the user's id."""
    user_id = Accounts(database, 30).register("somebody", "a password")
    story_id = Stories(database).create(user_id, "story", prompt, "", prompt)
    records = Records(database)
    job = Job(id="j1", kind="k", owner=f"user:{user_id}", params={"data": data, "n": LARGE, "f": 0.1, "s": ODD})
    records.create(job, f"story/{story_id}")
    records.start("j1")
    records.report("j1", 1 / 3, prompt)
    records.complete("j1", {"data": data})
    artifact: dict[str, Any] = {"key": "小/p1.png", "media_type": "image/png", "sha256": "0" * 64, "owner": "user:1"}
    artifact |= {"job_id": "j1", "model": "painter", "prompt": prompt, "parameters": {"data": data}}
    with database.session() as session:
        session.add(ArtifactRow(id="a1", size_bytes=LARGE, created_ms=LARGE, **artifact))
    Accounts(database, 30).open_session(user_id)
    return user_id


def value(column: Column[Any], rows: dict[str, dict[str, Any]]) -> Any:
    """The largest and oddest that a column takes."""
    for key in column.foreign_keys:
        return rows[key.column.table.name][key.column.name]
    odd = {"nested": [ODD, LARGE, -1e-300, None, True]}
    words = ODD[: getattr(column.type, "length", None)]
    kinds = {JSON: odd, String: words, Words: words, BigInteger: LARGE, Integer: 2**31 - 2, LargeBinary: b"\0\xff"}
    return next((value for kind, value in kinds.items() if isinstance(column.type, kind)), 1 / 3)


def test_every_row_of_every_table_arrives_as_it_was(both: tuple[Database, Database]) -> None:
    old, new = both
    rows: dict[str, dict[str, Any]] = {}
    with old.engine.begin() as connection:
        for table in TABLES:
            rows[table.name] = {column.name: value(column, rows) for column in table.columns}
            connection.execute(insert(table), rows[table.name])
    before = everything(old)
    assert copy(old, new) == dict.fromkeys(before, 1)
    assert everything(new) == before == everything(old)


@pytest.fixture(scope="module")
def emptied(
    tmp_path_factory: pytest.TempPathFactory, new_postgres: Callable[[], str]
) -> Iterator[tuple[Database, ...]]:
    """One of each, for many examples."""
    databases = Database(f"sqlite:///{tmp_path_factory.mktemp('copy')}/x.db"), Database(new_postgres())
    for database in databases:
        database.migrate()
    yield databases
    for database in databases:
        database.engine.dispose()


@quick(deadline=None, max_examples=30)
@given(words=st.text(), data=DATA)
def test_whatever_was_written_goes_there_and_back(emptied: tuple[Database, ...], words: str, data: Any) -> None:
    for database in emptied:
        clear(database)
    here, there = emptied
    with here.session() as session:
        session.execute(insert(JobRow), job_row(words, data))
    before = everything(here)
    copy(here, there)
    clear(here)
    copy(there, here)
    assert everything(here) == before


def clear(database: Database) -> None:
    with database.engine.begin() as connection:
        for table in reversed(TABLES):
            connection.execute(delete(table))


def job_row(words: str, data: Any) -> dict[str, Any]:
    row = {"id": "j", "kind": "k", "owner": "o", "subject": "s", "state": "queued", "progress": 0.1, "error": ""}
    return row | {"message": words, "params": {"data": data}, "result": {}, "created_ms": LARGE}


def test_an_id_is_never_used_again(both: tuple[Database, Database]) -> None:
    """Folders are named by ids: those of what was deleted last must not come back."""
    old, new = both
    user_id = fill(old)
    gone = [Stories(old).create(user_id, "story", "x", "", "") for _ in range(3)]
    for story_id in gone:
        Stories(old).delete(story_id)
    last_user = Accounts(old, 30).register("another", "a password")
    with old.session() as session:
        last_event = session.scalar(select(func.max(EventRow.id))) or 0
        session.execute(delete(User).where(User.id == last_user))
        session.execute(delete(EventRow))
    copy(old, new)
    assert Stories(new).create(user_id, "story", "x", "", "") == gone[-1] + 1
    assert Accounts(new, 30).register("another", "a password") == last_user + 1
    Records(new).create(Job(id="j2", kind="k", owner="o", params={}), "s")
    assert [event.id for event in Records(new).events(0)] == [last_event + 1]


def test_an_empty_database_is_copied_too(both: tuple[Database, Database]) -> None:
    old, new = both
    assert set(copy(old, new).values()) == {0}
    assert fill(new) == 1


def test_many_rows_are_copied_in_batches(both: tuple[Database, Database]) -> None:
    old, new = both
    fill(old)
    with old.session() as session:
        one = {"job_id": "j1", "owner": "o", "kind": "progress", "data": {}, "created_ms": 1}
        session.execute(insert(EventRow), [one] * 2_500)
    assert copy(old, new)["events"] == 2_504
    assert everything(new) == everything(old)


def test_each_side_waits_for_the_other(
    tmp_path: Path, new_postgres: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.database.IDLE_S", 1)
    old, new = Database(new_postgres()), Database(f"sqlite:///{tmp_path}/x.db")
    for database in (old, new):
        database.migrate()
    fill(old)
    with locked(tmp_path / "x.db", 2):
        assert copy(old, new)["jobs"] == 1
    for database in (old, new):
        database.engine.dispose()


def test_a_database_that_a_worker_uses_is_not_copied(both: tuple[Database, Database]) -> None:
    old, new = both
    with old.session() as session:
        session.add(LeaseRow(holder="gone", expires_ms=now_ms() - 1))
        session.add(LeaseRow(holder="there", expires_ms=now_ms() + 60_000))
    with pytest.raises(Conflict, match="stop it first"):
        copy(old, new)
    with old.session() as session:
        session.execute(delete(LeaseRow).where(LeaseRow.holder == "there"))
    copy(old, new)
    with new.session() as session:
        assert session.scalars(select(LeaseRow)).all() == []


def test_nothing_is_copied_onto_something(both: tuple[Database, Database]) -> None:
    old, new = both
    fill(old)
    copy(old, new)
    before = everything(new)
    with pytest.raises(Conflict, match=r"not empty.* users"):
        copy(old, new)
    with pytest.raises(Conflict, match="itself"):
        copy(old, Database(str(old.url.render_as_string(hide_password=False))))
    assert everything(new) == before


def test_all_or_nothing(sqlite: str, new_postgres: Callable[[], str]) -> None:
    """SQLite keeps what is too long for its column."""
    old, new = Database(sqlite), Database(new_postgres())
    old.migrate()
    fill(old)
    with old.session() as session:
        session.execute(text("UPDATE artifacts SET model = :long"), {"long": "x" * 200})
    with pytest.raises(DataError):
        copy(old, new)
    assert not any(everything(new).values())
    assert fill(new) == 1
    old.engine.dispose()
    new.engine.dispose()


def place_of(url: str, folder: Path) -> Place:
    settings = Settings(var=folder / "var", database_url=url, min_free_gib=0)
    database = Database(settings.tables_url)
    database.migrate()
    engine.migrate(settings)
    return Place(settings, folder, Jobs(settings, database))


def close(place: Place) -> None:
    for process in place.processes:
        process.communicate(timeout=20)
        assert process.returncode == 0, place.log()
    place.jobs._client.destroy()
    place.jobs.records.database.engine.dispose()


def test_what_was_not_done_is_done_on_the_other_side(urls: tuple[str, str], tmp_path: Path) -> None:
    """DBOS's own tables stay behind: a job begins anew from its row."""
    old = place_of(urls[0], tmp_path)
    old.start_worker()
    done, running = old.run("plain"), old.submit("numbered")
    old.noted(running, "step 4 waits")
    old.kill()
    queued = old.submit("plain")
    old.let_go_on(running)
    new = place_of(urls[1], tmp_path)
    copy(old.jobs.records.database, new.jobs.records.database)
    new.start_worker()
    assert new.end(running).state == new.end(queued).state == "completed"
    assert new.look(done.id) == done
    assert [new.notes(running).count(f"step {number}") for number in range(1, 7)] == [2, 2, 2, 1, 1, 1]
    assert new.notes(queued) == ["first", "second"]
    assert old.look(queued).state == "queued"
    close(old)
    close(new)


def troupe(var: Path, url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    mine = {"TROUPE_VAR": str(var), "TROUPE_DATABASE_URL": url, "COLUMNS": "200"}
    command = [sys.executable, "-m", "cli.main", "copy-database", *arguments]
    return subprocess.run(command, cwd=ROOT, env=os.environ | mine, capture_output=True, text=True)


def test_as_a_user_does_it(new_postgres: Callable[[], str], tmp_path: Path) -> None:
    url, settings = new_postgres(), Settings(var=tmp_path / "var")
    old, new = Database(settings.tables_url), Database(url)
    old.migrate()
    fill(old)
    said = troupe(settings.var, "", "--to", url)
    assert said.returncode == 0, said.stdout + said.stderr
    assert [row.split() for row in said.stdout.splitlines() if "users" in row] == [["│", "users", "│", "1", "│"]]
    assert everything(new) == everything(old)
    said = troupe(settings.var, "", "--to", url)
    assert said.returncode == 1 and "The target is not empty" in said.stdout
    said = troupe(tmp_path / "other", url)
    assert said.returncode == 0, said.stdout + said.stderr
    back = Database(Settings(var=tmp_path / "other").tables_url)
    assert everything(back) == everything(old)
    for database in (old, new, back):
        database.engine.dispose()


def test_work_of_another_time_is_not_mixed_in(new_postgres: Callable[[], str], tmp_path: Path) -> None:
    """The same jobs were here once, and DBOS remembers how far they had been."""
    place = place_of(new_postgres(), tmp_path)
    place.submit("plain")
    clear(place.jobs.records.database)
    said = troupe(tmp_path / "var", "", "--to", place.settings.database_url)
    assert said.returncode == 1 and "work of another time" in said.stdout
    close(place)
