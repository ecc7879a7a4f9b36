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
from contracts.media import Kind
from contracts.settings import Settings

KIB, MIB = 1 << 10, 1 << 20
DEFAULT_BYTES = 256 * KIB  # also what a form may have beside its files
DRAIN_BYTES, DRAIN_S = 512 * MIB, 30.0  # how much of a refused body is read away, so that its sender sees why
BODY_S = 300.0  # a body must be there by then
CLOSE = {"Connection": "close"}  # whoever is refused need not send the rest
Endpoint = TypeVar("Endpoint", bound=Callable[..., object])


@dataclass(frozen=True)
class Limit:
    """Bytes, and uploads of these kinds, which are as large as the settings say when it is asked."""

    parts: tuple[int | Kind, ...] = (DEFAULT_BYTES,)
    signed_in: bool = False

    def most_bytes(self, settings: Settings) -> int:
        sizes = [part if isinstance(part, int) else settings.most_bytes(part) for part in self.parts]
        return sum(sizes) + (0 if all(isinstance(part, int) for part in self.parts) else DEFAULT_BYTES)


DEFAULT = Limit()


def body_limit(*parts: int | Kind, signed_in: bool = False) -> Callable[[Endpoint], Endpoint]:
    """Mark a route whose body may be of another size than the default. Stands below the route's decorator.

    `body_limit(MIB)`: so many bytes; `body_limit("video", "audio")`: a form with a film and a sound.
    `signed_in`: for bearers of an access token only; a body is parsed before the route asks who calls.
    """

    def mark(endpoint: Endpoint) -> Endpoint:
        endpoint.body_limit = Limit(parts, signed_in)  # type: ignore[attr-defined]
        return endpoint

    return mark


class BodyLimit:
    """Answers 413 before a larger body is in memory: before it is read, when its length is announced."""

    def __init__(self, app: ASGIApp, root: FastAPI) -> None:
        self.app, self.root = app, root

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD", "OPTIONS"):
            return await self.app(scope, receive, send)
        endpoint = getattr(route_of(self.root, scope), "endpoint", None)
        limit: Limit = getattr(endpoint, "body_limit", DEFAULT)
        refusal = HTTPException(413, headers=CLOSE)
        if limit.signed_in and not self._bears_token(scope):
            limit, refusal = DEFAULT, HTTPException(401, headers={"WWW-Authenticate": "Bearer"} | CLOSE)
        body = Body(receive, send, limit.most_bytes(self.root.state.troupe.settings), refusal)
        body.expect(Headers(scope=scope).get("content-length", ""))
        await self.app(scope, body.receive, body.send)

    def _bears_token(self, scope: Scope) -> bool:
        """Whether the token is one of ours; the route looks whose it is."""
        scheme, _, token = Headers(scope=scope).get("authorization", "").partition(" ")
        try:
            self.root.state.troupe.tokens.read(token.strip())
        except Unauthenticated:
            return False
        return scheme.lower() == "bearer"


class Body:
    """The messages of a request and its answer. When the body is too large, whoever reads it meets the refusal.

    That answer goes out whole, but is not ended before the rest of the body has been read away: a server that ended it
    would close on a client that still sends, and a reset can overtake the answer.
    """

    def __init__(self, receive: Receive, send: Send, most_bytes: int, refusal: HTTPException) -> None:
        self._receive, self._send, self._most, self._refusal = receive, send, most_bytes, refusal
        self._seen, self._end = 0, time.monotonic() + BODY_S
        self._complete = self._beyond = self._answered = False

    def expect(self, announced: str) -> None:
        """Take note of a `Content-Length`."""
        self._beyond = announced.isdecimal() and int(announced) > self._most

    async def receive(self) -> Message:
        if self._beyond and not self._answered:
            raise self._refusal
        try:
            message = await asyncio.wait_for(
                self._receive(), None if self._complete or self._answered else self._end - time.monotonic()
            )
        except TimeoutError:
            raise HTTPException(408, headers=CLOSE) from None
        self._seen += len(message.get("body", b""))
        self._complete = not message.get("more_body", False)  # what follows is the caller's leaving, whenever that is
        self._beyond = self._beyond or self._seen > self._most
        if self._beyond and not self._answered:
            raise self._refusal
        return message

    async def send(self, message: Message) -> None:
        self._answered = True
        last = message["type"] == "http.response.body" and not message.get("more_body")
        if not last or not self._beyond or self._complete:
            return await self._send(message)
        await self._send({**message, "more_body": True})
        await drain(self._receive)
        await self._send({"type": "http.response.body"})


async def drain(receive: Receive) -> None:
    """Read what is left of a body, within bounds."""
    seen, more = 0, True
    try:
        async with asyncio.timeout(DRAIN_S):
            while more and seen < DRAIN_BYTES:
                message = await receive()
                seen += len(message.get("body", b""))
                more = message["type"] == "http.request" and message.get("more_body", False)
    except TimeoutError:
        return
