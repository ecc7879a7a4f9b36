"""A family: one documented API, its routes, and how it words a failure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, FastAPI
from starlette.routing import Match
from starlette.types import Scope

from contracts.errors import ServiceError

STATUS = {
    "invalid_input": 422,
    "unauthenticated": 401,
    "forbidden": 403,
    "not_found": 404,
    "method_not_allowed": 405,
    "conflict": 409,
    "too_large": 413,
    "unsupported_media": 415,
    "overloaded": 429,
    "cancelled": 409,
    "internal": 500,
    "engine_failed": 503,
    "unavailable": 503,
    "deadline": 504,
}


OWNER = "troupe.route"


@dataclass(frozen=True)
class Family:
    """`prefixes` are where its routes answer; `envelope` makes the body of a failure. `claims`: how nobody's
    paths begin that are refused in its words."""

    name: str
    prefixes: tuple[str, ...]
    routers: tuple[APIRouter, ...]
    envelope: Callable[[ServiceError], Any]
    status: Mapping[str, int]
    claims: str | None = None

    def include_in(self, app: FastAPI) -> None:
        for prefix in self.prefixes:
            for router in self.routers:
                app.include_router(router, prefix=prefix, tags=[self.name])


def detail(error: ServiceError) -> dict[str, str]:
    """`{detail}`: the envelope of the families that answer with the bare resource."""
    return {"detail": f"{error.param}: {error.message}" if error.param else error.message}


def route_of(app: FastAPI, scope: Scope) -> Any:
    """The route that owns a path, whatever the method; None when nobody does. It is looked for once a request."""
    if OWNER not in scope:
        scope[OWNER] = _route_of(app, scope)
    return scope[OWNER]


def _route_of(app: FastAPI, scope: Scope) -> Any:
    partial = None
    for route in app.router.routes:
        match, _ = route.matches(scope)
        if match is Match.FULL:
            return route
        if match is Match.PARTIAL:
            partial = partial or route
    return partial
