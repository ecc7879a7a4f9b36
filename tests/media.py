"""Small sounds, films and pictures in many formats."""

import io
import tempfile
from fractions import Fraction
from functools import cache
from pathlib import Path

import av
import numpy as np
import soundfile
import soxr
from PIL import Image

from contracts.speech import SpeechRequest
from deployments.speech.espeak import Espeak
from deployments.speech.espeak_library import RATE_HZ
from graphs.story import wav

FILMED = 128  # pixels a side of `tests.filmed`
RATES = {"wmav2": {"b": "64000"}}  # of codecs that have none of their own


def picture(form: str = "PNG", width: int = 40, height: int = 30) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(file, form)
    return file.getvalue()


def sound(form: str, codec: str, rate_hz: int, seconds: float = 1.0) -> bytes:
    """A tone, mono; the formats are libavformat's writers."""
    file = io.BytesIO()
    tone = (np.sin(np.arange(int(rate_hz * seconds)) * 440 * 2 * np.pi / rate_hz) * 12_000).astype(np.int16)
    with av.open(file, "w", format=form) as container:
        stream = container.add_stream(codec, rate=rate_hz, layout="mono", options=RATES.get(codec))
        frame = av.AudioFrame.from_ndarray(tone[None], format="s16", layout="mono")
        frame.sample_rate, frame.pts = rate_hz, 0
        fit = av.AudioResampler(stream.codec_context.format, "mono", rate_hz, stream.codec_context.frame_size or 1024)
        for piece in [*fit.resample(frame), *fit.resample(None)]:
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
    return file.getvalue()


def film(form: str, codec: str, seconds: float = 4.0, **options: str) -> bytes:
    """20 frames a second, 64 x 48, without sound; `options` are the writer's."""
    with tempfile.NamedTemporaryFile() as file:
        with av.open(file.name, "w", format=form, container_options=options) as container:
            stream = container.add_stream(codec, rate=20)
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
            stream.codec_context.gop_size = 10
            for number in range(round(seconds * 20)):
                shade = np.full((48, 64, 3), number * 5 % 255, np.uint8)
                frame = av.VideoFrame.from_ndarray(shade, format="rgb24").reformat(format="yuv420p")
                frame.pts, frame.time_base = number, Fraction(1, 20)
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        return Path(file.name).read_bytes()


def hours(number: float) -> bytes:
    """Silence, at a low rate."""
    file = io.BytesIO()
    soundfile.write(file, np.zeros(round(number * 3600 * 1000), np.int16), 1000, format="FLAC")
    return file.getvalue()


def alaw(sound: bytes) -> bytes:
    """A WAV as a telephone would have it, twice: stereo, 8 kHz, A-law."""
    samples, rate_hz = soundfile.read(io.BytesIO(sound))
    narrow = soxr.resample(samples, rate_hz, 8_000)
    file = io.BytesIO()
    soundfile.write(file, np.stack([narrow, narrow], 1), 8_000, format="WAV", subtype="ALAW")
    return file.getvalue()


def talkie(sound: bytes, seconds: float = 1.0) -> bytes:
    """A film of so many seconds in which somebody is heard: this WAV."""
    with tempfile.NamedTemporaryFile(suffix=".mp4") as file:
        with av.open(file.name, "w") as container, av.open(io.BytesIO(sound)) as heard:
            stream = container.add_stream("libx264", rate=20)
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
            aac = container.add_stream("aac", rate=44_100)
            for number in range(round(20 * seconds)):
                frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), number % 256, np.uint8), format="rgb24")
                frame.pts, frame.time_base = number, Fraction(1, 20)
                container.mux(stream.encode(frame.reformat(format="yuv420p")))
            container.mux(stream.encode(None))
            for frame in heard.decode(audio=0):
                container.mux(aac.encode(frame))
            container.mux(aac.encode(None))
        return Path(file.name).read_bytes()


@cache
def speech(text: str = "A little fox went to the market, and everybody said hello to the fox.") -> bytes:
    """A WAV of somebody who speaks."""
    engine = Espeak()
    engine.load()
    pcm = b"".join(chunk.pcm for chunk in engine.synthesize(SpeechRequest(text=text, voice="en-us+m3")))
    return wav(pcm, RATE_HZ)
