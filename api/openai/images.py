"""Pictures drawn while the caller waits. Whoever leaves ends the model's work; `b64_json` leaves nothing here."""

import asyncio
import base64
import secrets
import time
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from api.callers import Caller, scheme_of
from api.capable import check_picture
from api.files import GENERATED
from api.media.asked import Count, Guidance, Kept, ModelId, Seed, queue, readable
from api.openai.asked import check_others
from api.openai.client import Client
from api.openai.models import find_model
from api.present import while_present
from api.state import Here, State
from api.uploads import folder_of
from api.waiting import finished
from contracts.artifacts import Provenance
from contracts.catalog import ModelSpec
from contracts.errors import Deadline, InvalidInput
from contracts.image import LONGEST, SEEDS, SIDE, ImageRequest, Scheduler
from contracts.jobs import JobView
from contracts.platform import IMAGE, PictureTask
from graphs.render import deliver, draw, remove
from jobs.jobs import new_id

router = APIRouter(prefix="/v1/images")
MOST, LEAST = 10, 64  # pictures of one call; pixels of a side
NEUTRAL: dict[str, tuple[Any, ...]] = {  # what changes the picture and is not to be had here: what it may be
    "background": ("auto", "opaque"),
    "moderation": ("auto", "low"),
    "output_compression": (100,),
    "output_format": ("png",),
    "partial_images": (0,),
    "quality": ("auto", "standard"),
    "stream": (False,),
    "style": (),
}


class NewPictures(BaseModel):
    """OpenAI's fields, and those of ours that its clients send as `extra_body`."""

    model_config = ConfigDict(extra="allow")

    prompt: Annotated[str, Field(min_length=1, max_length=8_000), Kept, AfterValidator(readable)]
    model: ModelId | None = None
    n: int | None = Field(None, ge=1, le=MOST)
    size: str | None = Field(None, pattern=r"^(auto|[1-9][0-9]{1,3}x[1-9][0-9]{1,3})$")
    response_format: Literal["b64_json", "url"] | None = None
    negative_prompt: Annotated[str, Field(max_length=2_000), Kept] = ""
    num_inference_steps: Count | None = None
    guidance_scale: Guidance | None = None
    seed: Seed | None = None
    scheduler: Scheduler = ""
    lora: ModelId = ""

    def requests(self) -> list[ImageRequest]:
        """One a picture, with seeds that follow on one another. Without a size, it is the model's choice."""
        check_others(self.model_extra, NEUTRAL)
        first = secrets.randbelow(SEEDS) if self.seed is None else self.seed
        asked: dict[str, Any] = {"fit": True} if self.size in (None, "auto") else self._sides()
        if self.num_inference_steps is not None:
            asked["steps"] = self.num_inference_steps
        if self.guidance_scale is not None:
            asked["guidance"] = self.guidance_scale
        asked |= self.model_dump(include={"prompt", "negative_prompt", "scheduler", "lora"})
        return [ImageRequest(seed=(first + number) % SEEDS, **asked) for number in range(self.n or 1)]

    def _sides(self) -> dict[str, int]:
        width, height = map(int, str(self.size).split("x"))
        if any(side % SIDE or not LEAST <= side <= LONGEST for side in (width, height)):
            raise InvalidInput(f"宽和高应为 {LEAST} 到 {LONGEST} 之间 {SIDE} 的倍数。", param="size")
        return {"width": width, "height": height}


@router.post("/generations")
async def generate(body: NewPictures, state: Here, caller: Client, request: Request) -> Response:
    """`url`: a job for each, whose file is kept. `X-Troupe-Model`: the default in another's place."""
    asked = body.requests()
    model = find_model(state, "image", body.model or "")
    if not asked[0].fit:
        check_picture(model, asked[0].width, asked[0].height, body.lora)
    made = _kept if body.response_format == "url" else _drawn
    with state.in_flight.one():
        data = await while_present(request, _all(made, state, caller, model, asked))
    if body.response_format == "url":
        host = f"{scheme_of(request)}://{request.url.netloc}"
        data = [{"url": f"{host}/{each['url']}"} for each in data]
    headers = GENERATED | ({"X-Troupe-Model": model.id} if body.model not in (None, "", model.id) else {})
    return JSONResponse({"created": int(time.time()), "data": data}, headers=headers)


async def _all(
    made: Any, state: State, caller: Caller, model: ModelSpec, asked: list[ImageRequest]
) -> list[dict[str, str]]:
    """All of them at once, so that they are drawn together; the first failure is the answer."""
    try:
        async with asyncio.timeout(state.settings.sync_s):
            calls = (made(state, caller, model, each) for each in asked)
            outcomes = await asyncio.gather(*calls, return_exceptions=True)
    except TimeoutError:
        raise Deadline("处理时间过长，请用 /api/text-to-image/generate，它会作为任务继续。") from None
    if failed := next((each for each in outcomes if isinstance(each, BaseException)), None):
        raise failed
    return [each for each in outcomes if isinstance(each, dict)]


async def _drawn(state: State, caller: Caller, model: ModelSpec, asked: ImageRequest) -> dict[str, str]:
    """Where it lies meanwhile, `jobs.expiry` finds what a crash leaves."""
    folder, made = f"{folder_of(caller.owner)}/{new_id()}", Provenance(owner=caller.owner, prompt=asked.prompt)
    try:
        drawn = await draw(state.engines.images[model.id], asked, f"{folder}/drawn.png", made)
        marked = await deliver(state.artifacts, drawn, f"{folder}/marked.png", made)
        png = await asyncio.to_thread(state.artifacts.read, marked)
    finally:
        await remove(state.artifacts, folder)
    return {"b64_json": base64.b64encode(png).decode()}


async def _kept(state: State, caller: Caller, model: ModelSpec, asked: ImageRequest) -> dict[str, str]:
    task = PictureTask(model=model.id, **asked.model_dump())
    job = await asyncio.to_thread(queue, state, caller, IMAGE, task, "")
    view: JobView = await finished(state, job)
    return {"url": str(view.result["resources"][0])}
