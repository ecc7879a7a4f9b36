"""What was said, in OpenAI's forms."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from fastapi.responses import JSONResponse, PlainTextResponse, Response

from contracts.transcription import Segment, Transcript, Word
from contracts.video import Caption
from graphs.subtitles import srt, vtt

Form = Literal["json", "text", "srt", "verbose_json", "vtt"]


@dataclass(frozen=True)
class Wanted:
    form: Form
    times: frozenset[str] = frozenset()  # "word", "segment": in verbose JSON


def plain(told: Transcript, wanted: Wanted) -> Response:
    return JSONResponse({"text": told.text, "usage": _usage(told)})


def verbose(told: Transcript, wanted: Wanted) -> Response:
    """Languages are codes. Engines do not tell tokens and where they sought: `tokens` is empty, `seek` is 0."""
    whole: dict[str, Any] = {
        "task": "transcribe",
        "language": told.language,
        "duration": round(told.duration_s, 2),
        "text": told.text,
    }
    if "segment" in wanted.times:
        whole["segments"] = [_segment(number, each) for number, each in enumerate(told.segments)]
    if "word" in wanted.times:
        whole["words"] = [{"word": word.text, **_times(word)} for each in told.segments for word in each.words]
    return JSONResponse(whole | {"usage": _usage(told)})


def text(told: Transcript, wanted: Wanted) -> Response:
    return PlainTextResponse(f"{told.text}\n")


def subtitles(told: Transcript, wanted: Wanted) -> Response:
    write = srt if wanted.form == "srt" else vtt
    return PlainTextResponse(
        write(Caption(text=each.text, start_s=each.start_s, end_s=each.end_s) for each in told.segments)
    )


FORMATS: dict[Form, Callable[[Transcript, Wanted], Response]] = {
    "json": plain,
    "verbose_json": verbose,
    "text": text,
    "srt": subtitles,
    "vtt": subtitles,
}


def _segment(number: int, said: Segment) -> dict[str, Any]:
    return {
        "id": number,
        "seek": 0,
        **_times(said),
        "text": said.text,
        "tokens": [],
        "temperature": said.temperature,
        "avg_logprob": said.log_probability,
        "compression_ratio": said.compression,
        "no_speech_prob": said.silence_probability,
    }


def _times(said: Word) -> dict[str, float]:
    return {"start": round(said.start_s, 2), "end": round(said.end_s, 2)}


def _usage(told: Transcript) -> dict[str, Any]:
    return {"type": "duration", "seconds": math.ceil(told.duration_s)}
