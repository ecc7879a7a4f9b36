"""How often something may be done, counted by the `limits` library where the configuration says."""

import math
import time

from limits import parse
from limits.storage import storage_from_string
from limits.strategies import MovingWindowRateLimiter


class Rate:
    """One limit, such as "10 per minute", for each combination of the names that it is asked about."""

    def __init__(self, limit: str, storage_url: str) -> None:
        self._item = parse(limit)
        self._limiter = MovingWindowRateLimiter(storage_from_string(storage_url))

    def hit(self, *names: str) -> bool:
        """Count one; False, and not counted, when there is no room."""
        return self._limiter.hit(self._item, *names)

    def clear(self, *names: str) -> None:
        """Forget what was counted."""
        self._limiter.clear(self._item, *names)

    def wait_s(self, *names: str) -> float:
        """Seconds until there is room again, at least one."""
        return max(1, math.ceil(self._limiter.get_window_stats(self._item, *names).reset_time - time.time()))
