"""Whisper (Radford et al. 2022) by faster-whisper, on CTranslate2: on the CPU or a GPU, from a hub or a folder."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from contracts.errors import InvalidInput
from contracts.model import Progress
from contracts.transcription import LONGEST_S, Segment, Transcript, Word
from deployments.sounds import Broken, decoded, opened
from deployments.transcription.phrases import phrases
from deployments.weights import folder

RATE_HZ = 16_000
LADDER = (0.2, 0.4, 0.6, 0.8, 1.0)  # temperatures to try where a lower one gives nonsense
MOST_THREADS = 4
LONG_S, BATCH = {"cpu": 600.0, "cuda": 60.0}, {"cpu": 1, "cuda": 16}  # several at a time are no quicker on a CPU


class Whisper:
    """`weights`: an id on a hub, or a folder that `ct2-transformers-converter` made, with its `tokenizer.json`.

    `compute_type` is CTranslate2's word; "auto": int8 on a CPU, float16 on a GPU. `threads`: of a CPU, 0: its cores,
    four at most. A recording of more than `long_s` is cut at pauses into half minutes, which are heard `batch` at a
    time and need little memory; 0: as `LONG_S` and `BATCH` say. What nobody says is not transcribed (Silero VAD).
    """

    def __init__(
        self,
        weights: str,
        revision: str = "",
        device: str = "auto",
        compute_type: str = "auto",
        threads: int = 0,
        long_s: float = 0.0,
        batch: int = 0,
    ) -> None:
        self.weights, self.revision = weights, revision
        self.device, self.compute_type, self.threads = device, compute_type, threads
        self.long_s, self.batch = long_s, batch

    def load(self) -> None:
        """Weights that are neither here nor to be had: `Unavailable`; that are none: `InvalidInput`."""
        from faster_whisper import WhisperModel

        place = folder(self.weights, self.revision)
        if not (place / "tokenizer.json").is_file():  # the library would ask the Hub for one
            raise InvalidInput(f"{self.weights!r} is no Whisper of CTranslate2: no tokenizer.json.", param="weights")
        device, compute_type = _fitting(self.device, self.compute_type)
        try:
            self.model = WhisperModel(
                str(place), device, compute_type=compute_type, cpu_threads=self.threads or _threads()
            )
        except (ValueError, RuntimeError) as error:  # files of another kind, a type that the device has not
            raise InvalidInput(f"{self.weights!r} is no Whisper of CTranslate2: {error}", param="weights") from error
        self.long_s, self.batch = self.long_s or LONG_S[device], self.batch or BATCH[device]
        token = self.model.hf_tokenizer.token_to_id
        known = self.model.supported_languages
        self.languages = [code for code in known if len(known) == 1 or token(f"<|{code}|>") is not None]

    def transcribe(
        self, recording: Path, language: str = "", prompt: str = "", words: bool = False, temperature: float = 0.0
    ) -> Iterator[Progress | Transcript]:
        """Half a minute of speech at a time, of a long recording `batch` of them: closing it stops where they end.

        Silence has neither text nor language. Of the prompt, the first 223 tokens count.
        """
        if language and language not in self.languages:
            raise InvalidInput(f"语音识别模型不支持语言 {language!r}。", param="language")
        samples = _heard(recording)
        duration_s = len(samples) / RATE_HZ
        yield Progress(fraction=0.0)
        settings = {
            "language": language or None,
            "hotwords": prompt or None,
            "temperature": [temperature, *(step for step in LADDER if step > temperature)],
            "vad_filter": True,
        }
        heard, info = self._phrases(samples, words, settings)
        segments: list[Segment] = []
        text = ""
        for phrase in heard:
            segments += _segments(phrase, words, duration_s)
            text += phrase.text
            yield Progress(fraction=min(phrase.end / duration_s, 1.0))
        spoken = text.strip()
        yield Transcript(
            text=spoken,
            language=info.language if spoken else "",
            duration_s=duration_s,
            segments=segments if spoken else [],
        )

    def _phrases(self, samples: np.ndarray, words: bool, settings: dict[str, Any]) -> tuple[Iterable[Any], Any]:
        """The library's. Of a long recording they last up to half a minute, and their words tell where to cut them."""
        from faster_whisper import BatchedInferencePipeline

        if len(samples) > self.long_s * RATE_HZ:
            several = BatchedInferencePipeline(self.model)  # it remembers where it is: one for each recording
            return several.transcribe(samples, batch_size=self.batch, word_timestamps=True, **settings)
        return self.model.transcribe(
            samples,
            word_timestamps=words,
            condition_on_previous_text=False,  # a phrase that is heard wrongly would go on in all that follow
            **settings,
        )

    def close(self) -> None:
        """Frees the weights."""
        if model := getattr(self, "model", None):
            model.model.unload_model()


def _fitting(device: str, compute_type: str) -> tuple[str, str]:
    """What "auto" means here. Older GPUs have no float16: the weights' own type then, or what can be had of it."""
    import ctranslate2

    if device == "auto":
        device = "cuda" if ctranslate2.get_cuda_device_count() else "cpu"
    if compute_type != "auto":
        return device, compute_type
    wanted = "int8" if device == "cpu" else "float16"
    return device, wanted if wanted in ctranslate2.get_supported_compute_types(device) else "default"


def _threads() -> int:
    """Ray tells libraries to use one, whatever the machine has."""
    return min(os.cpu_count() or 1, MOST_THREADS)


def _segments(phrase: Any, words: bool, duration_s: float) -> Iterator[Segment]:
    """What the library calls a segment, cut by its words where it has any."""
    told = {
        "log_probability": float(phrase.avg_logprob),
        "silence_probability": float(phrase.no_speech_prob),
        "compression": float(phrase.compression_ratio),
        "temperature": float(phrase.temperature or 0.0),
    }
    known = [_word(each.word, each.start, each.end, duration_s) for each in phrase.words or ()]
    for part in phrases(known) if known else [[_word(phrase.text, phrase.start, phrase.end, duration_s)]]:
        yield Segment(
            text="".join(word.text for word in part).strip(),
            start_s=part[0].start_s,
            end_s=part[-1].end_s,
            words=[_bare(word) for word in part] if words and known else [],
            **told,
        )


def _word(text: str, start_s: float, end_s: float, duration_s: float) -> Word:
    end = min(float(end_s), duration_s)
    return Word(text=text, start_s=min(float(start_s), end), end_s=end)


def _bare(word: Word) -> Word:
    return word.model_copy(update={"text": word.text.strip()})


def _heard(recording: Path) -> np.ndarray:
    """(samples,), within ±1. What does not decode, has no sound or is too long: `InvalidInput`."""
    try:
        with opened(recording) as container:
            samples = np.concatenate([np.zeros(0, "f4"), *decoded(container, RATE_HZ, LONGEST_S, "fltp")])
    except Broken:
        raise InvalidInput("录音不是可以解码的音频。", param="recording") from None
    if not samples.size or not np.isfinite(samples).all():
        raise InvalidInput("录音里没有声音。", param="recording")
    if len(samples) > (LONGEST_S + 1) * RATE_HZ:
        raise InvalidInput(f"录音太长，最多 {LONGEST_S // 60} 分钟。", param="recording")
    return np.clip(samples, -1, 1)
