"""Every kind of job, and the pipeline that runs it."""

from collections.abc import Mapping
from typing import Any

from contracts.artifacts import Files
from contracts.engines import Chat, Image, Speech, Video
from contracts.jobs import Job, Pipeline, Steps
from contracts.tasks import SEGMENTS, SPEECH, VIDEOGEN
from graphs.render import remove
from graphs.speaking import Speaker
from graphs.story import Storyteller
from graphs.videogen import Videomaker


def pipelines(
    chat: Chat,
    image: Image,
    speeches: Mapping[str, Speech],
    videos: Mapping[str, Video],
    files: Files,
    mark: str,
) -> dict[str, Pipeline]:
    """`speeches` and `videos` by model, the default first; `mark` is the visible mark of films, empty: none."""
    teller = Storyteller(chat, image, next(iter(speeches.values())), next(iter(videos.values())), files, mark)
    maker = Videomaker(image, videos, files, mark)
    story = (
        Pipeline(teller.write),
        Pipeline(teller.draw, part=teller.draw_page),
        Pipeline(teller.split),
        Pipeline(teller.speak, part=teller.speak_page),
        Pipeline(teller.film),
    )
    made = {**dict(zip(SEGMENTS, story, strict=True)), VIDEOGEN: Pipeline(maker.film, part=maker.draw_shot)}
    made[SPEECH] = Pipeline(Speaker(speeches, files).speak)
    return {kind: _forgetting(pipeline, files) for kind, pipeline in made.items()}


def _forgetting(pipeline: Pipeline, files: Files) -> Pipeline:
    """The same, after what it makes out of date is removed: a job that is redone must leave nothing of the old one."""

    async def run(job: Job, steps: Steps) -> dict[str, Any]:
        if forgets := job.params.get("forgets"):
            await steps.run("forget", remove, files, *forgets)
        return await pipeline.run(job, steps)

    return Pipeline(run, pipeline.part)
