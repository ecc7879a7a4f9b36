"""Who a worker is: a name of its own, leased in the database. The work of names whose lease ran out is taken over.

A lease's row is also the fence: what is written for a job names the lease under which it was made, and is refused once
the row is gone (`store.artifacts`, `jobs.records`).
"""

import asyncio
import logging
import time
import uuid
from collections.abc import Callable

from sqlalchemy import delete, select, update
from sqlalchemy.exc import SQLAlchemyError

from store.database import Database, now_ms
from store.tables import LeaseRow

log = logging.getLogger("troupe.jobs")
LEASE_MS = 5_000
BEAT_S = 1.0


class Lease:
    """`holder` is never used again: a process that was given up cannot be mistaken for another."""

    def __init__(self, database: Database) -> None:
        self.database, self.holder = database, uuid.uuid4().hex
        self._sure_until_s = 0.0  # by this process's clock, which also runs while the process stands still

    def take(self) -> None:
        with self.database.session() as session:
            session.add(LeaseRow(holder=self.holder, expires_ms=now_ms() + LEASE_MS))

    async def keep(self, lost: Callable[[], None]) -> None:
        """Renew for ever; call `lost` when somebody has taken over."""
        next_s = time.monotonic()
        while await self._is_renewed():
            next_s += BEAT_S  # not from now: what a lock has held up is out of date and follows at once
            await asyncio.sleep(max(0.0, next_s - time.monotonic()))
        lost()

    async def is_held(self) -> bool:
        """Whether nobody has taken over; asks the database when this process may have slept."""
        return time.monotonic() < self._sure_until_s or await self._is_renewed()

    def give_back(self) -> None:
        """Others may take over at once."""
        with self.database.session() as session:
            session.execute(delete(LeaseRow).where(LeaseRow.holder == self.holder))

    def living(self) -> set[str]:
        """Every holder; those whose time ran out are removed, and with them their right to write anything."""
        gone = LeaseRow.expires_ms < now_ms(), LeaseRow.holder != self.holder
        with self.database.session() as session:
            if session.scalar(select(LeaseRow.holder).where(*gone).limit(1)):
                session.execute(delete(LeaseRow).where(*gone))
            return {self.holder, *session.scalars(select(LeaseRow.holder))}

    async def _is_renewed(self) -> bool:
        """While the database is away nobody takes over, and nothing can be written."""
        try:
            return await asyncio.to_thread(self._renew)
        except SQLAlchemyError:
            log.warning("the lease could not be renewed", exc_info=True)
            return True

    def _renew(self) -> bool:
        """Late is good enough, as long as nobody else has seen it."""
        asked_s = time.monotonic()
        mine = update(LeaseRow).where(LeaseRow.holder == self.holder)
        with self.database.session() as session:
            renewed = session.execute(mine.values(expires_ms=now_ms() + LEASE_MS))
        held = renewed.rowcount == 1  # type: ignore[attr-defined]
        self._sure_until_s = asked_s + LEASE_MS / 1000 if held else 0.0
        return held
