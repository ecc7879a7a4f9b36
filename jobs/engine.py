"""What both sides agree on about DBOS: where its database is, its names, how values are written."""

from dbos import DBOS, DBOSClient, DBOSConfig, DBOSPortableJSONSerializer

from contracts.settings import Settings
from store.database import Database, prepare_sqlite

APPLICATION = "troupe"
VERSION = "1"  # pinned: a version made from the code would orphan running work at every change
QUEUE = "jobs"
WORKFLOW = "job"
POLL_S = 0.3  # of the queue


def url_of(settings: Settings) -> str:
    return Database(settings.jobs_url).url.render_as_string(hide_password=False)


def migrate(settings: Settings) -> None:
    """Bring DBOS's tables to its version; does nothing when they are."""
    prepare_sqlite(settings.jobs_url)
    DBOS.migrate(system_database_url=url_of(settings))


def client(settings: Settings) -> DBOSClient:
    """For those who enqueue and cancel, and never run anything."""
    return DBOSClient(
        system_database_url=url_of(settings), serializer=DBOSPortableJSONSerializer(), application_name=APPLICATION
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
