"""One caller takes no more than its share."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from contracts.errors import Overloaded
from contracts.jobs import Job
from contracts.settings import Settings
from jobs import engine
from jobs.jobs import Jobs, new_id
from store.database import Database


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[Jobs]:
    """A queue that nobody works at."""
    settings = Settings(var=tmp_path, caller_jobs=2, min_free_gib=0)
    database = Database(settings.tables_url)
    database.migrate()
    engine.migrate(settings)
    jobs = Jobs(settings, database)
    yield jobs
    jobs._client.destroy()
    database.engine.dispose()


def submit(jobs: Jobs, owner: str) -> str:
    job = Job(id=new_id(), kind="k", owner=owner, params={})
    jobs.submit(job, f"test/{job.id}")
    return job.id


def test_so_many_jobs_at_once_and_no_more(jobs: Jobs) -> None:
    first, second = submit(jobs, "anna"), submit(jobs, "anna")
    with pytest.raises(Overloaded) as told:
        submit(jobs, "anna")
    assert told.value.retry_after_s and "2" in told.value.message
    assert submit(jobs, "berta")
    jobs.records.start(first)
    with pytest.raises(Overloaded):
        submit(jobs, "anna")
    jobs.records.complete(first, {})
    jobs.cancel(second, "anna")
    assert submit(jobs, "anna") and submit(jobs, "anna")


def test_those_that_come_together_are_counted_too(jobs: Jobs) -> None:
    def try_to(_: int) -> bool:
        try:
            return bool(submit(jobs, "anna"))
        except Overloaded:
            return False

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(try_to, range(24))) == 2
