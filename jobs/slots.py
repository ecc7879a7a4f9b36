"""Who a worker is: a slot leased in the database. Whoever takes a freed slot goes on with its work."""

import asyncio
import logging
import time
import uuid
from collections.abc import Callable

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from store.database import Database, now_ms
from store.tables import Slot

log = logging.getLogger("troupe.jobs")
LEASE_MS = 5_000
BEAT_S = 1.0


class Lease:
    """One of the slots `worker-0` … `worker-<slots - 1>`."""

    def __init__(self, database: Database, slots: int) -> None:
        self.database, self.holder = database, uuid.uuid4().hex
        self.names = [f"worker-{number}" for number in range(slots)]
        self.name = ""

    async def take(self) -> str:
        """Wait for a free slot and hold it; its name."""
        while not self.name:
            self.name = await asyncio.to_thread(self._take_any)
            if not self.name:
                await asyncio.sleep(BEAT_S / 2)
        return self.name

    async def keep(self, lost: Callable[[], None]) -> None:
        """Renew for ever; call `lost` when somebody else has the slot, or may have it."""
        held_until = time.monotonic() + LEASE_MS / 1000
        while time.monotonic() < held_until:
            asked = time.monotonic()
            try:
                if not await asyncio.to_thread(self._renew):
                    break
                held_until = asked + LEASE_MS / 1000
            except SQLAlchemyError:
                log.warning("the slot could not be renewed", exc_info=True)  # the database may be back in time
            await asyncio.sleep(BEAT_S)
        lost()

    def give_back(self) -> None:
        """Somebody else may have the slot at once; who still keeps it has lost it."""
        with self.database.session() as session:
            session.execute(update(Slot).where(Slot.holder == self.holder).values(holder="", expires_ms=0))

    def _take_any(self) -> str:
        return next((name for name in self.names if self._take(name)), "")

    def _take(self, name: str) -> bool:
        held = {"holder": self.holder, "expires_ms": now_ms() + LEASE_MS}
        try:
            with self.database.session() as session:
                if session.get(Slot, name) is None:
                    session.add(Slot(name=name, **held))
                    return True
                free = update(Slot).where(Slot.name == name, Slot.expires_ms < now_ms())
                return session.execute(free.values(**held)).rowcount == 1  # type: ignore[attr-defined]
        except IntegrityError:
            return False  # another worker was faster

    def _renew(self) -> bool:
        mine = update(Slot).where(Slot.name == self.name, Slot.holder == self.holder)
        with self.database.session() as session:
            renewed = session.execute(mine.values(expires_ms=now_ms() + LEASE_MS))
            return renewed.rowcount == 1  # type: ignore[attr-defined]
