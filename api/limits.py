"""How large a request may be. FastAPI reads a whole body before a route sees it, so the bound is ASGI middleware."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from fastapi import FastAPI
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.family import route_of
from contracts.errors import Unauthenticated


@dataclass(frozen=True)
class Limit:
    size_bytes: int
    signed_in: bool = False


KIB, MIB = 1 << 10, 1 << 20
DRAIN_BYTES, DRAIN_S = 512 * MIB, 30.0  # how much of a refused body is read away, so that its sender sees why
BODY_S = 300.0  # a body must be there by then

DEFAULT = Limit(256 * KIB)
Endpoint = TypeVar("Endpoint", bound=Callable[..., object])


def body_limit(size_bytes: int, *, signed_in: bool = False) -> Callable[[Endpoint], Endpoint]:
    """Mark a route whose body may be of another size than the default. Stands below the route's decorator.

    `signed_in`: for bearers of an access token only; a body is parsed before the route asks who calls.
    """

    def mark(endpoint: Endpoint) -> Endpoint:
        endpoint.body_limit = Limit(size_bytes, signed_in)  # type: ignore[attr-defined]
        return endpoint

    return mark


class BodyLimit:
    """Answers 413 before a larger body is in memory, whether or not its length was announced."""

    def __init__(self, app: ASGIApp, root: FastAPI) -> None:
        self.app, self.root = app, root

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD", "OPTIONS"):
            return await self.app(scope, receive, send)
        endpoint = getattr(route_of(self.root, scope), "endpoint", None)
        limit: Limit = getattr(endpoint, "body_limit", DEFAULT)
        refusal = HTTPException(413)
        if limit.signed_in and not self._bears_token(scope):
            limit, refusal = DEFAULT, HTTPException(401, headers={"WWW-Authenticate": "Bearer"})
        await self.app(scope, bounded(receive, limit.size_bytes, refusal), send)

    def _bears_token(self, scope: Scope) -> bool:
        """Whether the token is one of ours; the route looks whose it is."""
        scheme, _, token = Headers(scope=scope).get("authorization", "").partition(" ")
        try:
            self.root.state.troupe.tokens.read(token.strip())
        except Unauthenticated:
            return False
        return scheme.lower() == "bearer"


def bounded(receive: Receive, limit: int, refusal: HTTPException) -> Receive:
    """The same messages, until they are too many: then the rest is read away and the refusal raised."""
    seen, complete, end = 0, False, time.monotonic() + BODY_S

    async def counted() -> Message:
        nonlocal seen, complete
        try:
            message = await asyncio.wait_for(receive(), None if complete else end - time.monotonic())
        except TimeoutError:
            raise HTTPException(408) from None
        seen += len(message.get("body", b""))
        complete = not message.get("more_body", False)  # what follows is the caller's leaving, whenever that is
        if seen > limit:
            if message.get("more_body"):
                await drain(receive)
            raise refusal
        return message

    return counted


async def drain(receive: Receive) -> None:
    """Read what is left of a body, within bounds: a client that still sends would not see the answer."""
    seen, more = 0, True
    try:
        async with asyncio.timeout(DRAIN_S):
            while more and seen < DRAIN_BYTES:
                message = await receive()
                seen += len(message.get("body", b""))
                more = message["type"] == "http.request" and message.get("more_body", False)
    except TimeoutError:
        return
