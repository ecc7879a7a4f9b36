"""From the configured database into another one."""

from contracts.errors import Conflict
from contracts.settings import Settings
from jobs import engine
from store.copy import copy
from store.database import Database


def copy_into(settings: Settings, url: str) -> dict[str, int]:
    """How many rows each table had; an empty URL: the SQLite files of this machine. What is refused is a `Conflict`."""
    target = settings.model_copy(update={"database_url": url})
    if _has_begun(target):
        raise Conflict(
            "The target still knows the work of another time: an empty one is needed (for SQLite, no jobs.db)."
        )
    return copy(Database(settings.tables_url), Database(target.tables_url))


def _has_begun(settings: Settings) -> bool:
    """Whether there are workflows. Those of an earlier stay would be taken for the state of the same jobs today."""
    engine.migrate(settings)
    client = engine.client(settings)
    try:
        return bool(client.list_workflows(limit=1, load_input=False, load_output=False))
    finally:
        client.destroy()
