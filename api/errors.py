"""Failures on their way out: every one becomes a `ServiceError`, and its route's family words it."""

import logging
from collections.abc import Mapping

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException

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
        family, code = family_of(app, request), CODES.get(error.status_code, "internal")
        kind = error_of(code, MESSAGES.get(error.status_code, str(error.detail)))
        status = family.status.get(code, error.status_code)
        return JSONResponse(family.envelope(kind), status, dict(error.headers or {}))

    @app.exception_handler(OSError)
    @app.exception_handler(SQLAlchemyError)
    @app.exception_handler(Exception)
    async def refuse_fault(request: Request, error: Exception) -> JSONResponse:
        if known := faults.of(error):
            log.warning("what keeps files and tables has failed: %s", error, extra={"path": request.url.path})
            return await refuse(request, known)
        log.error("unexpected failure", exc_info=error, extra={"path": request.url.path})
        return await refuse(request, ServiceError("服务器内部错误"))


def refusal(app: FastAPI, request: Request, error: ServiceError) -> JSONResponse:
    """A failure in the words of the family whose route it is."""
    family = family_of(app, request)
    headers = {"Retry-After": f"{error.retry_after_s:.0f}"} if error.retry_after_s else {}
    if error.code == "unauthenticated":
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse(family.envelope(error), family.status[error.code], headers)


def family_of(app: FastAPI, request: Request) -> Family:
    route, families = route_of(app, request.scope), app.state.families
    return next((families[tag] for tag in getattr(route, "tags", ()) if tag in families), OWNERLESS)
