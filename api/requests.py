"""The log of requests: what changes something, and what fails. Never a query string: tokens travel there.

Successful reads are left out: clients poll, and a line each cost a sixth of the ingress. Serve adds the request's id to
every line that is logged while it is answered, and to the answer as `X-Request-ID`.
"""

import logging
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger("troupe.requests")
READS = frozenset({"GET", "HEAD", "OPTIONS"})


class RequestLog:
    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        started, method = time.monotonic(), scope["method"]

        async def answer(message: Message) -> None:
            await send(message)
            if message["type"] == "http.response.start" and (message["status"] >= 400 or method not in READS):
                line = {"method": method, "path": scope["path"], "status": message["status"]}
                log.info("request", extra=line | {"duration_ms": round((time.monotonic() - started) * 1000, 1)})

        await self.app(scope, receive, answer)
