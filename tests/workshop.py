"""The API that tests of trainings ask, and a caller of it: `pytest_plugins = ["tests.workshop"]`."""

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
from tests.listening import address_of, listening
from tests.trainings import Trainer, Workshop


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
    served = models()["llama-2-7b"]
    served = served.model_copy(update={"options": served.options | {"adapters": 2, "adapter_rank": 64}})
    state = make(settings, Models([served, models()["resnet50"]], models(), False), Engines())
    yield Workshop(state, build(state))
    state.database.engine.dispose()


@pytest.fixture
def trainer(workshop: Workshop) -> Trainer:
    return workshop.trainer()


@pytest.fixture(scope="module")
def server(workshop: Workshop) -> Iterator[uvicorn.Server]:
    with listening(workshop.app) as running:
        yield running


@pytest.fixture(scope="module")
def sockets(server: uvicorn.Server) -> str:
    """Where the same API takes WebSockets."""
    return address_of(server)
