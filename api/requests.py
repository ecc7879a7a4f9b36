"""One log line a request, with an id that the answer carries too. Never a query string: tokens travel there."""

import logging
import time
import uuid

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger("troupe.requests")


class RequestLog:
    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        started, request_id, status = time.monotonic(), uuid.uuid4().hex[:16], 0

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-Id"] = request_id
            await send(message)

        try:
            await self.app(scope, receive, answer)
        finally:
            line = {"request": request_id, "method": scope["method"], "path": scope["path"], "status": status}
            log.info("request", extra=line | {"duration_ms": round((time.monotonic() - started) * 1000, 1)})
