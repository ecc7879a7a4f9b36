"""A picture from a text or from another picture."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from contracts.artifacts import Files
from contracts.engines import Image
from contracts.image import ImageRequest
from contracts.jobs import Job, Steps
from contracts.platform import PictureTask
from graphs.render import deliver, draw, remove


@dataclass(frozen=True)
class Draughtsman:
    images: Mapping[str, Image]  # by model
    files: Files

    async def draw(self, job: Job, steps: Steps) -> dict[str, Any]:
        """A PNG with its visible mark under a name that nobody can guess. The upload is not kept."""
        task = PictureTask.model_validate(job.params)
        image, scratch = self.images[task.model], f"outputs/.work/{job.id}"
        asked = ImageRequest.model_validate(task.model_dump(exclude={"model"}))
        made = job.made(image.model, task.prompt, **asked.model_dump(exclude={"prompt", "picture"}))
        try:
            drawn = await steps.run("draw", draw, image, asked, f"{scratch}/drawn.png", made, steps)
            return {"resources": [await steps.run("mark", deliver, self.files, drawn, task.key(job.id), made)]}
        finally:
            for key in filter(None, (task.picture, scratch)):
                await steps.run("tidy", remove, self.files, key)
