"""How large a request may be. FastAPI reads a whole body before a route sees it, so the bound is ASGI middleware."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.family import route_of

KIB, MIB = 1 << 10, 1 << 20
DEFAULT_BYTES = 256 * KIB
DRAIN_BYTES, DRAIN_S = 512 * MIB, 30.0  # how much of a refused body is read away, so that its sender sees why
BODY_S = 300.0  # a body must be there by then

Endpoint = TypeVar("Endpoint", bound=Callable[..., object])


def body_limit(size_bytes: int) -> Callable[[Endpoint], Endpoint]:
    """Mark a route whose body may be of another size than the default. Stands below the route's decorator."""

    def mark(endpoint: Endpoint) -> Endpoint:
        endpoint.body_limit = size_bytes  # type: ignore[attr-defined]
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
        await self.app(scope, bounded(receive, getattr(endpoint, "body_limit", DEFAULT_BYTES)), send)


def bounded(receive: Receive, limit: int) -> Receive:
    """The same messages, until they are too many: then the rest is read away and 413 raised."""
    seen = 0

    async def counted() -> Message:
        nonlocal seen
        message = await asyncio.wait_for(receive(), BODY_S)
        seen += len(message.get("body", b""))
        if seen > limit:
            if message.get("more_body"):
                await drain(receive)
            raise HTTPException(413)
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
