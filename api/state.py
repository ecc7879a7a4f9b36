"""What routes work with, made once a process and found through dependencies."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

from api.callers import Callers
from api.figures import Addresses, Measured, nowhere
from api.models import Models
from api.nodes import Nodes, this_machine
from api.rates import InFlight, Rates
from api.tokens import Tokens
from contracts.engines import Avatar, Chat, Classification, Detection, Face, Image, Speech, Transcription
from contracts.settings import Settings
from jobs.feed import Feed
from jobs.jobs import Jobs
from store.accounts import Accounts
from store.artifacts import Artifacts
from store.database import Database
from store.keys import Keys

WAIT_S = 10  # for a database that is locked or away; then whoever asked comes again


@dataclass(frozen=True)
class Engines:
    """Models that routes call themselves, each by its id."""

    chats: Mapping[str, Chat] = field(default_factory=dict)
    images: Mapping[str, Image] = field(default_factory=dict)
    speeches: Mapping[str, Speech] = field(default_factory=dict)
    transcriptions: Mapping[str, Transcription] = field(default_factory=dict)
    classifications: Mapping[str, Classification] = field(default_factory=dict)
    detections: Mapping[str, Detection] = field(default_factory=dict)
    faces: Mapping[str, Face] = field(default_factory=dict)
    avatars: Mapping[str, Avatar] = field(default_factory=dict)


@dataclass(frozen=True)
class State:
    settings: Settings
    models: Models
    database: Database
    accounts: Accounts
    artifacts: Artifacts
    jobs: Jobs
    feed: Feed
    tokens: Tokens
    callers: Callers
    keys: Keys
    rates: Rates
    in_flight: InFlight
    engines: Engines
    nodes: Nodes
    measured: Measured

    def chat(self) -> Chat:
        """The default language model."""
        return self.engines.chats[self.models.default("chat").id]


def make(
    settings: Settings,
    models: Models,
    engines: Engines,
    nodes: Nodes = this_machine,
    figures: Addresses = nowhere,
) -> State:
    database = Database(settings.tables_url, WAIT_S)
    jobs, tokens, keys = Jobs(settings, database), Tokens(settings), Keys(database)
    return State(
        settings=settings,
        models=models,
        database=database,
        accounts=Accounts(database, settings.refresh_days),
        artifacts=Artifacts(settings),
        jobs=jobs,
        feed=Feed(jobs.records),
        tokens=tokens,
        callers=Callers(settings, tokens, keys),
        keys=keys,
        rates=Rates(settings),
        in_flight=InFlight(settings.sync_calls),
        engines=engines,
        nodes=nodes,
        measured=Measured(figures),
    )


async def _state(connection: HTTPConnection) -> State:  # async: a plain one would cost every call a thread
    return connection.app.state.troupe


Here = Annotated[State, Depends(_state)]
