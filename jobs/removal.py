"""Removing what jobs made, with the jobs: the only way it goes, whoever asks for it."""

from sqlalchemy import delete, select

from contracts.platform import TEACHING
from contracts.tasks import folder_of
from jobs.jobs import Jobs
from store.artifacts import Artifacts
from store.stories import Stories, subject_of
from store.tables import JobRow

BATCH = 500


def remove_task(jobs: Jobs, artifacts: Artifacts, task_id: int) -> None:
    """A task of the story family, whole; what still runs of it is cancelled. A removal that broke off goes on."""
    stories = Stories(jobs.records.database)
    stories.close(task_id)  # from here on nothing is executed
    jobs.forget(subject_of(task_id))
    artifacts.delete(folder_of(task_id))
    stories.delete(task_id)


def remove_ended(jobs: Jobs, artifacts: Artifacts, subject: str) -> None:
    """The jobs of another subject, as far as they have ended, and the files that are still as they made them."""
    database = jobs.records.database
    ended = select(JobRow).where(JobRow.subject == subject, JobRow.finished_ms.is_not(None)).limit(BATCH)
    while True:
        with database.session() as session:
            jobs_ended = session.scalars(ended).all()
        if not jobs_ended:
            return
        job_ids = [job.id for job in jobs_ended]
        artifacts.delete_made(job_ids)
        for job in jobs_ended:
            if job.kind in TEACHING:  # what one that was stopped had learnt
                artifacts.delete(f"{job.params['output']}/{job.id}")
        jobs.forget_steps(job_ids)
        with database.session() as session:
            session.execute(delete(JobRow).where(JobRow.id.in_(job_ids)))
