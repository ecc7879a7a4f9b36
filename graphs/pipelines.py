"""Every kind of job, and the pipeline that runs it."""

from collections.abc import Mapping

from contracts.artifacts import Files
from contracts.engines import Chat, Image, Speech, Video
from contracts.jobs import Pipeline
from contracts.tasks import SEGMENTS, VIDEOGEN
from graphs.story import Storyteller
from graphs.videogen import Videomaker


def pipelines(
    chat: Chat, image: Image, speech: Speech, videos: Mapping[str, Video], files: Files, mark: str
) -> dict[str, Pipeline]:
    """`videos` by model, the default first; `mark` is the visible mark of films, empty: none."""
    teller = Storyteller(chat, image, speech, next(iter(videos.values())), files, mark)
    maker = Videomaker(image, videos, files, mark)
    story = (
        Pipeline(teller.write),
        Pipeline(teller.draw, part=teller.draw_page),
        Pipeline(teller.split),
        Pipeline(teller.speak, part=teller.speak_page),
        Pipeline(teller.film),
    )
    return {**dict(zip(SEGMENTS, story, strict=True)), VIDEOGEN: Pipeline(maker.film, part=maker.draw_shot)}
