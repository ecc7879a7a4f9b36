"""A job that runs: who writes for a job may do so as long as it does."""

from contracts.jobs import Job
from jobs.records import Records
from store.database import Database


def run_job(database: Database) -> None:
    """The job "j1" of "subject"."""
    Records(database).create(Job(id="j1", kind="k", owner="user-1", params={}), "subject")
    Records(database).start("j1")
