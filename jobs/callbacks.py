"""Callbacks: a job's end is told to its owner's URL, again and again until it is heard: at least once."""

import asyncio
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property

import httpx
from sqlalchemy import Row, case, func, select, update
from sqlalchemy.exc import SQLAlchemyError

from contracts.errors import ServiceError
from contracts.jobs import CallbackState, JobAnswer
from contracts.settings import Settings
from jobs.addresses import Reachable, checked
from jobs.records import VIEWED, view
from jobs.webhooks import message, secret_of
from store.database import Database, now_ms
from store.secrets import signing_key
from store.tables import CallbackRow, JobRow

log = logging.getLogger("troupe.jobs")
POLL_S = 1.0
AT_ONCE, AT_ONCE_EACH = 16, 4  # of all owners, of one
TIMEOUT_S = 10.0  # of a try, with everything that belongs to it
HELD_S = 30.0  # for so long a try is its worker's alone: longer than it takes, so that a crash alone makes another
PAUSES_S = (5, 30, 120, 600, 3_600, 10_800, 21_600)  # between tries
GONE = 410


class Callbacks:
    def __init__(self, settings: Settings, database: Database) -> None:
        self.settings, self.database = settings, database
        self.reachable = Reachable(settings.callback_hosts)

    @cached_property
    def _key(self) -> str:
        return signing_key(self.settings)

    async def deliver_forever(self) -> None:
        """The database may be away for a while."""
        # connections are told apart by their addresses: one that was made to a host is never kept for another
        alone = httpx.Limits(max_keepalive_connections=0)
        under_way: dict[asyncio.Task[None], str] = {}  # and whose
        async with httpx.AsyncHTTPTransport(limits=alone) as transport, asyncio.TaskGroup() as group:
            while True:
                try:
                    for due, owner in await asyncio.to_thread(self._due, Counter(under_way.values())):
                        under_way[task := group.create_task(self._deliver(transport, due))] = owner
                        task.add_done_callback(under_way.pop)
                except SQLAlchemyError:
                    log.warning("the callbacks could not be looked up", exc_info=True)
                await asyncio.sleep(POLL_S)

    def _due(self, under_way: Mapping[str, int]) -> Sequence[Row[CallbackRow, str]]:
        """What is to be tried, and whose it is; `under_way` counts by owner what is being tried.

        First tries first: what does not answer holds up nobody new, and another owner not at all.
        """
        order = CallbackRow.attempts, CallbackRow.next_ms
        turn = func.row_number().over(partition_by=JobRow.owner, order_by=order).label("turn")
        ended = select(CallbackRow.job_id, JobRow.owner, turn).join(JobRow)
        waits = ended.where(JobRow.finished_ms.is_not(None), CallbackRow.next_ms <= now_ms()).subquery()
        others = case(under_way, value=waits.c.owner, else_=0) if under_way else 0
        due = select(CallbackRow, waits.c.owner).join(waits, waits.c.job_id == CallbackRow.job_id)
        due = due.where(waits.c.turn + others <= AT_ONCE_EACH).order_by(*order)
        with self.database.session() as session:
            return session.execute(due.limit(AT_ONCE - sum(under_way.values()))).all()

    async def _deliver(self, transport: httpx.AsyncHTTPTransport, due: CallbackRow) -> None:
        try:
            if job := await asyncio.to_thread(self._claim, due):
                state = await self._tell(transport, job, due)
                await asyncio.to_thread(self._note, due, state)
        except SQLAlchemyError:
            log.warning("a callback could not be noted", exc_info=True, extra={"job": due.job_id})

    def _claim(self, due: CallbackRow) -> JobRow | None:
        """The job, for this worker to tell of; None when another worker does, or nobody need to any more."""
        as_seen = update(CallbackRow).where(
            CallbackRow.job_id == due.job_id, CallbackRow.attempts == due.attempts, CallbackRow.next_ms == due.next_ms
        )
        taken = {"attempts": due.attempts + 1, "next_ms": now_ms() + int(HELD_S * 1000)}
        with self.database.session() as session:
            if session.execute(as_seen.values(**taken)).rowcount != 1:  # type: ignore[attr-defined]
                return None
            return session.scalar(VIEWED.where(JobRow.id == due.job_id))

    async def _tell(self, transport: httpx.AsyncHTTPTransport, job: JobRow, due: CallbackRow) -> CallbackState:
        """Try once; what the callback is then."""
        try:
            async with asyncio.timeout(TIMEOUT_S):
                status = await self._post(transport, job, due)
        except ServiceError as refused:
            log.warning("callback refused", extra={"job": job.id, "reason": refused.message})
            return "given_up"
        except Exception as error:  # the outermost loop of a try: what a URL and its server provoke ends this one only
            log.info("callback not delivered", extra={"job": job.id, "reason": type(error).__name__})
            return "waiting"
        log.info("callback answered", extra={"job": job.id, "status": status})
        if httpx.codes.is_success(status):
            return "delivered"
        return "given_up" if status == GONE else "waiting"

    async def _post(self, transport: httpx.AsyncHTTPTransport, job: JobRow, due: CallbackRow) -> int:
        """The status of the answer, whose body is not read. A bare transport knows no proxies, cookies, redirects."""
        url = checked(due.url)
        host = url.raw_host.decode()
        addresses = await self.reachable.addresses(host)
        address = addresses[due.attempts % len(addresses)]  # of several, each try takes the next
        secret = secret_of(self._key, job.owner)
        body, headers = message(JobAnswer.of(view(job)), job.finished_ms or 0, secret)
        # to the very address that was looked at: the name could lead elsewhere by now
        place, headers["host"] = url.copy_with(host=address), url.netloc.decode()
        request = httpx.Request("POST", place, content=body, headers=headers, extensions={"sni_hostname": host})
        answer = await transport.handle_async_request(request)
        await answer.aclose()
        return answer.status_code

    def _note(self, due: CallbackRow, state: CallbackState) -> None:
        """Write down how a try went, unless somebody else has made another meanwhile."""
        now, mine = now_ms(), (CallbackRow.job_id == due.job_id, CallbackRow.attempts == due.attempts + 1)
        changes: dict[str, object] = {"state": "given_up", "next_ms": None, "ended_ms": now}
        if state != "waiting":
            changes["state"] = state
        elif due.attempts < len(PAUSES_S):
            changes = {"next_ms": now + int(PAUSES_S[due.attempts] * 1000)}
        with self.database.session() as session:
            session.execute(update(CallbackRow).where(*mine).values(**changes))
