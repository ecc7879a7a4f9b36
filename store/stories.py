"""Tasks of the story family. What a task has reached is read off its jobs; nothing is kept twice."""

from dataclasses import dataclass

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from contracts.errors import Conflict, NotFound
from store.database import Database, now_ms
from store.tables import Story

STORY, VIDEOGEN = "story", "videogen"
CLOSED = "closed"  # in place of a job's id: the task is being deleted


@dataclass(frozen=True)
class Stories:
    database: Database

    def create(self, user_id: int, workflow: str, topic: str, main_role: str, scene: str) -> int:
        story = Story(user_id=user_id, workflow=workflow, topic=topic, main_role=main_role, scene=scene)
        story.created_ms = now_ms()
        with self.database.session() as session:
            session.add(story)
        return story.id

    def get(self, task_id: int, user_id: int) -> Story:
        """Another user's task is not found."""
        with self.database.session() as session:
            story = session.get(Story, task_id) if 0 < task_id < 2**31 else None
        if story is None or story.user_id != user_id:
            raise NotFound("任务不存在。")
        return story

    def ids(self, user_id: int) -> list[int]:
        with self.database.session() as session:
            return list(session.scalars(select(Story.id).where(Story.user_id == user_id).order_by(Story.id)))

    def close(self, task_id: int) -> None:
        """No job can be claimed for it any more."""
        with self.database.session() as session:
            session.execute(update(Story).where(Story.id == task_id).values(job_id=CLOSED))

    def close_idle(self, task_id: int, job_id: str | None) -> bool:
        """The same, unless a job has been claimed since that was the newest."""
        with self.database.session() as session:
            return _change(session, task_id, job_id, CLOSED)

    def delete(self, task_id: int) -> None:
        with self.database.session() as session:
            session.execute(delete(Story).where(Story.id == task_id))


def claim(session: Session, story: Story, job_id: str) -> None:
    """Make the job the task's newest; of two at once, the second gets `Conflict`."""
    if story.job_id == CLOSED:
        raise NotFound("任务不存在。")
    if not _change(session, story.id, story.job_id, job_id):
        raise Conflict("任务正在执行。")


def _change(session: Session, task_id: int, seen: str | None, job_id: str) -> bool:
    """Set the task's newest job, if it is still the one seen."""
    unchanged = Story.job_id.is_(None) if seen is None else Story.job_id == seen
    change = update(Story).where(Story.id == task_id, unchanged).values(job_id=job_id)
    return session.execute(change).rowcount == 1  # type: ignore[attr-defined]


def subject_of(task_id: int) -> str:
    """What groups a task's jobs."""
    return f"story/{task_id}"
