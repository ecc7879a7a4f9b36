"""Videogen: a film straight from a text or a picture, in one segment."""

from fastapi import APIRouter, Response

from api.auth import SignedIn
from api.callbacks import CallbackUrl
from api.capable import check_film, check_starts
from api.limits import MIB, body_limit
from api.state import Here
from api.story.models import Accepted, NewVideo, Overrides, TaskId
from api.story.work import Task, create, look
from contracts.errors import NotFound
from store.stories import VIDEOGEN

router = APIRouter(prefix="/api/videogen")


@router.post("/new")
def new(body: NewVideo, state: Here, caller: SignedIn) -> TaskId:
    return create(state, caller, body, VIDEOGEN)


@router.post("/{task_id}/execute", status_code=202)
@body_limit(28 * MIB, signed_in=True)  # a picture of 20 MB in base64
def execute(
    task_id: int,
    body: Overrides,
    state: Here,
    caller: SignedIn,
    response: Response,
    redo: bool = False,
    callback_url: CallbackUrl = "",
) -> Accepted:
    """`redo`: also when it is done."""
    task = look(state, caller, task_id)
    if task.story.workflow != VIDEOGEN:
        raise NotFound("不是 videogen 任务。")
    task.so_far.check_next(1, redo)
    return start(task, body, callback_url, response)


def start(task: Task, body: Overrides, callback_url: str, response: Response) -> Accepted:
    """Queue the film. A model that is absent is refused before; one in its place is named in the answer."""
    model = task.state.models.resolve("video", None if body.use_mock else body.model)
    check_film(model, *body.size, body.duration, "duration")
    if body.prompt_image_data_uri or body.prompt_image_path:
        check_starts(model, "prompt_image_data_uri" if body.prompt_image_data_uri else "prompt_image_path")
    accepted = Accepted(celery_task_id=task.queue_video(body, model.id, callback_url))
    if body.model and model.id != body.model:
        response.headers["X-Troupe-Model"] = model.id
        accepted.message += f" ({model.id})"
    return accepted
