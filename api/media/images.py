"""Pictures from texts, and from other pictures."""

import secrets
from typing import Annotated, Any

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from api.auth import Known
from api.callbacks import CallbackUrl
from api.capable import check_picture, longest_side
from api.limits import body_limit
from api.media.asked import MULTIPART, Body, Count, Guidance, ModelId, Prompt, Seed, Sent, Text, queue, queue_about
from api.media.results import Drawing, Labelled, Transformed, drawing, tell_model
from api.media.tasks import find_task, task_id_of
from api.state import Here
from api.uploads import FormRoute, Once, aside
from api.waiting import PrefersAsync, finished
from contracts.image import SEEDS, Scheduler
from contracts.media import Media
from contracts.platform import IMAGE, PictureTask
from contracts.sizes import fitted

router = APIRouter(prefix="/api", route_class=FormRoute)
LEAST, MOST, STEP = 64, 2_048, 8  # pixels, of the sides of a picture
LONGEST_EDIT = 1_024  # pixels, of the longer side of a picture that is drawn from another
MENU = {"id", "name", "description", "licence"}  # what is told of a model, as the catalogue has it
Side = Annotated[int, Field(ge=LEAST, le=MOST, multiple_of=STEP, description="Pixels.")]
Scale = Annotated[float, Field(ge=0, le=2, allow_inf_nan=False)]


class NewPicture(Body):
    prompt: Prompt
    negative_prompt: Text = ""
    width: Side = 512
    height: Side = 512
    num_inference_steps: Count = 25
    guidance_scale: Guidance = 7.5
    seed: Seed | None = None
    model_id: ModelId | None = None
    scheduler: Scheduler = ""
    lora: ModelId = Field("", description="One of the model's option `loras`.")
    lora_scale: Scale = 1.0


class Change(Sent):
    prompt: Prompt
    negative_prompt: Text = ""
    strength: float = Field(0.8, ge=0, le=1, allow_inf_nan=False, description="0 keeps the picture, 1 ignores it.")
    num_inference_steps: Count = 25
    guidance_scale: Guidance = 7.5
    seed: Seed | None = None
    model_id: ModelId | None = None
    scheduler: Scheduler = ""
    lora: ModelId = ""
    lora_scale: Scale = 1.0


class ImageModel(BaseModel):
    id: str
    name: str
    description: str
    ready: bool
    licence: str


@router.get("/text-to-image/models")
def list_image_models(state: Here) -> list[ImageModel]:
    """Documented ids first; `ready`: it runs on this cluster."""
    specs = [spec for spec in state.models.known.values() if spec.capability == "image"]
    return [ImageModel(ready=spec.id in state.models.served, **spec.model_dump(include=MENU)) for spec in specs]


@router.post("/text-to-image/generate", response_model_exclude_unset=True, dependencies=[Labelled])
def text_to_image(
    body: NewPicture, state: Here, caller: Known, callback_url: CallbackUrl, response: Response
) -> Drawing:
    model = state.models.resolve("image", body.model_id, "model_id")
    check_picture(model, body.width, body.height, body.lora)
    tell_model(response, body.model_id, model.id)
    task = PictureTask(width=body.width, height=body.height, **_asked(body, model.id))
    job = queue(state, caller, IMAGE, task, callback_url)
    return Drawing(task_id=task_id_of(IMAGE, job.id), status="processing", image_url=None, progress=0)


@router.post("/image-to-image/generate", dependencies=[Once, Labelled])
@body_limit("image")
async def image_to_image(
    change: Annotated[Change, MULTIPART],
    state: Here,
    caller: Known,
    callback_url: CallbackUrl,
    respond_async: PrefersAsync,
    response: Response,
) -> Transformed:
    """A job inside: `Prefer: respond-async` has its id at once, and so has who leaves."""

    def task(key: str, media: Media) -> PictureTask:
        model = state.models.resolve("image", change.model_id, "model_id", edits=True)
        tell_model(response, change.model_id, model.id)
        width, height = fitted(media.upright, LEAST, min(LONGEST_EDIT, longest_side(model)), STEP)
        check_picture(model, width, height, change.lora)
        asked = _asked(change, model.id) | {"picture": key, "strength": change.strength}
        return PictureTask(width=width, height=height, **asked)

    with state.in_flight.one():
        job = await aside(queue_about, state, caller, IMAGE, change.image, task, callback_url)
        if respond_async:
            response.status_code = 202
            return Transformed(task_id=task_id_of(IMAGE, job.id), status="processing", image_url=None)
        return drawing(await finished(state, job))


@router.get("/text-to-image/status/{task_id}", response_model_exclude_unset=True, dependencies=[Labelled])
@router.get("/image-to-image/status/{task_id}", response_model_exclude_unset=True, dependencies=[Labelled])
def image_status(task_id: str, state: Here, caller: Known) -> Drawing:
    return drawing(find_task(state, caller, task_id, IMAGE))


def _asked(body: NewPicture | Change, model: str) -> dict[str, Any]:
    """What is asked of the model in both cases. A seed that is not given is drawn, and kept with the task."""
    return {
        "model": model,
        "prompt": body.prompt,
        "negative_prompt": body.negative_prompt,
        "steps": body.num_inference_steps,
        "guidance": body.guidance_scale,
        "seed": secrets.randbelow(SEEDS) if body.seed is None else body.seed,
        **body.model_dump(include={"scheduler", "lora", "lora_scale"}),
    }
