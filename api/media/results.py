"""How far pictures and films are, in this family's words; the models that make them."""

from typing import Annotated, Any, Literal

from fastapi import Depends, Response
from pydantic import BaseModel, Field

from api.files import GENERATED
from api.media.tasks import STATUS, task_id_of
from contracts.jobs import JobView

Progress = Annotated[int, Field(ge=0, le=100)]
Why = Annotated[str, Field(description="Why it failed; only then.")]


class Reached(BaseModel):
    task_id: str
    status: Literal["processing", "completed", "failed"]


class Transformed(Reached):
    image_url: str | None


class Drawing(Transformed):
    """`message` is left out unless it is set: `response_model_exclude_unset`."""

    progress: Progress
    message: Why = ""


class Filming(Reached):
    """The same of a film."""

    video_url: str | None
    progress: Progress
    message: Why = ""


def drawing(job: JobView) -> Drawing:
    return Drawing(image_url=_url(job), **_reached(job))


def filming(job: JobView) -> Filming:
    return Filming(video_url=_url(job), **_reached(job))


def _reached(job: JobView) -> dict[str, Any]:
    status = STATUS[job.state]
    reached = {"task_id": task_id_of(job.kind, job.id), "status": status, "progress": int(100 * job.progress)}
    return reached | ({"message": job.error} if status == "failed" else {})


def _url(job: JobView) -> str | None:
    return f"/{job.result['resources'][0]}" if job.state == "completed" else None


async def _label(response: Response) -> None:
    response.headers.update(GENERATED)


Labelled = Depends(_label)  # of routes that answer with what was generated


def tell_model(response: Response, asked: str | None, model: str) -> None:
    """When another than the one that was asked for answers."""
    if asked and asked != model:
        response.headers["X-Troupe-Model"] = model
