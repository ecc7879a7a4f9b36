"""Short films from texts and from pictures."""

import secrets
from typing import Annotated

from fastapi import APIRouter

from api.auth import Known
from api.callbacks import CallbackUrl
from api.capable import check_film, check_starts, longest_side
from api.limits import body_limit
from api.media.asked import MULTIPART, Body, Count, Frames, Prompt, Rate, Sent, queue, queue_about
from api.media.results import Filming, Labelled, filming
from api.media.tasks import find_task, task_id_of
from api.state import Here
from api.uploads import FormRoute, Once, aside
from contracts.image import SEEDS
from contracts.jobs import Job
from contracts.media import Media
from contracts.platform import VIDEO, ClipTask
from contracts.sizes import fitted

router = APIRouter(prefix="/api", route_class=FormRoute)
WIDTH, HEIGHT = 768, 512  # of a film from a text
SHORTEST, LONGEST, STEP = 128, 1_280, 2  # pixels, of the sides of a film from a picture


class NewFilm(Body):
    prompt: Prompt
    num_frames: Frames = 24
    fps: Rate = 8
    num_inference_steps: Count = 25


class Motion(Sent):
    num_frames: Frames = 24
    fps: Rate = 8


@router.post("/text-to-video/generate", response_model_exclude_unset=True, dependencies=[Labelled])
def text_to_video(body: NewFilm, state: Here, caller: Known, callback_url: CallbackUrl) -> Filming:
    model, duration_s = state.models.default("video"), body.num_frames / body.fps
    width, height = fitted((WIDTH, HEIGHT), SHORTEST, min(WIDTH, longest_side(model)), STEP)
    check_film(model, width, height, duration_s, "num_frames")
    task = ClipTask(
        model=model.id,
        prompt=body.prompt,
        width=width,
        height=height,
        fps=body.fps,
        duration_s=duration_s,
        steps=body.num_inference_steps,
        seed=secrets.randbelow(SEEDS),
    )
    return _begun(queue(state, caller, VIDEO, task, callback_url))


@router.post("/image-to-video/generate", response_model_exclude_unset=True, dependencies=[Once, Labelled])
@body_limit("image")
async def image_to_video(
    motion: Annotated[Motion, MULTIPART], state: Here, caller: Known, callback_url: CallbackUrl
) -> Filming:
    """A film of the picture's proportions."""

    def task(key: str, media: Media) -> ClipTask:
        model, duration_s = state.models.default("video"), motion.num_frames / motion.fps
        width, height = fitted(media.upright, SHORTEST, min(LONGEST, longest_side(model)), STEP)
        check_starts(model, "image")
        check_film(model, width, height, duration_s, "num_frames")
        return ClipTask(
            model=model.id,
            prompt="",
            picture=key,
            width=width,
            height=height,
            fps=motion.fps,
            duration_s=duration_s,
            seed=secrets.randbelow(SEEDS),
        )

    return _begun(await aside(queue_about, state, caller, VIDEO, motion.image, task, callback_url))


@router.get("/text-to-video/status/{task_id}", response_model_exclude_unset=True, dependencies=[Labelled])
@router.get("/image-to-video/status/{task_id}", response_model_exclude_unset=True, dependencies=[Labelled])
def video_status(task_id: str, state: Here, caller: Known) -> Filming:
    return filming(find_task(state, caller, task_id, VIDEO))


def _begun(job: Job) -> Filming:
    return Filming(task_id=task_id_of(VIDEO, job.id), status="processing", video_url=None, progress=0)
