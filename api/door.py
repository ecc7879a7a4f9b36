"""What every request passes before its body is read: who calls, and how often it has."""

from collections.abc import Callable
from typing import TypeVar

from fastapi import FastAPI
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.callers import COOKIE, Caller, scheme_of
from api.errors import refusal
from api.family import route_of
from api.state import State
from contracts.errors import Overloaded, ServiceError, Unauthenticated

COOKIE_S = 400 * 86_400  # browsers keep none for longer
READS = frozenset({"GET", "HEAD", "OPTIONS"})
STATUS, GENERATION, FREE = "status", "generation", "free"
Endpoint = TypeVar("Endpoint", bound=Callable[..., object])


def rated(name: str) -> Callable[[Endpoint], Endpoint]:
    """Mark a route that is counted under this name; `FREE` is not. Unmarked: reads are STATUS, others GENERATION."""

    def mark(endpoint: Endpoint) -> Endpoint:
        endpoint.rate = name  # type: ignore[attr-defined]
        return endpoint

    return mark


class Door:
    def __init__(self, app: ASGIApp, root: FastAPI) -> None:
        self.app, self.root = app, root

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        route = route_of(self.root, scope) if scope["type"] == "http" else None
        if route is None or scope["method"] == "OPTIONS":
            return await self.app(scope, receive, send)
        request, usual = Request(scope), STATUS if scope["method"] in READS else GENERATION
        rate = getattr(getattr(route, "endpoint", None), "rate", usual)
        if rate == FREE:
            return await self.app(scope, receive, send)
        try:
            await self._admit(request, rate, route.path)
        except ServiceError as error:
            return await refusal(self.root, request, error)(scope, receive, send)
        await self.app(scope, receive, _with_cookie(request, send))

    async def _admit(self, request: Request, rate: str, path: str) -> None:
        """Count the call, and keep who calls, or why that is not known, for the route."""
        state: State = self.root.state.troupe
        try:
            request.state.caller = caller = await state.callers.of(request)
            counted, crowd = caller.owner, caller.address
        except Unauthenticated as error:
            request.state.caller, counted, crowd = error, state.callers.address(request), ""
        if wait_s := await state.rates.hit(rate, path, counted, crowd):
            raise Overloaded("请求过于频繁，请稍后再试。", retry_after_s=wait_s)


def _with_cookie(request: Request, send: Send) -> Send:
    """Set a caller's cookie with the answer of a route that asked who calls."""

    async def sent(message: Message) -> None:
        caller = getattr(request.state, "caller", None)
        wanted = message["type"] == "http.response.start" and getattr(request.state, "asked", False)
        if wanted and isinstance(caller, Caller) and caller.cookie:
            MutableHeaders(scope=message).append("set-cookie", cookie(request, caller.cookie))
        await send(message)

    return sent


def cookie(request: Request, value: str) -> str:
    secure = "; Secure" if scheme_of(request) == "https" else ""
    return f"{COOKIE}={value}; Path=/; Max-Age={COOKIE_S}; HttpOnly; SameSite=Lax{secure}"
