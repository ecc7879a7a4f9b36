"""Liveness and readiness."""

import logging
from typing import Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from api.door import FREE, rated
from api.state import Here, State
from contracts.errors import Unavailable
from contracts.settings import revision
from store.database import now_ms
from store.tables import LeaseRow

router = APIRouter()
log = logging.getLogger("troupe.api")


class Alive(BaseModel):
    status: Literal["ok"] = "ok"


class Ready(BaseModel):
    ready: bool
    revision: str
    checks: dict[str, bool]
    models: list[str]


@router.get("/healthz")
@rated(FREE)
async def healthz() -> Alive:
    """This process answers. Nothing else is looked at."""
    return Alive()


@router.get("/readyz")
@rated(FREE)
def readyz(state: Here, response: Response) -> Ready:
    """503 until the database answers, the artifacts can be reached and a worker is there."""
    checks = {"database": database(state), "artifacts": artifacts(state), "worker": worker(state)}
    ready = all(checks.values())
    response.status_code = 200 if ready else 503
    return Ready(ready=ready, revision=revision(), checks=checks, models=list(state.models.served))


def database(state: State) -> bool:
    try:
        with state.database.session() as session:
            session.execute(select(1))
    except SQLAlchemyError:
        log.warning("the database does not answer", exc_info=True)
        return False
    return True


def artifacts(state: State) -> bool:
    try:
        state.artifacts.check()
    except Unavailable:  # the store has logged why
        return False
    return True


def worker(state: State) -> bool:
    """A worker holds a lease."""
    try:
        with state.database.session() as session:
            return session.scalar(select(LeaseRow.holder).where(LeaseRow.expires_ms > now_ms()).limit(1)) is not None
    except SQLAlchemyError:
        return False
