"""Tasks: create, list, execute a segment, look, delete."""

from fastapi import APIRouter, Response

from api.auth import SignedIn
from api.state import Here
from api.story.models import Accepted, Deleted, NewTask, Overrides, Progress, Segment, TaskId, TaskIds
from api.story.videogen import start
from api.story.work import create, look, queue_segment
from contracts.tasks import folder_of
from store.stories import STORY, VIDEOGEN, Stories, subject_of

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
    return look(state, caller, task_id)[1].progress()


@router.post("/{task_id}/execute/{segment_id}", status_code=202)
def execute(task_id: int, segment_id: int, state: Here, caller: SignedIn, response: Response) -> Accepted:
    story, so_far = look(state, caller, task_id)
    so_far.check_next(segment_id)
    if story.workflow == VIDEOGEN:
        return start(state, caller, story, Overrides(), response)
    return Accepted(celery_task_id=queue_segment(state, caller, story, so_far, segment_id))


@router.delete("/{task_id}")
def delete(task_id: int, state: Here, caller: SignedIn) -> Deleted:
    stories = Stories(state.database)
    story = stories.get(task_id, caller.user_id)
    stories.close(story.id)  # from here on nothing is executed; asked again, a delete that broke off goes on
    state.jobs.forget(subject_of(story.id))
    state.artifacts.delete(folder_of(story.id))
    stories.delete(story.id)
    return Deleted()
