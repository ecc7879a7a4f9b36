"""The digital human: voices tried and spoken with, films of a presenter who speaks, conversations."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from contracts.artifacts import Files
from contracts.avatar import PerformanceRequest
from contracts.engines import Avatar, Chat, Image, Speech, Transcription, Video
from contracts.errors import ServiceError, Unavailable
from contracts.human import (
    RES_VIDEOS,
    RES_VOICES,
    Acted,
    ChatTask,
    CloneTask,
    SpeakTask,
    VideoTask,
    Voices,
    scratch_of,
)
from contracts.jobs import Job, Steps
from contracts.video import FilmRequest, Shot
from graphs.chat import Models, Question, talk
from graphs.portrait import SIDE, portrait
from graphs.render import perform, remove, render
from graphs.sounds import Sound, recorded, say, spoken
from graphs.story import put, seed_of, wav

PROBE = "你好，很高兴认识你。"  # what a new voice says first
FILMED = 0.4  # of a job's progress, once its sound is there

Engine = TypeVar("Engine")


@dataclass(frozen=True)
class Performer:
    """The four pipelines over the engines that they use. Where no avatar is served, a still portrait stands in."""

    chats: Mapping[str, Chat]  # these four by model
    speeches: Mapping[str, Speech]
    transcriptions: Mapping[str, Transcription]
    avatars: Mapping[str, Avatar]
    image: Image
    video: Video
    files: Files
    voices: Voices
    mark: str  # the visible mark of films; empty: none

    async def clone(self, job: Job, steps: Steps) -> dict[str, Any]:
        """A voice that has spoken once; a sample that cannot be spoken with is refused in the engine's words."""
        task = CloneTask.model_validate(job.params)
        try:
            speech = named(self.speeches, task.speech_model, "语音合成")
            await steps.run("try", _tried, speech, task.sample)
        except ServiceError:
            await steps.run("tidy", remove, self.files, task.sample)
            raise
        await steps.run("keep", self._keep_voice, job.owner, task)
        return {"voice": task.voice, "sample": task.sample}

    async def _keep_voice(self, owner: str, task: CloneTask) -> None:
        await asyncio.to_thread(self.voices.keep, owner, task.voice, task.sample, task.reference, task.consent)

    async def speak(self, job: Job, steps: Steps) -> dict[str, Any]:
        """A WAV under a name that nobody can guess."""
        task = SpeakTask.model_validate(job.params)
        sound = await steps.run("speak", self._speak, job, task, f"{RES_VOICES}/{job.id}.wav")
        return {"resources": [sound["key"]]}

    async def perform(self, job: Job, steps: Steps) -> dict[str, Any]:
        """A film as long as its text takes to say, or as the recording that it plays."""
        task = VideoTask.model_validate(job.params)
        async with self._scratch(job, steps) as folder:
            if task.text:
                said = SpeakTask(text=task.text, sample=task.sample, speech_model=task.speech_model)
                sound = await steps.run("speak", self._speak, job, said, f"{folder}/sound.wav")
            else:
                sound = await steps.run("take", self._take, job, task.audio, f"{folder}/sound.wav")
            return await self._film(job, steps, sound, task, task.text)

    async def chat(self, job: Job, steps: Steps) -> dict[str, Any]:
        """A film of the answer to a recording, with what was heard and what is said."""
        task = ChatTask.model_validate(job.params)
        async with self._scratch(job, steps) as folder:
            told = await steps.run("talk", self._talk, job, f"{folder}/sound.wav")
            film = await self._film(job, steps, told, task, told["reply"])
        return film | {"heard": told["heard"], "reply": told["reply"]}

    async def _portrait(self, job: Job) -> str:
        return await portrait(self.image, self.files, scratch_of(job.id), job.made(self.image.model))

    async def _film(self, job: Job, steps: Steps, sound: dict[str, Any], task: Acted, text: str) -> dict[str, Any]:
        await steps.report(FILMED)
        film = self._acted if task.avatar else self._still
        return await film(job, steps, sound, task, text)

    async def _acted(self, job: Job, steps: Steps, sound: dict[str, Any], task: Acted, text: str) -> dict[str, Any]:
        avatar = named(self.avatars, task.avatar_model, "数字人")
        request = PerformanceRequest(avatar=task.avatar, sound=sound["key"], mark=self.mark)
        made = job.made(avatar.model, text, rendered="avatar", avatar=task.avatar)
        film = await steps.run("act", perform, avatar, request, _film_of(job), made, steps, FILMED)
        return {"resources": [film], "rendered": "avatar"}

    async def _still(self, job: Job, steps: Steps, sound: dict[str, Any], task: Acted, text: str) -> dict[str, Any]:
        """The portrait bears the visible mark, so that it stays for the film's whole length."""
        picture = await steps.run("portrait", self._portrait, job)
        shot = Shot(picture=picture, duration_s=sound["duration_s"])
        request = FilmRequest(shots=[shot], narration=[sound["key"]], width=SIDE, height=SIDE)
        made = job.made(self.video.model, text, rendered="portrait")
        film = await steps.run("render", render, self.video, request, _film_of(job), made, steps, FILMED)
        return {"resources": [film], "rendered": "portrait"}

    async def _speak(self, job: Job, task: SpeakTask, key: str) -> dict[str, Any]:
        speech = named(self.speeches, task.speech_model, "语音合成")
        return await self._keep(job, await say(speech, task.text, task.sample), key, speech.model, task.text)

    async def _take(self, job: Job, recording: str, key: str) -> dict[str, Any]:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"recording{Path(recording).suffix}"
            await asyncio.to_thread(self.files.fetch, recording, path)
            return await self._keep(job, await asyncio.to_thread(recorded, path), key)

    async def _talk(self, job: Job, key: str) -> dict[str, Any]:
        task = ChatTask.model_validate(job.params)
        models = Models(
            transcription=named(self.transcriptions, task.transcription_model, "语音识别"),
            chat=named(self.chats, task.chat_model, "对话"),
            speech=named(self.speeches, task.speech_model, "语音合成"),
        )
        question = Question(task.recording, task.sample, seed=seed_of(job))
        told = await talk(question, models)
        sound = await self._keep(job, told.sound, key, models.speech.model, told.reply)
        return sound | {"heard": told.heard, "reply": told.reply}

    async def _keep(self, job: Job, sound: Sound, key: str, model: str = "", text: str = "") -> dict[str, Any]:
        kept = await put(self.files, key, wav(sound.pcm, sound.rate_hz), job.made(model, text))
        return {"key": kept, "duration_s": sound.duration_s}

    @asynccontextmanager
    async def _scratch(self, job: Job, steps: Steps) -> AsyncIterator[str]:
        """A folder that is removed when the job has completed or failed; one that is killed goes on with it."""
        folder = scratch_of(job.id)
        try:
            yield folder
        except ServiceError:
            await steps.run("tidy", remove, self.files, folder)
            raise
        await steps.run("tidy", remove, self.files, folder)


def named(engines: Mapping[str, Engine], model: str, what: str) -> Engine:
    """The engine of a model that is served; else `Unavailable`."""
    if model not in engines:
        raise Unavailable(
            f"没有可用的{what}模型{model and f'“{model}”'}，请在 serve_config.yaml 的 models 里启用后重试。"
        )
    return engines[model]


def _film_of(job: Job) -> str:
    return f"{RES_VIDEOS}/{job.id}.mp4"


async def _tried(speech: Speech, sample: str) -> float:
    return (await spoken(speech, PROBE, sample)).duration_s
