"""What the task and videogen routes share: find a task, queue its next job."""

import re

from api.auth import Caller
from api.pictures import decoded, kind_of
from api.state import State
from api.story.models import NewVideo, Overrides, TaskId
from api.story.progress import Reached, reached
from contracts.errors import Conflict, NotFound
from contracts.jobs import Job
from contracts.tasks import SEGMENTS, VIDEOGEN, StoryTask, VideoTask, folder_of
from jobs.jobs import new_id
from store.names import key_of
from store.stories import Stories, claim, subject_of
from store.tables import Story


def create(state: State, caller: Caller, body: NewVideo, workflow: str) -> TaskId:
    stories = Stories(state.database)
    return TaskId(task_id=stories.create(caller.user_id, workflow, body.topic, body.main_role or "", body.scene or ""))


def look(state: State, caller: Caller, task_id: int) -> tuple[Story, Reached]:
    """The caller's task and how far it is."""
    story = Stories(state.database).get(task_id, caller.user_id)
    return story, reached(story, state.jobs.records.of_subject(subject_of(story.id)))


def queue_segment(state: State, caller: Caller, story: Story, so_far: Reached, segment: int) -> str:
    """The id of the job that executes the segment."""
    task = StoryTask(
        task_id=story.id,
        segment_id=segment,
        topic=story.topic,
        main_role=story.main_role,
        scene=story.scene,
        pages=state.settings.story_pages,
        done={job.kind: job.result for job in so_far.newest.values() if job.state == "completed"},
    )
    return _queue(state, caller, story, SEGMENTS[segment - 1], task)


def queue_video(state: State, caller: Caller, story: Story, body: Overrides, model: str) -> str:
    """The id of the job that makes the film. What is refused leaves nothing behind."""
    uri = body.prompt_image_data_uri
    given = decoded(uri, "prompt_image_data_uri") if uri else None
    picture = named(state, caller, body.prompt_image_path) if body.prompt_image_path and not given else ""
    uploads = f"{folder_of(story.id)}/.uploads/{new_id()}"
    if given:
        picture = f"{uploads}/picture.{given[1]}"
        state.artifacts.upload(picture, given[0], caller.owner)
    width, height = body.size
    task = VideoTask(
        task_id=story.id,
        model=model,
        prompt=body.prompt or " ".join(part for part in (story.topic, story.main_role, story.scene) if part),
        picture=picture,
        width=width,
        height=height,
        fps=body.fps,
        duration_s=body.duration,
    )
    try:
        return _queue(state, caller, story, VIDEOGEN, task)
    except Conflict:
        state.artifacts.delete(uploads)
        raise


def named(state: State, caller: Caller, path: str) -> str:
    """The key of a picture that a path of the caller's own tasks names."""
    key = key_of(path, "prompt_image_path")
    check_own(state, caller, key)
    kind_of(state.artifacts.read(state.artifacts.find(key).key), "prompt_image_path")
    return key


def check_own(state: State, caller: Caller, key: str) -> None:
    """Refuse a file outside the caller's own tasks, as if it did not exist."""
    match = re.fullmatch(r"generated_stories/(\d{1,9})/.+", key)
    if not match:
        raise NotFound("文件不存在。")
    Stories(state.database).get(int(match[1]), caller.user_id)


def _queue(state: State, caller: Caller, story: Story, kind: str, task: StoryTask | VideoTask) -> str:
    job = Job(id=new_id(), kind=kind, owner=caller.owner, params=task.model_dump())
    state.jobs.submit(job, subject_of(story.id), lambda session: claim(session, story, job.id))
    return job.id
