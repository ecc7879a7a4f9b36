"""Failures on their way out: every one becomes a `ServiceError`, and its route's family words it."""

import logging
from collections.abc import Mapping

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.chinese import message_of
from api.family import STATUS, Family, detail, route_of
from contracts.errors import InvalidInput, ServiceError, error_of
from store import faults

log = logging.getLogger("troupe.api")
CODES = {status: code for code, status in STATUS.items() if code not in ("cancelled", "engine_failed")} | {
    400: "invalid_input"
}
MESSAGES = {
    400: "请求体无效",
    401: "登录已失效，请重新登录。",
    408: "请求超时",
    404: "路径不存在",
    405: "不支持该请求方法",
    413: "请求体过大",
}
OWNERLESS = Family("nobody", (), (), detail, STATUS)


def install(app: FastAPI, families: Mapping[str, Family]) -> None:
    """Answer every failure in the words of the family whose route it is."""
    app.state.families = families

    @app.exception_handler(ServiceError)
    async def refuse(request: Request, error: ServiceError) -> JSONResponse:
        return refusal(app, request, error)

    @app.exception_handler(RequestValidationError)
    async def refuse_shape(request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        path = ".".join(str(part) for part in first["loc"][1:]) if first["type"] != "json_invalid" else ""
        return await refuse(request, InvalidInput(message_of(first), param=path or None))

    @app.exception_handler(HTTPException)
    async def refuse_http(request: Request, error: HTTPException) -> JSONResponse:
        usual = "invalid_input" if 400 <= error.status_code < 500 else "internal"
        family, code = family_of(app, request), CODES.get(error.status_code, usual)
        kind = error_of(code, MESSAGES.get(error.status_code, str(error.detail)))
        status = family.status[code] if error.status_code in CODES else error.status_code
        return JSONResponse(family.envelope(kind), status, dict(error.headers or {}))


class Faults:
    """Answers what nothing else has: inside of what adds headers to answers and logs them, unlike Starlette's own."""

    def __init__(self, app: ASGIApp, root: FastAPI) -> None:
        self.app, self.root = app, root

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def noted(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self.app(scope, receive, noted)
        except Exception as error:  # the outermost loop of a request
            if begun or scope["type"] != "http":
                raise
            await self._answer(Request(scope), error)(scope, receive, send)

    def _answer(self, request: Request, error: Exception) -> JSONResponse:
        if known := faults.of(error):
            log.warning("what keeps files and tables has failed: %s", error, extra={"path": request.url.path})
            return refusal(self.root, request, known)
        log.error("unexpected failure", exc_info=error, extra={"path": request.url.path})
        return refusal(self.root, request, ServiceError("服务器内部错误"))


def refusal(app: FastAPI, request: Request, error: ServiceError) -> JSONResponse:
    """A failure in the words of the family whose route it is."""
    family = family_of(app, request)
    headers = {"Retry-After": f"{error.retry_after_s:.0f}"} if error.retry_after_s else {}
    if error.code == "unauthenticated":
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse(family.envelope(error), family.status[error.code], headers)


def family_of(app: FastAPI, request: Request) -> Family:
    route, families = route_of(app, request.scope), app.state.families
    if route is None:
        path = request.url.path
        return next((each for each in families.values() if each.claims and path.startswith(each.claims)), OWNERLESS)
    return next((families[tag] for tag in getattr(route, "tags", ()) if tag in families), OWNERLESS)
