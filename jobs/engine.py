"""What both sides agree on about DBOS: where its database is, its names, how values are written."""

import sqlite3

from dbos import DBOS, DBOSClient, DBOSConfig, DBOSPortableJSONSerializer
from sqlalchemy import Engine, event
from sqlalchemy.engine import ExceptionContext

from contracts.human import TRAIN
from contracts.platform import CLASSIFIER, LORA, MERGE, ONE_CLICK
from contracts.settings import Settings
from store import faults
from store.database import Database, prepare_sqlite

APPLICATION = "troupe"
VERSION = "1"  # pinned: a version made from the code would orphan running work at every change
QUEUE, TRAININGS = "jobs", "trainings"  # the second: what waits for a machine's CPUs or GPUs, maybe for hours
TRAINS = (CLASSIFIER, LORA, MERGE, ONE_CLICK, TRAIN)
WORKFLOW = "job"
POLL_S = 0.3  # of the queue


def url_of(settings: Settings) -> str:
    return Database(settings.jobs_url).url.render_as_string(hide_password=False)


def migrate(settings: Settings) -> None:
    """Bring DBOS's tables to its version; does nothing when they are."""
    prepare_sqlite(settings.jobs_url)
    DBOS.migrate(system_database_url=url_of(settings))


def client(settings: Settings) -> DBOSClient:
    """For those who enqueue and cancel, and never run anything; nor do they wait for a database that is away."""
    return DBOSClient(
        system_database_url=url_of(settings),
        serializer=DBOSPortableJSONSerializer(),
        application_name=APPLICATION,
        retry_connection_errors=False,
    )


def config(settings: Settings, executor_id: str) -> DBOSConfig:
    return DBOSConfig(
        name=APPLICATION,
        system_database_url=url_of(settings),
        executor_id=executor_id,
        application_version=VERSION,
        serializer=DBOSPortableJSONSerializer(),
        log_level="WARNING",
    )


@event.listens_for(Engine, "handle_error")
def _call_it_a_lost_connection(context: ExceptionContext) -> None:
    """Over a lost connection DBOS waits until it is back; over a disk that is full it would end the workflow."""
    lost = context.connection is None or isinstance(context.original_exception, sqlite3.Error)
    if lost and context.sqlalchemy_exception and faults.of(context.sqlalchemy_exception):
        context.is_disconnect, context.invalidate_pool_on_disconnect = True, False
