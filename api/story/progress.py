"""How far a task is: the newest job of each of its segments, as long as no earlier segment was executed after it."""

from collections.abc import Sequence
from dataclasses import dataclass

from api.story.models import Progress
from contracts.errors import Conflict, NotFound
from contracts.jobs import JobState, JobView
from contracts.tasks import SEGMENTS
from store.stories import VIDEOGEN
from store.tables import Story

WORDS: dict[JobState, str] = {
    "queued": "running",
    "running": "running",
    "completed": "completed",
    "failed": "failed",
    "cancelled": "failed",
}


@dataclass(frozen=True)
class Reached:
    segments: int
    newest: dict[int, JobView]  # by segment
    jobs: Sequence[JobView]  # all there ever were, oldest first

    @property
    def completed(self) -> int:
        """The last segment that is done: the next to execute is the one after it."""
        done = [number for number, job in self.newest.items() if job.state == "completed"]
        return max(done, default=0)

    def progress(self) -> Progress:
        status = WORDS[self.jobs[-1].state] if self.jobs else "pending"
        return Progress.model_validate({"current_segment": self.completed, "status": status})

    def check_next(self, segment: int, redo: bool = False) -> None:
        """Refuse a segment that may not be executed now. `redo`: what is done may be executed again."""
        self.check_known(segment)
        if self.progress().status == "running":
            raise Conflict("任务正在执行。")
        if redo and segment <= self.completed:
            return
        if self.completed == self.segments:
            raise Conflict("任务已全部完成。")
        if segment != self.completed + 1:
            raise Conflict(f"请按顺序执行，下一段是 {self.completed + 1}。")

    def check_known(self, segment: int) -> None:
        if not 1 <= segment <= self.segments:
            raise NotFound("没有这个段。", param="segmentId")

    def outdated_by(self, segment: int) -> list[str]:
        """The jobs, by id, that executed it or a later segment."""
        return [job.id for job in self.jobs if segment_of(job) >= segment]

    def made_before(self, segment: int) -> list[str]:
        """The keys of what the segments before it gave."""
        earlier = (job.result for number, job in self.newest.items() if number < segment)
        return [key for result in earlier for key in result.get("resources", [])]

    def result_of(self, segment: int) -> JobView:
        """The job that finished the segment."""
        self.check_known(segment)
        job = self.newest.get(segment)
        if job is None or job.state != "completed":
            raise Conflict("该段尚未完成。", param="segmentId")
        return job


def reached(story: Story, jobs: Sequence[JobView]) -> Reached:
    """`jobs`: the task's, oldest first."""
    newest: dict[int, JobView] = {}
    for job in jobs:
        segment = segment_of(job)
        newest = {number: earlier for number, earlier in newest.items() if number < segment} | {segment: job}
    segments = 1 if story.workflow == VIDEOGEN else len(SEGMENTS)
    return Reached(segments, newest, jobs)


def segment_of(job: JobView) -> int:
    return int(job.params["segment_id"])
