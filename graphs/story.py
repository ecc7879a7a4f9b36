"""A picture-book story in five segments: written, drawn, split, spoken, filmed. Each runs as a job of its own."""

import asyncio
import io
import json
import wave
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from contracts import prompts
from contracts.artifacts import Artifact, Files, Provenance
from contracts.engines import Chat, Image, Speech, Video
from contracts.image import ImageRequest
from contracts.jobs import Job, JobView, Steps
from contracts.speech import SpeechRequest
from contracts.story import Script
from contracts.tasks import StoryTask, folder_of, scratch_of
from contracts.video import FilmRequest, Shot
from graphs.render import deliver, draw, render
from graphs.split import pieces
from graphs.storybook import tell
from graphs.subtitles import captions, srt

SCRIPT = "script_data.json"
WIDTH, HEIGHT = 1280, 720


@dataclass(frozen=True)
class Storyteller:
    """The five pipelines over the engines that they use. `mark` is shown over a film's opening."""

    chat: Chat
    image: Image
    speech: Speech
    video: Video
    files: Files
    mark: str

    async def write(self, job: Job, steps: Steps) -> dict[str, Any]:
        """Segment 1: title, hero and pages, as script_data.json."""
        task = StoryTask.model_validate(job.params)
        told = await steps.run("write", tell, self.chat, task, seed_of(job))
        await steps.report(0.8)
        script = await steps.run("keep", self._keep, job, Script.model_validate(told["story"]), told["model"])
        return {"resources": [script]}

    async def draw(self, job: Job, steps: Steps) -> dict[str, Any]:
        """Segment 2: a picture for every page, side by side."""
        script = Script.model_validate(await steps.run("read", self._read, job))
        wanted = [picture_prompt(page.picture, script.hero) for page in script.pages]
        drawn = await steps.each([{"page": number, "prompt": text} for number, text in enumerate(wanted, 1)])
        return {"resources": [page["delivered"] for page in drawn], "pictures": [page["drawn"] for page in drawn]}

    async def draw_page(self, job: Job, item: Mapping[str, Any], steps: Steps) -> dict[str, Any]:
        """An unmarked picture for the film, and its marked copy for people."""
        task, name = StoryTask.model_validate(job.params), f"p{item['page']}.png"
        request = ImageRequest(
            prompt=item["prompt"], width=WIDTH, height=HEIGHT, seed=seed_of(job) + item["page"], fit=True
        )
        made = job.made(prompt=request.prompt, seed=request.seed)
        drawn = await steps.run("draw", draw, self.image, request, f"{scratch_of(task.task_id, job.id)}/{name}", made)
        copy = f"{folder_of(task.task_id)}/image/{name}"
        made = made.model_copy(update={"model": self.image.model})
        return {"drawn": drawn, "delivered": await steps.run("deliver", deliver, self.files, drawn, copy, made)}

    async def split(self, job: Job, steps: Steps) -> dict[str, Any]:
        """Segment 3: every page's text in speakable pieces, written back into the script."""
        script = Script.model_validate(await steps.run("read", self._read, job))
        pages = [page.model_copy(update={"pieces": pieces(page.text)}) for page in script.pages]
        kept = await steps.run("keep", self._keep, job, script.model_copy(update={"pages": pages}), "")
        return {"resources": [kept]}

    async def speak(self, job: Job, steps: Steps) -> dict[str, Any]:
        """Segment 4: a WAV for every piece."""
        script = Script.model_validate(await steps.run("read", self._read, job))
        items = [{"page": number, "pieces": page.pieces} for number, page in enumerate(script.pages, 1)]
        pages = [page["spoken"] for page in await steps.each(items)]
        return {"resources": [piece["key"] for page in pages for piece in page], "pages": pages}

    async def speak_page(self, job: Job, item: Mapping[str, Any], steps: Steps) -> dict[str, Any]:
        spoken = []
        for number, text in enumerate(item["pieces"], 1):
            name = f"p{item['page']}_{number}"
            spoken.append(await steps.run(name, self._speak, job, name, text))
        return {"spoken": spoken}

    async def film(self, job: Job, steps: Steps) -> dict[str, Any]:
        """Segment 5: the film, as long as its speech, and its subtitles beside it."""
        task = StoryTask.model_validate(job.params)
        pages, pictures = task.done["story.speak"]["pages"], task.done["story.draw"]["pictures"]
        spoken = [piece for page in pages for piece in page]
        told = captions([(piece["text"], piece["duration_s"]) for piece in spoken])
        request = FilmRequest(
            shots=[
                Shot(picture=picture, duration_s=sum(piece["duration_s"] for piece in page))
                for picture, page in zip(pictures, pages, strict=True)
            ],
            narration=[piece["key"] for piece in spoken],
            captions=told,
            width=WIDTH,
            height=HEIGHT,
            mark=self.mark,
        )
        made = job.made(self.video.model, task.topic)
        key = f"{folder_of(task.task_id)}/output.mp4"
        film = await steps.run("render", render, self.video, request, key, made, steps)
        subtitles = f"{folder_of(task.task_id)}/output.srt"
        await steps.run("subtitles", put, self.files, subtitles, srt(told).encode(), made)
        return {"resources": [film], "subtitles": subtitles}

    async def _read(self, job: Job) -> dict[str, Any]:
        """The script as the segments before left it."""
        content = await asyncio.to_thread(self.files.read, script_key(job))
        known = Script.model_fields.keys()  # the store's label is a field of its own
        return {name: value for name, value in json.loads(content).items() if name in known}

    async def _keep(self, job: Job, script: Script, model: str) -> str:
        content = script.model_dump_json(indent=2).encode()
        return await put(self.files, script_key(job), content, job.made(model, job.params["topic"]))

    async def _speak(self, job: Job, name: str, text: str) -> dict[str, Any]:
        """One piece as a WAV file; its length is what the film and the subtitles go by."""
        async with aclosing(self.speech.synthesize(SpeechRequest(text=text))) as stream:
            chunks = [chunk async for chunk in stream]
        rate_hz, pcm = chunks[0].sample_rate, b"".join(chunk.pcm for chunk in chunks)
        made = job.made(self.speech.model, text)
        key = await put(self.files, f"{folder_of(job.params['task_id'])}/speech/{name}.wav", wav(pcm, rate_hz), made)
        return {"key": key, "text": text, "duration_s": len(pcm) / 2 / rate_hz}


async def put(files: Files, key: str, content: bytes, made: Provenance) -> str:
    kept: Artifact = await asyncio.to_thread(files.put, key, content, made)
    return kept.key


def picture_prompt(picture: str, hero: str) -> str:
    """What an image model is asked: the scene, and the hero who must look the same on every page."""
    label = {"zh": "主角：", "en": "Main character: "}[prompts.language_of(hero)]
    return f"{prompts.one_line(picture)}\n{label}{prompts.one_line(hero)}"


def script_key(job: Job) -> str:
    return f"{folder_of(job.params['task_id'])}/{SCRIPT}"


def seed_of(job: Job | JobView) -> int:
    """Another job draws another story; the same job, recovered, the same one."""
    return int(job.id[:7], 16)


def wav(pcm: bytes, rate_hz: int) -> bytes:
    """A mono 16-bit WAV file."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(rate_hz)
        writer.writeframes(pcm)
    return file.getvalue()
