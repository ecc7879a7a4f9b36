"""Paths that two documents have: at the root, a family declines what the other is asked."""

from collections.abc import Callable
from typing import Any, TypeVar

from fastapi.routing import APIRoute
from starlette.requests import HTTPConnection
from starlette.routing import Match
from starlette.types import Scope

Endpoint = TypeVar("Endpoint", bound=Callable[..., object])
ROOT = "/api/"


def at_root(claims: Callable[[HTTPConnection], bool]) -> Callable[[Endpoint], Endpoint]:
    """Mark a route of a `SharedRoute` router: at the root it is this family's only where `claims` says so.

    Stands below the route's decorator. What it declines goes to the families after it in `api.app.FAMILIES`.
    """

    def mark(endpoint: Endpoint) -> Endpoint:
        endpoint.claims = claims  # type: ignore[attr-defined]
        return endpoint

    return mark


class SharedRoute(APIRoute):
    """Whoever asks which route owns a request (`api.family.route_of`) has the same answer as the router."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        self.claims = getattr(endpoint, "claims", None) if path.startswith(ROOT) else None
        super().__init__(path, endpoint, **options)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        match, child_scope = super().matches(scope)
        if match is Match.NONE or not self.claims or self.claims(HTTPConnection({**scope, **child_scope})):
            return match, child_scope
        return Match.NONE, {}


def sends_form(connection: HTTPConnection) -> bool:
    return media_type_of(connection) == "multipart/form-data"


def media_type_of(connection: HTTPConnection) -> str:
    """What the body is said to be, without parameters; empty: nothing is said."""
    return connection.headers.get("content-type", "").partition(";")[0].strip().lower()
