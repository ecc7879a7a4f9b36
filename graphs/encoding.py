"""Speech as a file that is sent while it is made: encoded chunk by chunk, labelled at its beginning."""

import asyncio
import io
import struct
from collections.abc import AsyncGenerator
from contextlib import aclosing
from fractions import Fraction
from typing import Any, Literal, NamedTuple, cast

import av
import numpy as np

from contracts.speech import AudioChunk

Format = Literal["mp3", "opus", "aac", "flac", "wav", "pcm"]
TAG = "AIGC"  # the label's name in every format
ENDLESS = 0xFFFF_FFFF  # a size in a header that is written before the end is known


class Encoding(NamedTuple):
    """`rates_hz`: those that the encoder takes; empty: any. Others are brought to the last."""

    media_type: str
    muxer: str = ""
    codec: str = ""
    options: dict[str, str] = {}
    rates_hz: tuple[int, ...] = ()
    bit_rate: int = 0


ENCODINGS: dict[Format, Encoding] = {
    "mp3": Encoding("audio/mpeg", "mp3", "libmp3lame", {"write_xing": "0"}, (16_000, 22_050, 24_000, 44_100), 64_000),
    "opus": Encoding("audio/ogg", "ogg", "libopus", {"page_duration": "100000"}, (16_000, 24_000, 48_000), 48_000),
    "aac": Encoding("audio/aac", "adts", "aac", {"write_id3v2": "1"}, (16_000, 22_050, 24_000, 44_100), 96_000),
    "flac": Encoding("audio/flac", "flac", "flac"),
    "wav": Encoding("audio/wav"),
    "pcm": Encoding("audio/pcm", rates_hz=(24_000,)),  # OpenAI's: nothing in it says its rate
}


async def encoded(chunks: AsyncGenerator[AudioChunk], form: Format, label: str) -> AsyncGenerator[bytes]:
    """The file in pieces, each as soon as there is sound for it. `label`: the text of its label; PCM has no room."""
    writer: Writer | None = None
    async with aclosing(chunks):
        async for chunk in chunks:
            writer = writer or Writer(form, chunk.sample_rate, label)
            if piece := await asyncio.to_thread(writer.write, chunk.pcm):
                yield piece
    if writer and (rest := await asyncio.to_thread(writer.finish)):
        yield rest


class Writer:
    """Encodes mono 16-bit PCM of one rate."""

    def __init__(self, form: Format, rate_hz: int, label: str) -> None:
        self.encoding, self.rate_hz, self.written = ENCODINGS[form], rate_hz, 0
        rates = self.encoding.rates_hz
        self.target_hz = rate_hz if not rates or rate_hz in rates else rates[-1]
        self.sink = Sink()
        self.container: Any = self._opened(label) if self.encoding.muxer else None
        self.stream: Any = self.container.streams[0] if self.container else None
        codec: Any = self.stream.codec_context if self.stream else None
        samples, size = (codec.format.name, codec.frame_size or None) if codec else ("s16", None)
        self.fit = av.AudioResampler(samples, "mono", self.target_hz, size)
        if form == "wav":
            self.sink.write(_header(self.target_hz, label))

    def write(self, pcm: bytes) -> bytes:
        frame = av.AudioFrame.from_ndarray(np.frombuffer(pcm, "<i2")[None], format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = self.rate_hz, self.written, Fraction(1, self.rate_hz)
        self.written += frame.samples
        self._encode(self.fit.resample(frame))
        return self.sink.taken()

    def finish(self) -> bytes:
        self._encode(self.fit.resample(None))
        if self.container:
            self.container.mux(self.stream.encode(None))
            self.container.close()
        return self.sink.taken()

    def _encode(self, frames: list[av.AudioFrame]) -> None:
        for frame in frames:
            if self.container:
                self.container.mux(self.stream.encode(frame))
            else:
                self.sink.write(frame.to_ndarray().astype("<i2").tobytes())

    def _opened(self, label: str) -> Any:
        options = {"flush_packets": "1"} | self.encoding.options
        container = av.open(cast(Any, self.sink), "w", format=self.encoding.muxer, options=options)
        container.metadata[TAG] = label
        stream: Any = container.add_stream(self.encoding.codec, rate=self.target_hz, layout="mono")
        if self.encoding.bit_rate:
            stream.bit_rate = self.encoding.bit_rate
        stream.codec_context.open()
        return container


class Sink:
    """What is written, until it is taken; nobody can go back in it."""

    def __init__(self) -> None:
        self.buffer = io.BytesIO()

    def write(self, data: bytes) -> int:
        return self.buffer.write(data)

    def taken(self) -> bytes:
        data, self.buffer = self.buffer.getvalue(), io.BytesIO()
        return data


def _header(rate_hz: int, label: str) -> bytes:
    """RIFF up to the samples, the label before them: behind them nobody would find it while they come."""
    text = label.encode() + b" " * (len(label) % 2)
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, rate_hz, 2 * rate_hz, 2, 16)
    marked = struct.pack("<4sI", TAG.encode(), len(text)) + text
    return struct.pack("<4sI4s", b"RIFF", ENDLESS, b"WAVE") + form + marked + struct.pack("<4sI", b"data", ENDLESS)
