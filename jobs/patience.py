"""Waiting for a database that is locked, full or away, as DBOS does for its own: without it nothing can go on."""

import asyncio
import logging
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.exc import SQLAlchemyError

from store import faults

log = logging.getLogger("troupe.jobs")
FIRST_S, LONGEST_S = 0.2, 5.0
T = TypeVar("T")


async def patiently(call: Callable[..., T], *args: object) -> T:
    """The call's result, made in a thread, as often as it takes; it must be one that may be made twice."""
    pause_s = FIRST_S
    while True:
        try:
            return await asyncio.to_thread(call, *args)
        except SQLAlchemyError as error:
            if faults.of(error) is None:
                raise
            log.warning("the database does not take it, again in %.1f s: %s", pause_s, error)
        await asyncio.sleep(pause_s)
        pause_s = min(2 * pause_s, LONGEST_S)
