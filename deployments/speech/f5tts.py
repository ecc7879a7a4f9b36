"""F5-TTS (Chen et al. 2024, arXiv:2410.06885): flow matching speaks on in the voice of a recording; Vocos sounds it.

Weights in the layout of SWivid/F5-TTS, the vocoder's in that of charactr/vocos-mel-24khz (docs/models.md).
"""

from collections.abc import Iterator
from functools import cache, lru_cache
from pathlib import Path
from threading import Lock

import numpy as np

from contracts.errors import EngineFailed, InvalidInput, NotFound
from contracts.speech import AudioChunk, SpeechRequest
from contracts.transcription import Transcript
from deployments.speech.chunks import streamed
from deployments.speech.excerpt import MOST_S, Excerpt, excerpt
from deployments.speech.measured import measured
from deployments.speech.recording import Recording
from deployments.speech.resynthesis import brought
from deployments.speech.scripts import check_script
from deployments.speech.spoken import IDEOGRAPHIC, worded
from deployments.speech.world import RATE_HZ as PITCHED_HZ
from deployments.speech.world import Samples

RATE_HZ, HOP = 24_000, 256
LANGUAGES = ("zh", "en")
VOICES = {  # its own: recordings in the wheel of f5-tts, and what they say
    "zh": ("basic_ref_zh.wav", "对，这就是我，万人敬仰的太乙真人。"),
    "en": ("basic_ref_en.wav", "Some call me nature, others call me mother nature."),
}
WHOLE_S = 22  # of a recording and what follows it, at most: it was taught no more
SLOWEST, FASTEST = 6.0, 60.0  # bytes of text a second: people say 12–25; a transcript may be wrong
SHORT_BYTES, SHORT_PACE = 10, 0.3  # of so short a text too little would be left
LEAST_BYTES = 30  # of a piece


class F5tts:
    """Mandarin and English. The same text and sample give the same audio on one device.

    `weights`, `vocoder`: a folder, or an id on a hub of which a revision is meant. `steps`, `guidance` and `sway` are
    the sampler's. Requests take turns, sentence by sentence.
    """

    def __init__(
        self,
        weights: str,
        revision: str = "",
        vocoder: str = "charactr/vocos-mel-24khz",
        vocoder_revision: str = "",
        device: str = "",
        steps: int = 32,
        guidance: float = 2.0,
        sway: float = -1.0,
        seed: int = 0,
    ) -> None:
        self.weights, self.revision = weights, revision
        self.vocoder, self.vocoder_revision = vocoder, vocoder_revision
        self.device, self.steps, self.guidance, self.sway, self.seed = device, steps, guidance, sway, seed
        self.turn = Lock()

    def load(self) -> None:
        """Weights that cannot be had: `Unavailable`; that are none of F5-TTS or Vocos: `InvalidInput`."""
        from deployments.speech.f5tts_weights import Voice, opened

        self.model: Voice | None = opened(
            (self.weights, self.revision), (self.vocoder, self.vocoder_revision), self.device
        )
        self.samples, self.own = lru_cache(16)(_samples), cache(_own)

    def synthesize(self, request: SpeechRequest, sample: Path | None = None) -> Iterator[AudioChunk]:
        """Sentence by sentence, so closing it stops within one. A sample comes with its transcript."""
        if request.language and request.language not in LANGUAGES:
            raise InvalidInput(f"语音合成模型不支持语言 {request.language!r}。", param="language")
        check_script(request.text, LANGUAGES)
        reference = self._reference(request, sample)
        spoken = (self._spoken(piece, reference, request) for piece in _pieces(request, reference))
        yield from streamed(spoken, PITCHED_HZ if request.pitch else RATE_HZ)

    def close(self) -> None:
        self.model = None

    def _reference(self, request: SpeechRequest, sample: Path | None) -> Excerpt:
        if sample is None:
            return self.own(request.voice or _language(request))
        if request.transcript is None or not request.transcript.text.strip():
            raise InvalidInput("音色样本里没有听清说了什么，请换一段录音。", param="sample")
        kept = excerpt(self.samples(Recording.at(sample)), RATE_HZ, request.transcript)
        if _pace(kept) > FASTEST:
            raise InvalidInput("音色样本的文字比录音长得多，请换一段录音。", param="sample")
        return kept

    def _spoken(self, text: str, reference: Excerpt, request: SpeechRequest) -> bytes:
        assert self.model, "load it first"
        spoken = reference.text + (" " if reference.text[-1].isascii() else "") + text
        frames = len(reference.samples) // HOP
        size = len(text.encode())
        speed = request.speed * (SHORT_PACE if size < SHORT_BYTES else 1)
        length = frames + int(size / _pace(reference) / speed * RATE_HZ / HOP)
        with self.turn:
            made = self.model.sounded(
                reference.samples, spoken, length, self.steps, self.guidance, self.sway, self.seed
            )
        if not np.isfinite(made).all():
            raise EngineFailed("语音模型没有算出声音（结果不是数）。")
        pcm, _ = brought(made, RATE_HZ, request.pitch)
        if not pcm:
            raise EngineFailed("语音模型没有说出声音。")
        return pcm


def _own(voice: str) -> Excerpt:
    if voice not in VOICES:
        raise NotFound(f"No voice {voice!r}.", param="voice")
    from deployments.speech.f5tts_library import examples

    name, text = VOICES[voice]
    samples, _ = Recording.at(examples() / "basic" / name).heard(RATE_HZ)
    return excerpt(samples, RATE_HZ, Transcript(text=text))


def _samples(sample: Recording) -> Samples:
    """(samples,) at RATE_HZ, the peak at 1; kept beside the recording in 16 bits."""
    kept = measured(sample, lambda: {"samples": np.rint(sample.heard(RATE_HZ)[0] * 32_767).astype("<i2")})
    return kept["samples"] / 32_767


def _pieces(request: SpeechRequest, reference: Excerpt) -> Iterator[str]:
    """What fits behind the reference."""
    room_s = max(WHOLE_S - len(reference.samples) / RATE_HZ, WHOLE_S - MOST_S)
    most = max(LEAST_BYTES, int(_pace(reference) * room_s * request.speed))
    return worded(request.text, request.language, most)


def _pace(reference: Excerpt) -> float:
    """Bytes of text a second."""
    return max(len(reference.text.encode()) * RATE_HZ / len(reference.samples), SLOWEST)


def _language(request: SpeechRequest) -> str:
    return request.language or ("zh" if IDEOGRAPHIC.search(request.text) else "en")
