"""Sounds in memory: spoken by a model, or decoded from a recording."""

from collections.abc import Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

import av

from contracts.engines import Speech
from contracts.errors import EngineFailed, InvalidInput
from contracts.speech import SpeechRequest
from graphs.split import pieces, readable

LONGEST_S = 600  # of a recording
FORMATS = "wav,mp3,flac,ogg,aac,amr,mov,matroska,mpegts,avi,flv"  # none that names other files to be read


@dataclass(frozen=True)
class Sound:
    """Mono 16-bit little-endian PCM."""

    pcm: bytes
    rate_hz: int

    @property
    def duration_s(self) -> float:
        return len(self.pcm) / 2 / self.rate_hz

    def parts(self, seconds: float) -> Iterator["Sound"]:
        """The same in pieces of so many seconds; the last one is what is left."""
        size = 2 * round(seconds * self.rate_hz)
        for start in range(0, len(self.pcm), size):
            yield Sound(self.pcm[start : start + size], self.rate_hz)


def joined(sounds: Sequence[Sound]) -> Sound:
    """One after another. They have one rate."""
    return Sound(b"".join(sound.pcm for sound in sounds), sounds[0].rate_hz)


async def say(speech: Speech, text: str, sample: str) -> Sound:
    """A text of any length, sentence by sentence. `sample`: artifact key of a voice; empty: the model's own."""
    if not readable(text):
        raise InvalidInput("要说的文本不能为空，也不能只有标点。", param="text")
    return joined([await spoken(speech, sentence, sample) for sentence in pieces(text)])


async def spoken(speech: Speech, sentence: str, sample: str) -> Sound:
    async with aclosing(speech.synthesize(SpeechRequest(text=sentence, sample=sample))) as stream:
        chunks = [chunk async for chunk in stream]
    if not any(chunk.pcm for chunk in chunks):
        raise EngineFailed("语音模型没有说出声音。")
    return Sound(b"".join(chunk.pcm for chunk in chunks), chunks[0].sample_rate)


def recorded(path: Path) -> Sound:
    """A recording of any common format, its channels mixed to one. What does not decode, or is too long, is invalid."""
    try:
        with av.open(str(path), options={"format_whitelist": FORMATS}) as container:
            rate_hz = container.streams.audio[0].rate
            pcm = b"".join(_decoded(container, rate_hz))
    except (av.error.FFmpegError, ValueError, IndexError):  # ValueError: its form changes midway; IndexError: mute
        raise InvalidInput("录音不是可以解码的音频。", param="audio") from None
    if not pcm:
        raise InvalidInput("录音里没有声音。", param="audio")
    if len(pcm) > 2 * LONGEST_S * rate_hz:
        raise InvalidInput(f"录音太长，最多 {LONGEST_S // 60} 分钟。", param="audio")
    return Sound(pcm, rate_hz)


def _decoded(container: av.container.InputContainer, rate_hz: int) -> Iterator[bytes]:
    """Pieces of it, until it is over or too long."""
    mono, count = av.AudioResampler(format="s16", layout="mono", rate=rate_hz), 0
    for frame in container.decode(audio=0):
        for piece in mono.resample(frame):
            yield piece.to_ndarray().tobytes()
            count += piece.samples
        if count > LONGEST_S * rate_hz:
            return
    for piece in mono.resample(None):
        yield piece.to_ndarray().tobytes()
