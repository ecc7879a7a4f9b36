"""A short film straight from a text or a picture, without narration."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from contracts.artifacts import Files
from contracts.engines import Image, Video
from contracts.image import SEEDS, ImageRequest
from contracts.jobs import Job, Steps
from contracts.platform import VIDEO, ClipTask
from contracts.tasks import VIDEOGEN, Clip, VideoTask
from contracts.video import ClipRequest, FilmRequest, Shot
from graphs.render import draw, generate, remove, render
from graphs.split import pieces
from graphs.story import seed_of

SHOT_S = 2.5  # about how long a picture holds the eye
MOST_SHOTS = 6
DRAWN = 0.4  # of a job's progress, once its pictures are there
LONGEST_PROMPT = 2_000
TASKS: dict[str, type[VideoTask] | type[ClipTask]] = {VIDEOGEN: VideoTask, VIDEO: ClipTask}  # by kind of job


@dataclass(frozen=True)
class Videomaker:
    image: Image
    videos: Mapping[str, Video]  # by model
    files: Files
    mark: str

    async def film(self, job: Job, steps: Steps) -> dict[str, Any]:
        """Made by the model itself, or of key frames, drawn or given, under a moving camera.

        An upload is not kept (`jobs.expiry`: of a stopped job).
        """
        task = TASKS[job.kind].model_validate(job.params)
        try:
            return await self._film(job, task, steps)
        finally:
            if task.upload:
                await steps.run("tidy", remove, self.files, task.upload)

    async def _film(self, job: Job, task: VideoTask | ClipTask, steps: Steps) -> dict[str, Any]:
        video = self.videos[task.model]
        if video.footage:
            film = await self._generated(job, task, video, steps)
        else:
            film = await self._shown(job, task, video, steps)
        await steps.run("tidy", remove, self.files, task.scratch(job.id))
        return {"resources": [film]}

    async def _shown(self, job: Job, task: VideoTask | ClipTask, video: Video, steps: Steps) -> str:
        pictures = [task.picture] if task.picture else await self._draw(scenes(task), steps)
        shots = [Shot(picture=picture, duration_s=task.duration_s / len(pictures)) for picture in pictures]
        request = FilmRequest(shots=shots, width=task.width, height=task.height, fps=task.fps, mark=self.mark)
        made = job.made(video.model, task.prompt, seed=seed(job, task), steps=task.steps)
        return await steps.run("render", render, video, request, task.key(job.id), made, steps, DRAWN)

    async def _generated(self, job: Job, task: VideoTask | ClipTask, video: Video, steps: Steps) -> str:
        """A model that takes no text begins with a picture that is drawn from it."""
        picture, begun = task.picture, 0.0
        if not picture and "text" not in video.footage:
            [picture], begun = await self._draw([task.prompt[:LONGEST_PROMPT]], steps), DRAWN
        request = ClipRequest(
            picture=picture,
            mark=self.mark,
            seed=seed(job, task),
            **task.model_dump(include={"prompt", "width", "height", "fps", "duration_s", "steps"}),
        )
        made = job.made(video.model, task.prompt)
        return await steps.run("render", generate, video, request, task.key(job.id), made, steps, begun)

    async def _draw(self, prompts: list[str], steps: Steps) -> list[str]:
        items = [{"shot": number, "prompt": text} for number, text in enumerate(prompts, 1)]
        return [shot["drawn"] for shot in await steps.each(items, until=DRAWN)]

    async def draw_shot(self, job: Job, item: Mapping[str, Any], steps: Steps) -> dict[str, Any]:
        task = TASKS[job.kind].model_validate(job.params)
        request = ImageRequest(
            prompt=item["prompt"],
            width=task.width,
            height=task.height,
            steps=task.steps,
            seed=(seed(job, task) + item["shot"]) % SEEDS,
            fit=True,
        )
        made = job.made(prompt=request.prompt, seed=request.seed, steps=task.steps)
        key = f"{task.scratch(job.id)}/shot{item['shot']}.png"
        return {"drawn": await steps.run("draw", draw, self.image, request, key, made)}


def seed(job: Job, task: Clip) -> int:
    return seed_of(job) if task.seed is None else task.seed


def scenes(task: Clip) -> list[str]:
    """The prompt in as many parts as the film has time for, in their order and of about one length."""
    parts = pieces(task.prompt)
    count = max(1, min(MOST_SHOTS, len(parts), round(task.duration_s / SHOT_S)))
    bounds = [round(number * len(parts) / count) for number in range(count + 1)]
    return ["".join(parts[start:end])[:LONGEST_PROMPT] for start, end in pairwise(bounds)]
