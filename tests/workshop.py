"""The API that tests of trainings ask, and a caller of it: `pytest_plugins = ["tests.workshop"]`."""

import threading
from collections.abc import Iterator

import pytest
import uvicorn

from api.app import build
from api.models import Models
from api.state import Engines, make
from contracts.catalog import models
from contracts.settings import Settings
from jobs import engine
from store.database import Database
from tests.trainings import Trainer, Workshop
from tests.waiting import eventually


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    settings = Settings(
        var=tmp_path_factory.mktemp("var"),
        min_free_gib=0,
        generation_limit="100000 per minute",
        status_limit="100000 per minute",
    )
    Database(settings.tables_url).migrate()
    engine.migrate(settings)
    state = make(settings, Models([], models(), False), Engines())
    yield Workshop(state, build(state))
    state.database.engine.dispose()


@pytest.fixture
def trainer(workshop: Workshop) -> Trainer:
    return workshop.trainer()


@pytest.fixture(scope="module")
def sockets(workshop: Workshop) -> Iterator[str]:
    """Where the same API takes WebSockets: a server of its own, as they live on one event loop."""
    server = uvicorn.Server(uvicorn.Config(workshop.app, port=0, log_level="warning", ws="websockets-sansio"))
    thread = threading.Thread(target=server.run)
    thread.start()
    eventually(lambda: server.started)
    yield f"ws://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()
