"""How often something may be done, counted by the `limits` library where the configuration says; how much at once."""

import asyncio
import logging
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

from limits import parse
from limits.errors import StorageError
from limits.storage import MemoryStorage, Storage, storage_from_string
from limits.strategies import MovingWindowRateLimiter

from contracts.errors import Overloaded, Unavailable
from contracts.settings import Settings

log = logging.getLogger("troupe.api")
CROWD = 10  # times a caller's room, for all at one address who show nothing


class Rate:
    """One limit, such as "10 per minute", for each combination of the names that it is asked about."""

    def __init__(self, limit: str, storage: Storage, times: int = 1) -> None:
        item = parse(limit)
        self._item = type(item)(item.amount * times, item.multiples)
        self._limiter = MovingWindowRateLimiter(storage)

    def hit(self, *names: str) -> bool:
        """Count one; False, and not counted, when there is no room. `Unavailable` when nothing can be counted."""
        try:
            return self._limiter.hit(self._item, *names)
        except StorageError:
            log.warning("calls cannot be counted", exc_info=True)
            raise Unavailable("计数服务暂不可用，请稍后再试。", retry_after_s=5) from None

    def clear(self, *names: str) -> None:
        """Forget what was counted."""
        self._limiter.clear(self._item, *names)

    def wait_s(self, *names: str) -> float:
        """Seconds until there is room again, at least one."""
        return max(1, math.ceil(self._limiter.get_window_stats(self._item, *names).reset_time - time.time()))


class Rates:
    """How often each caller may call: by the kind of call, and by the route where that has a limit of its own."""

    def __init__(self, settings: Settings) -> None:
        storage = cast(Storage, storage_from_string(settings.limits_url, wrap_exceptions=True))
        self._routes = list(settings.route_limits)
        self._in_memory = isinstance(storage, MemoryStorage)
        self.login = Rate(settings.login_limit, storage)
        kinds = {"generation": settings.generation_limit, "status": settings.status_limit}
        named = (kinds | settings.route_limits).items()
        self._limits = {name: Rate(limit, storage) for name, limit in named}
        self._crowds = {name: Rate(limit, storage, CROWD) for name, limit in named}

    async def hit(self, kind: str, path: str, caller: str, crowd: str = "") -> float:
        """Count a call; 0, or the seconds until there is room for it.

        `crowd`: the address of a caller whom anybody can be, by throwing the cookie away; together they have more room.
        """
        name = next((own for own in self._routes if path.endswith(own)), kind)  # at the root and under the prefix alike
        if self._in_memory:
            return self._hit(name, caller, crowd)
        try:
            return await asyncio.to_thread(self._hit, name, caller, crowd)
        except Unavailable:
            return 0  # better than to answer nobody

    def _hit(self, name: str, caller: str, crowd: str) -> float:
        limit, crowds = self._limits[name], self._crowds[name]
        if crowd and not crowds.hit("crowd", name, crowd):
            return crowds.wait_s("crowd", name, crowd)
        return 0 if limit.hit(name, caller) else limit.wait_s(name, caller)


class InFlight:
    """How many calls of this process wait for their result."""

    def __init__(self, most: int) -> None:
        self.most, self._count = most, 0

    @contextmanager
    def one(self) -> Iterator[None]:
        """`Overloaded` when there is no room. Enter and leave it on the event loop."""
        if self._count >= self.most:
            raise Overloaded("同时进行的请求过多，请稍后再试。", retry_after_s=2)
        self._count += 1
        try:
            yield
        finally:
            self._count -= 1
