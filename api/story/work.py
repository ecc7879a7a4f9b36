"""What the task and videogen routes share: find a task, queue its next job."""

import re
from dataclasses import dataclass

from sqlalchemy.exc import SQLAlchemyError

from api.callers import User
from api.pictures import decoded, kind_of
from api.state import State
from api.story.models import NewVideo, Overrides, TaskId
from api.story.progress import Reached, reached
from contracts.errors import NotFound, ServiceError
from contracts.jobs import Job
from contracts.tasks import SEGMENTS, VIDEOGEN, StoryTask, VideoTask, uploads_of
from jobs.jobs import new_id
from store.names import key_of
from store.stories import Stories, claim, subject_of
from store.tables import Story


def create(state: State, caller: User, body: NewVideo, workflow: str) -> TaskId:
    stories = Stories(state.database)
    return TaskId(task_id=stories.create(caller.user_id, workflow, body.topic, body.main_role or "", body.scene or ""))


@dataclass(frozen=True)
class Task:
    """A caller's task, and how far it was when it was looked at."""

    state: State
    caller: User
    story: Story
    so_far: Reached

    def queue_segment(self, segment: int, callback_url: str) -> str:
        """The id of the job that executes the segment."""
        story = self.story
        params = StoryTask(
            task_id=story.id,
            segment_id=segment,
            topic=story.topic,
            main_role=story.main_role,
            scene=story.scene,
            pages=self.state.settings.story_pages,
            done={job.kind: job.result for number, job in self.so_far.newest.items() if number < segment},
            forgets=self.so_far.outdated_by(segment),
            keeps=self.so_far.made_before(segment),
        )
        return self._queue(new_id(), SEGMENTS[segment - 1], params, callback_url)

    def queue_video(self, body: Overrides, model: str, callback_url: str) -> str:
        """The id of the job that makes the film. What is refused leaves nothing behind."""
        story, job_id, uri = self.story, new_id(), body.prompt_image_data_uri
        given = decoded(uri, "prompt_image_data_uri") if uri else None
        picture = self._named(body.prompt_image_path) if body.prompt_image_path and not given else ""
        uploads = uploads_of(story.id, job_id)
        if given:
            picture = f"{uploads}/picture.{given[1]}"
            self.state.artifacts.upload(picture, given[0], self.caller.owner)
        width, height = body.size
        params = VideoTask(
            task_id=story.id,
            model=model,
            prompt=body.prompt or " ".join(part for part in (story.topic, story.main_role, story.scene) if part),
            picture=picture,
            width=width,
            height=height,
            fps=body.fps,
            duration_s=body.duration,
            forgets=self.so_far.outdated_by(1),
        )
        try:
            return self._queue(job_id, VIDEOGEN, params, callback_url)
        except (ServiceError, SQLAlchemyError):
            self.state.artifacts.delete(uploads)
            raise

    def _named(self, path: str) -> str:
        """The key of a picture that a path of the caller's own tasks names."""
        key = key_of(path, "prompt_image_path")
        check_own(self.state, self.caller, key)
        kind_of(self.state.artifacts.read(self.state.artifacts.find(key).key), "prompt_image_path")
        return key

    def _queue(self, job_id: str, kind: str, params: StoryTask | VideoTask, callback_url: str) -> str:
        job = Job(id=job_id, kind=kind, owner=self.caller.owner, params=params.model_dump())
        self.state.jobs.submit(
            job, subject_of(self.story.id), lambda session: claim(session, self.story, job_id), callback_url
        )
        return job_id


def look(state: State, caller: User, task_id: int) -> Task:
    """The caller's task. Another's is not found."""
    story = Stories(state.database).get(task_id, caller.user_id)
    return Task(state, caller, story, reached(story, state.jobs.records.of_subject(subject_of(story.id))))


def check_own(state: State, caller: User, key: str) -> None:
    """Refuse a file outside the caller's own tasks, as if it did not exist."""
    match = re.fullmatch(r"generated_stories/(\d{1,9})/.+", key)
    if not match:
        raise NotFound("文件不存在。")
    Stories(state.database).get(int(match[1]), caller.user_id)
