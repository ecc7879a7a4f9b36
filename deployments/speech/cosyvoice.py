"""CosyVoice (Du et al. 2024, arXiv:2407.05407) by its own HTTP server, `runtime/python/fastapi` of its repository.

It pins other versions of torch, numpy and Python than we run, so it lives in an environment of its own, wherever
`url` is.
"""

import io
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import soundfile

from contracts.errors import Deadline, EngineFailed, InvalidInput, Unavailable
from contracts.speech import AudioChunk, SpeechRequest
from deployments.speech.chunks import streamed
from deployments.speech.recording import Recording
from deployments.speech.resynthesis import brought, samples_of
from deployments.speech.scripts import check_script
from deployments.speech.spoken import worded
from deployments.speech.stretch import stretched
from deployments.speech.world import RATE_HZ as PITCHED_HZ

LANGUAGES = ("zh", "en", "ja", "ko", "yue")
PROMPT_HZ = 16_000  # of the recordings that it is given
MOST_BYTES = 240  # of a piece of text
LONGEST_S = 120  # of its speech
RETRY_S = 5.0


class CosyVoice:
    """`rate_hz`: 24,000 of CosyVoice2 and later, 22,050 of CosyVoice-300M: the server does not say.

    `speaker` is that of a model with voices of its own (SFT), for requests without a sample; empty: it has none.
    """

    def __init__(self, url: str = "", rate_hz: int = 24_000, speaker: str = "", timeout_s: float = 120) -> None:
        self.url, self.rate_hz, self.speaker, self.timeout_s = url.rstrip("/"), rate_hz, speaker, timeout_s

    def load(self) -> None:
        """A server that is away is told when it is needed: a cluster without it serves its other models."""
        self.client = httpx.Client(timeout=httpx.Timeout(self.timeout_s, connect=5))
        self.prompt = lru_cache(16)(_prompt)

    def synthesize(self, request: SpeechRequest, sample: Path | None = None) -> Iterator[AudioChunk]:
        """Sentence by sentence, so closing it stops within one; the connection is closed. A sample comes with its
        transcript."""
        if not self.url:
            raise Unavailable("CosyVoice 服务没有配置：请在集群配置的 options 里填写 cosyvoice 的 url。")
        if request.language and request.language not in LANGUAGES:
            raise InvalidInput(f"语音合成模型不支持语言 {request.language!r}。", param="language")
        check_script(request.text, LANGUAGES)
        asked = self._asked(request, sample)
        pieces = worded(request.text, request.language, MOST_BYTES)
        spoken = (self._spoken(piece, asked, request) for piece in pieces)
        yield from streamed(spoken, PITCHED_HZ if request.pitch else self.rate_hz)

    def close(self) -> None:
        if client := getattr(self, "client", None):
            client.close()

    def _asked(self, request: SpeechRequest, sample: Path | None) -> dict[str, Any]:
        """Where to ask, and with what beside the text."""
        if sample is None:
            if not self.speaker:
                raise InvalidInput("这个模型没有自带的音色，请提供音色样本。", param="voice")
            return {"url": f"{self.url}/inference_sft", "data": {"spk_id": self.speaker}}
        if request.transcript is None or not request.transcript.text.strip():
            raise InvalidInput("音色样本里没有听清说了什么，请换一段录音。", param="sample")
        return {
            "url": f"{self.url}/inference_zero_shot",
            "data": {"prompt_text": request.transcript.text.strip()},
            "files": {"prompt_wav": ("prompt.wav", self.prompt(Recording.at(sample)), "audio/wav")},
        }

    def _spoken(self, text: str, asked: dict[str, Any], request: SpeechRequest) -> bytes:
        pcm = self._answer(asked | {"data": asked["data"] | {"tts_text": text}})
        if request.speed != 1:
            pcm = stretched(pcm, 1 / request.speed, self.rate_hz)
        pcm, _ = brought(samples_of(pcm), self.rate_hz, request.pitch)
        if not pcm:
            raise EngineFailed("CosyVoice 没有说出声音。")
        return pcm

    def _answer(self, asked: dict[str, Any]) -> bytes:
        """16-bit PCM. What the server says of its failures is not passed on."""
        pcm = bytearray()
        try:
            with self.client.stream("POST", **asked) as answer:
                if answer.status_code >= 500:
                    raise Unavailable("CosyVoice 服务暂不可用，请稍后再试。", retry_after_s=RETRY_S)
                if answer.status_code != 200:
                    raise EngineFailed(f"CosyVoice 服务拒绝了请求（{answer.status_code}）。")
                for piece in answer.iter_bytes():
                    pcm += piece
                    if len(pcm) > 2 * LONGEST_S * self.rate_hz:
                        raise EngineFailed("CosyVoice 服务没有说完。")
        except httpx.TimeoutException:
            raise Deadline("CosyVoice 服务没有及时回答。") from None
        except httpx.RemoteProtocolError:
            raise EngineFailed("CosyVoice 服务没有说完。") from None
        except httpx.TransportError:
            raise Unavailable("连接不上 CosyVoice 服务，请稍后再试。", retry_after_s=RETRY_S) from None
        if not pcm or len(pcm) % 2:
            raise EngineFailed("CosyVoice 没有说出声音。")
        return bytes(pcm)


def _prompt(sample: Recording) -> bytes:
    """A WAV as the server reads it."""
    file = io.BytesIO()
    soundfile.write(file, sample.heard(PROMPT_HZ)[0].astype(np.float32) * 0.9, PROMPT_HZ, format="WAV")
    return file.getvalue()
