"""Tasks: create, list, execute a segment, look, delete."""

from fastapi import APIRouter, Response

from api.auth import SignedIn
from api.callbacks import CallbackUrl
from api.state import Here
from api.story.models import Accepted, Deleted, NewTask, Overrides, Progress, Segment, TaskId, TaskIds
from api.story.videogen import start
from api.story.work import create, look
from jobs.removal import remove_task
from store.stories import STORY, VIDEOGEN, Stories

router = APIRouter(prefix="/api/task")
NAMES = ("Story", "Image", "Split", "Speech", "Video")


@router.get("/workflow")
def workflow() -> list[Segment]:
    return [Segment(id=number, name=name) for number, name in enumerate(NAMES, 1)]


@router.post("/new")
def new(body: NewTask, state: Here, caller: SignedIn) -> TaskId:
    return create(state, caller, body, VIDEOGEN if body.workflow_version == VIDEOGEN else STORY)


@router.get("/mytasks")
def mytasks(state: Here, caller: SignedIn) -> TaskIds:
    return TaskIds(task_ids=Stories(state.database).ids(caller.user_id))


@router.get("/{task_id}/progress")
def progress(task_id: int, state: Here, caller: SignedIn) -> Progress:
    return look(state, caller, task_id).so_far.progress()


@router.post("/{task_id}/execute/{segment_id}", status_code=202)
def execute(
    task_id: int,
    segment_id: int,
    state: Here,
    caller: SignedIn,
    response: Response,
    redo: bool = False,
    callback_url: CallbackUrl = "",
) -> Accepted:
    """`redo`: also a segment that is done; it is computed anew, and those after it are forgotten."""
    task = look(state, caller, task_id)
    task.so_far.check_next(segment_id, redo)
    if task.story.workflow == VIDEOGEN:
        return start(task, Overrides(), callback_url, response)
    return Accepted(celery_task_id=task.queue_segment(segment_id, callback_url))


@router.delete("/{task_id}")
def delete(task_id: int, state: Here, caller: SignedIn) -> Deleted:
    story = Stories(state.database).get(task_id, caller.user_id)
    remove_task(state.jobs, state.artifacts, story.id)
    return Deleted()
