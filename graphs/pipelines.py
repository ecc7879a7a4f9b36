"""Every kind of job, and the pipeline that runs it."""

from collections.abc import Mapping
from typing import Any, TypeVar

from contracts import platform
from contracts.artifacts import Files
from contracts.engines import Avatar, Chat, Image, Speech, Transcription, Video
from contracts.human import CHAT, CLONE, SPEAK, TRAIN, VIDEO, Voices
from contracts.jobs import Job, Pipeline, Steps
from contracts.tasks import SEGMENTS, SPEECH, VIDEOGEN
from contracts.training import Trainer
from graphs.drawing import Draughtsman
from graphs.finetuning import Finetuner
from graphs.hearing import Transcriber
from graphs.human import Performer
from graphs.render import forget
from graphs.speaking import Speaker
from graphs.story import Storyteller
from graphs.videogen import Videomaker

Engine = TypeVar("Engine")


def pipelines(
    chats: Mapping[str, Chat],
    images: Mapping[str, Image],
    speeches: Mapping[str, Speech],
    videos: Mapping[str, Video],
    files: Files,
    voices: Voices,
    mark: str,
    transcriptions: Mapping[str, Transcription],
    avatars: Mapping[str, Avatar],
    trainer: Trainer,
) -> dict[str, Pipeline]:
    """What is a mapping is by model, the default first; `mark` is the visible mark of films, empty: none."""
    chat, image, speech = first(chats), first(images), first(speeches)
    video = first({model: each for model, each in videos.items() if not each.footage})
    teller = Storyteller(chat, image, speech, video, files, mark)
    maker = Videomaker(image, videos, files, mark)
    story = (
        Pipeline(teller.write),
        Pipeline(teller.draw, part=teller.draw_page),
        Pipeline(teller.split),
        Pipeline(teller.speak, part=teller.speak_page),
        Pipeline(teller.film),
    )
    made = dict(zip(SEGMENTS, story, strict=True))
    made |= dict.fromkeys((VIDEOGEN, platform.VIDEO), Pipeline(maker.film, part=maker.draw_shot))
    made |= dict.fromkeys((SPEECH, platform.SPEECH), Pipeline(Speaker(speeches, files).speak))
    made[platform.IMAGE] = Pipeline(Draughtsman(images, files).draw)
    made[platform.TRANSCRIPTION] = Pipeline(Transcriber(transcriptions, files).transcribe)
    finetuner = Finetuner(trainer)
    made |= dict.fromkeys((*platform.TEACHING, TRAIN), Pipeline(finetuner.tune))
    made[platform.MERGE] = Pipeline(finetuner.merge)
    performer = Performer(chats, speeches, transcriptions, avatars, image, video, files, voices, mark)
    played = (performer.clone, performer.speak, performer.perform, performer.chat)
    made |= dict(zip((CLONE, SPEAK, VIDEO, CHAT), map(Pipeline, played), strict=True))
    return {kind: _forgetting(pipeline, files) for kind, pipeline in made.items()}


def first(engines: Mapping[str, Engine]) -> Engine:
    """The default."""
    return next(iter(engines.values()))


def _forgetting(pipeline: Pipeline, files: Files) -> Pipeline:
    """The same, after what it makes out of date is removed: a job that is redone must leave nothing of the old one."""

    async def run(job: Job, steps: Steps) -> dict[str, Any]:
        if forgets := job.params.get("forgets"):
            await steps.run("forget", forget, files, job.params["task_id"], forgets, job.params.get("keeps", []))
        return await pipeline.run(job, steps)

    return Pipeline(run, pipeline.part)
