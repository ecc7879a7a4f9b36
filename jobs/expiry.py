"""What outlives its use: scratch, uploads, runs, events, refresh tokens, conversations, the engine's records.

`gone` are the subjects that go as a whole: what is theirs is not counted again.
"""

import logging
from collections import Counter
from collections.abc import Collection, Mapping

from sqlalchemy import delete, func, select

from contracts.errors import ServiceError
from contracts.settings import Settings
from jobs.jobs import Jobs
from jobs.records import ALIVE
from store import disk
from store.artifacts import Artifacts
from store.database import Database
from store.disk import Removed
from store.runs import RAY_TRAIN, Run, run_ids
from store.tables import ArtifactRow, ConversationRow, EventRow, JobRow, RefreshToken, VoiceRow

log = logging.getLogger("troupe.jobs")
BATCH = 500
WORK = "/.work/"  # contracts.tasks.scratch_of
UPLOADS = "uploads/"  # api.uploads.folder_of


def scratch(database: Database, artifacts: Artifacts, before_ms: int, gone: Collection[str], dry_run: bool) -> Removed:
    """What jobs that did not complete had made for themselves."""
    columns = ArtifactRow.key, ArtifactRow.size_bytes, JobRow.id, JobRow.subject
    files = select(*columns).join(JobRow, JobRow.id == ArtifactRow.job_id).where(ArtifactRow.key.contains(WORK))
    failed = JobRow.state.in_(("failed", "cancelled")), JobRow.finished_ms < before_ms
    folders: Counter[str] = Counter()
    with database.session() as session:
        for key, size_bytes, job_id, subject in session.execute(files.where(*failed)):
            before, work, _ = key.partition(f"{WORK}{job_id}/")
            if work and subject not in gone:
                folders[f"{before}{WORK}{job_id}"] += size_bytes
    removed = [size for folder, size in folders.items() if dry_run or _is_removed(artifacts, folder)]
    return Removed("scratch of failed jobs", len(removed), sum(removed))


def uploads(database: Database, artifacts: Artifacts, before_ms: int, dry_run: bool) -> Removed:
    """What was given for one job, when no job that has yet to end names it, and no voice. The rest lies elsewhere."""
    given = ArtifactRow.key.startswith(UPLOADS, autoescape=True), ArtifactRow.created_ms < before_ms
    with database.session() as session:
        files = session.execute(select(ArtifactRow.key, ArtifactRow.size_bytes).where(*given)).all()
        used = str(session.scalars(select(JobRow.params).where(JobRow.finished_ms.is_(None))).all())
        used += str(session.scalars(select(VoiceRow.sample)).all())  # after the jobs: one that ends has kept its voice
    removed = [size for key, size in files if key not in used and (dry_run or _is_removed(artifacts, key))]
    return Removed("uploads that no job needs", len(removed), sum(removed))


def _is_removed(artifacts: Artifacts, key: str) -> bool:
    """False when it cannot be removed for now."""
    try:
        artifacts.delete(key)
    except ServiceError:
        log.warning("%s could not be removed", key, exc_info=True)
        return False
    return True


def half_written(settings: Settings, before_ms: int, dry_run: bool) -> Removed:
    """What was on its way into the store when its process was killed."""
    folder = disk.folder_of_files(settings)
    entries = folder.joinpath(".scratch").glob("*") if folder else ()
    old = [each for each in entries if disk.touched_ms(each) < before_ms]
    return disk.remove("half-written files", old, dry_run)


def runs(database: Database, settings: Settings, before_ms: int, dry_run: bool) -> Removed:
    """What trainings that have ended, or were removed, had kept to go on from; here, also what Ray Train noted down."""
    notes = {path: path.name.partition("-")[0] for path in (settings.var / RAY_TRAIN).glob("*")}
    left = set(run_ids(settings))
    named = JobRow.id.in_({*left, *notes.values()})
    with database.session() as session:
        jobs = session.execute(select(JobRow.id, JobRow.finished_ms).where(named)).all()
    kept = {job_id for job_id, finished_ms in jobs if finished_ms is None or finished_ms >= before_ms}
    over = [job_id for job_id in left - kept if dry_run or _is_cleared(settings, job_id)]
    disk.remove("", [path for path, job_id in notes.items() if job_id not in kept], dry_run)
    return Removed("runs of ended trainings", len(over))


def _is_cleared(settings: Settings, job_id: str) -> bool:
    """False when it cannot be for now."""
    try:
        Run(settings, job_id).clear()
    except ServiceError:
        log.warning("the run %s could not be removed", job_id, exc_info=True)
        return False
    return True


def events(database: Database, before_ms: int, gone: Collection[str], dry_run: bool) -> Removed:
    """Of jobs that have ended."""
    old = EventRow.created_ms < before_ms, JobRow.finished_ms.is_not(None)
    subjects = select(JobRow.subject, func.count()).select_from(EventRow).join(JobRow).where(*old)
    with database.session() as session:
        counts = {subject: number for subject, number in session.execute(subjects.group_by(JobRow.subject))}  # noqa: C416
    batch = select(EventRow.id).join(JobRow).where(*old).limit(BATCH)
    while counts and not dry_run:
        with database.turn("gc") as session:  # two at once could wait for each other's rows for ever
            event_ids = session.scalars(batch).all()
            session.execute(delete(EventRow).where(EventRow.id.in_(event_ids)))
        if not event_ids:
            break
    return Removed("events", sum(count for subject, count in counts.items() if subject not in gone))


def tokens(database: Database, now: int, dry_run: bool) -> Removed:
    """Refresh tokens that have expired; until then, one that was spent tells of a theft."""
    expired = RefreshToken.expires_ms < now
    with database.session() as session:
        count = session.scalar(select(func.count()).select_from(RefreshToken).where(expired)) or 0
        if count and not dry_run:
            session.execute(delete(RefreshToken).where(expired))
    return Removed("expired refresh tokens", count)


def conversations(database: Database, before_ms: int, dry_run: bool) -> Removed:
    """In which nothing was said since."""
    silent = ConversationRow.spoken_ms < before_ms
    with database.session() as session:
        count = session.scalar(select(func.count()).select_from(ConversationRow).where(silent)) or 0
        if count and not dry_run:
            session.execute(delete(ConversationRow).where(silent))
    return Removed("conversations that fell silent", count)


def steps(jobs: Jobs, before_ms: int, gone: Collection[str], dry_run: bool) -> Removed:
    """What the engine has written down of jobs that ended; how they did is in their rows."""
    count = kept = 0
    while found := jobs.ended(before_ms, BATCH, kept):
        rows = _rows(jobs.records.database, found)
        over = [job_id for job_id in found if rows.get(job_id, ("", ""))[0] not in ALIVE]  # the sweep ends those
        if not dry_run:
            for job_id in over:
                jobs.records.let_go(job_id)  # of a cancelled one, in case that its worker never did
            jobs.forget_steps(over)
        kept += len(found) if dry_run else len(found) - len(over)
        count += sum(rows.get(job_id, ("", ""))[1] not in gone for job_id in over)
    return Removed("engine's records of jobs", count)


def _rows(database: Database, job_ids: Collection[str]) -> Mapping[str, tuple[str, str]]:
    """State and subject, of those that still have a row."""
    with database.session() as session:
        rows = session.execute(select(JobRow.id, JobRow.state, JobRow.subject).where(JobRow.id.in_(job_ids)))
        return {job_id: (state, subject) for job_id, state, subject in rows}
