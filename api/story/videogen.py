"""Videogen: a film straight from a text or a picture, in one segment."""

from fastapi import APIRouter, Response

from api.auth import Caller, SignedIn
from api.limits import MIB, body_limit
from api.state import Here, State
from api.story.models import Accepted, NewVideo, Overrides, TaskId
from api.story.work import create, look, queue_video
from contracts.errors import NotFound
from store.stories import VIDEOGEN
from store.tables import Story

router = APIRouter(prefix="/api/videogen")


@router.post("/new")
def new(body: NewVideo, state: Here, caller: SignedIn) -> TaskId:
    return create(state, caller, body, VIDEOGEN)


@router.post("/{task_id}/execute", status_code=202)
@body_limit(28 * MIB, signed_in=True)  # a picture of 20 MB in base64
def execute(task_id: int, body: Overrides, state: Here, caller: SignedIn, response: Response) -> Accepted:
    story, so_far = look(state, caller, task_id)
    if story.workflow != VIDEOGEN:
        raise NotFound("不是 videogen 任务。")
    so_far.check_next(1)
    return start(state, caller, story, body, response)


def start(state: State, caller: Caller, story: Story, body: Overrides, response: Response) -> Accepted:
    """Queue the film. A model that is absent is refused before; one in its place is named in the answer."""
    model = state.models.resolve("video", None if body.use_mock else body.model)
    accepted = Accepted(celery_task_id=queue_video(state, caller, story, body, model.id))
    if body.model and model.id != body.model:
        response.headers["X-Troupe-Model"] = model.id
        accepted.message += f" ({model.id})"
    return accepted
