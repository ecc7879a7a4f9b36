"""What routes work with, made once a process and found through dependencies."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

from api.models import Models
from api.rates import Rate
from api.tokens import Tokens
from contracts.settings import Settings
from jobs.feed import Feed
from jobs.jobs import Jobs
from store.accounts import Accounts
from store.artifacts import Artifacts
from store.database import Database


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
    login_limit: Rate


def make(settings: Settings, models: Models) -> State:
    database = Database(settings.tables_url)
    jobs = Jobs(settings, database)
    return State(
        settings=settings,
        models=models,
        database=database,
        accounts=Accounts(database, settings.refresh_days),
        artifacts=Artifacts(settings),
        jobs=jobs,
        feed=Feed(jobs.records),
        tokens=Tokens(settings),
        login_limit=Rate(settings.login_limit, settings.limits_url),
    )


def _state(connection: HTTPConnection) -> State:
    return connection.app.state.troupe


Here = Annotated[State, Depends(_state)]
