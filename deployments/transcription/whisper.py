"""Whisper (Radford et al. 2022) by faster-whisper, on CTranslate2: on the CPU or a GPU, by size or from a folder."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from contracts.errors import InvalidInput, Unavailable
from contracts.model import Progress
from contracts.transcription import LONGEST_S, Segment, Transcript
from deployments.sounds import Broken, decoded, opened

RATE_HZ = 16_000


class Whisper:
    """`weights`: a size ("tiny" … "large-v3"), an id on the Hub, or a folder that `ct2-transformers-converter` made.

    `revision` is that of the Hub. `threads`: of a CPU, 0: four. What nobody says is not transcribed (Silero VAD).
    """

    def __init__(
        self, weights: str, revision: str = "", device: str = "auto", compute_type: str = "auto", threads: int = 0
    ) -> None:
        self.weights, self.revision = weights, revision
        self.device, self.compute_type, self.threads = device, compute_type, threads

    def load(self) -> None:
        """Weights that are neither here nor to be had: `Unavailable`; that are none: `InvalidInput`."""
        from faster_whisper import WhisperModel

        try:
            self.model = WhisperModel(
                self.weights,
                revision=self.revision or None,
                device=self.device,
                compute_type=self.compute_type,
                cpu_threads=self.threads,
            )
        except OSError as error:  # no such file, no network
            raise Unavailable(f"The weights of Whisper {self.weights!r} are not here and cannot be had.") from error
        except (ValueError, RuntimeError) as error:  # an unknown size, files of another kind
            raise InvalidInput(f"{self.weights!r} is no Whisper of CTranslate2: {error}", param="weights") from error
        token = self.model.hf_tokenizer.token_to_id
        self.languages = [code for code in self.model.supported_languages if token(f"<|{code}|>") is not None]

    def transcribe(self, recording: Path, language: str = "") -> Iterator[Progress | Transcript]:
        """Half a minute of speech at a time, so closing it stops within one. Silence has neither text nor language."""
        if language and language not in self.languages:
            raise InvalidInput(f"语音识别模型不支持语言 {language!r}。", param="language")
        samples = _heard(recording)
        duration_s = len(samples) / RATE_HZ
        yield Progress(fraction=0.0)
        phrases, info = self.model.transcribe(
            samples,
            language=language or None,
            vad_filter=True,
            condition_on_previous_text=False,  # a phrase that is heard wrongly would go on in all that follow
        )
        segments, texts = [], []
        for phrase in phrases:
            end_s = min(phrase.end, duration_s)
            segments.append(Segment(text=phrase.text.strip(), start_s=min(phrase.start, end_s), end_s=end_s))
            texts.append(phrase.text)
            yield Progress(fraction=end_s / duration_s)
        text = "".join(texts).strip()
        yield Transcript(
            text=text, language=info.language if text else "", duration_s=duration_s, segments=segments if text else []
        )

    def close(self) -> None:
        """Frees the weights."""
        if model := getattr(self, "model", None):
            model.model.unload_model()


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
