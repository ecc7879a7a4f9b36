"""What is kept, and for how long. Nothing goes while it is used; runs at once do together what one would do."""

import asyncio
import logging

from contracts.errors import ServiceError
from contracts.settings import Settings
from jobs import expiry
from jobs.holdings import Holding, look, older, oldest_over
from jobs.jobs import Jobs
from jobs.removal import remove_ended, remove_task
from store import disk
from store.artifacts import Artifacts
from store.database import now_ms
from store.disk import Removed
from store.stories import Stories

log = logging.getLogger("troupe.jobs")
HOUR_MS, DAY_MS = 3_600_000, 86_400_000
FIRST_S, EVERY_S = 300.0, 3_600.0  # when a worker looks


class Retention:
    """Blocking: call it in a thread."""

    def __init__(self, settings: Settings, jobs: Jobs, artifacts: Artifacts) -> None:
        self.settings, self.jobs, self.artifacts, self.database = settings, jobs, artifacts, jobs.records.database

    def collect(self, dry_run: bool = False, at_ms: int | None = None) -> list[Removed]:
        """Remove what has been kept long enough, as of a time. A dry run tells what would go.

        What goes with its subject is not told a second time.
        """
        now = now_ms() if at_ms is None else at_ms
        days, events_days = self.settings.keep_days, self.settings.events_days
        begun, aged, excess = self._chosen(now)
        gone = {each.subject for each in (*begun, *aged, *excess)}
        return [
            self._remove("work whose removal broke off", begun, dry_run),
            self._remove(f"work that ended {days} days ago" if days else "old work", aged, dry_run),
            self._remove("work beyond the size limit", excess, dry_run),
            expiry.scratch(self.database, self.artifacts, now - DAY_MS, gone, dry_run),
            expiry.uploads(self.database, self.artifacts, now - HOUR_MS, dry_run),
            expiry.half_written(self.settings, now - DAY_MS, dry_run),
            expiry.runs(self.database, self.settings, now - HOUR_MS, dry_run),
            expiry.events(self.database, now - events_days * DAY_MS if events_days else 0, gone, dry_run),
            expiry.tokens(self.database, now, dry_run),
            expiry.conversations(self.database, now - DAY_MS, dry_run),
            expiry.steps(self.jobs, now - DAY_MS, gone, dry_run),
        ]

    def _chosen(self, now: int) -> tuple[list[Holding], list[Holding], list[Holding]]:
        """Whose removal began before, who is too old, and who is too much with what is left."""
        holdings, total = look(self.database)
        begun = [each for each in holdings if each.removal_began]
        rest = [each for each in holdings if not each.removal_began]
        days, limit = self.settings.keep_days, self.settings.keep_gib * disk.GIB
        aged = older(rest, now - days * DAY_MS) if days else []
        left = older(rest, now - HOUR_MS)[len(aged) :]  # not what ended within the hour: it may be about to go on
        total -= sum(each.size_bytes for each in (*begun, *aged))
        return begun, aged, oldest_over(left, total, limit) if limit else []

    def _remove(self, what: str, holdings: list[Holding], dry_run: bool) -> Removed:
        removed = [each for each in holdings if dry_run or self._is_removed(each)]
        return Removed(what, len(removed), sum(each.size_bytes for each in removed))

    def _is_removed(self, holding: Holding) -> bool:
        """False when it has gone on since we looked, or cannot be removed for now."""
        task = holding.task
        try:
            if task is None:
                remove_ended(self.jobs, self.artifacts, holding.subject)
            elif holding.removal_began or Stories(self.database).close_idle(task.id, task.job_id):
                remove_task(self.jobs, self.artifacts, task.id)
            else:
                return False
        except ServiceError:
            log.warning("%s could not be removed", holding.subject, exc_info=True)
            return False
        return True


async def retain_forever(retention: Retention) -> None:
    """What `troupe gc` does for all machines, every hour."""
    pause_s = FIRST_S
    while True:
        await asyncio.sleep(pause_s)
        try:
            removed = await asyncio.to_thread(retention.collect)
            if counts := {each.what: each.count for each in removed if each.count}:
                log.info("removed %s", counts)
        except Exception:  # the outermost loop: a database or an object store that is away ends no worker
            log.warning("what was kept long enough could not be removed", exc_info=True)
        pause_s = EVERY_S
