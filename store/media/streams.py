"""Sounds and films, decoded: python -m store.media.streams <descriptor>

Opened as a file object, with allow-lists of formats and codecs: none of them reads another file or an address.
"""

import io
import json
import os
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from typing import IO, Any

import av
from av.stream import Disposition

from contracts.errors import InvalidInput, ServiceError, UnsupportedMedia
from contracts.media import Kind, Media

FORMATS = "wav mp3 flac ogg aac amr mov matroska mpegts avi flv aiff asf caf"  # libavformat's names of the readers
SOUNDS = """aac ac3 adpcm_ima_qt adpcm_ima_wav adpcm_ms alac amrnb amrwb eac3 flac libopencore_amrnb
    libopencore_amrwb libopus mp2 mp2float mp3 mp3float opus pcm_alaw pcm_f32be pcm_f32le pcm_f64be pcm_f64le pcm_mulaw
    pcm_s16be pcm_s16le pcm_s24be pcm_s24le pcm_s32be pcm_s32le pcm_s8 pcm_u8 speex vorbis wmav1 wmav2"""
FILMS = """av1 dnxhd flv h263 h264 hevc libdav1d libvpx libvpx-vp9 mjpeg mpeg1video mpeg2video mpeg4 msmpeg4 prores
    theora vp6f vp8 vp9"""
CODECS = [*SOUNDS.split(), *FILMS.split()]  # libavcodec's names of the decoders
ENDINGS: dict[tuple[str, Kind], tuple[str, str]] = {
    ("wav", "audio"): (".wav", "audio/wav"),
    ("mp3", "audio"): (".mp3", "audio/mpeg"),
    ("flac", "audio"): (".flac", "audio/flac"),
    ("ogg", "audio"): (".ogg", "audio/ogg"),
    ("aac", "audio"): (".aac", "audio/aac"),
    ("amr", "audio"): (".amr", "audio/amr"),
    ("mov", "audio"): (".m4a", "audio/mp4"),
    ("aiff", "audio"): (".aiff", "audio/x-aiff"),
    ("asf", "audio"): (".wma", "audio/x-ms-wma"),
    ("caf", "audio"): (".caf", "audio/x-caf"),
    ("webm", "audio"): (".weba", "audio/webm"),
    ("matroska", "audio"): (".mka", "audio/x-matroska"),
    ("ogg", "video"): (".ogv", "video/ogg"),
    ("mov", "video"): (".mp4", "video/mp4"),
    ("qt", "video"): (".mov", "video/quicktime"),
    ("webm", "video"): (".webm", "video/webm"),
    ("matroska", "video"): (".mkv", "video/x-matroska"),
    ("mpegts", "video"): (".ts", "video/mp2t"),
    ("avi", "video"): (".avi", "video/x-msvideo"),
    ("flv", "video"): (".flv", "video/x-flv"),
}

MOST_PIXELS = 7680 * 4320
OPTIONS = {
    "format_whitelist": FORMATS.replace(" ", ","),
    "codec_whitelist": ",".join(CODECS),
    "protocol_whitelist": "none",
    "max_pixels": str(MOST_PIXELS),
    "max_streams": "64",
}
SOUND_S = 600.0  # of a sound, so much is decoded
FILM_S, LEAST_FRAMES = 2.0, 2  # of a film, so much of its beginning; one frame makes a picture
LAST_S = 1.0  # and a frame of about the end
WORK_S = 10.0  # who decodes slower is asked for less
CPU_S, MEMORY_BYTES = 60, 4 << 30  # of this process


def check(file: IO[bytes]) -> Media:
    """What decodes as a sound or a film; a film's cover picture makes no film."""
    try:
        with av.open(file, options=OPTIONS, buffer_size=1 << 18) as container:
            films = [stream for stream in container.streams.video if not stream.disposition & Disposition.attached_pic]
            if not films and not container.streams.audio:
                raise InvalidInput("文件中没有声音或画面。")
            for stream in [*films[:1], *container.streams.audio[:1]]:
                if stream.codec_context is None or stream.codec_context.name not in CODECS:
                    raise UnsupportedMedia("不支持该文件的编码。")
            return _film(file, container, films[0]) if films else _sound(file, container)
    except av.FFmpegError:
        raise InvalidInput("文件已损坏或不完整，无法解码。") from None


def _sound(file: IO[bytes], container: Any) -> Media:
    stream, seconds, end = container.streams.audio[0], 0.0, time.monotonic() + WORK_S
    for frame in _frames(container, stream):
        seconds += frame.samples / frame.sample_rate
        if seconds > SOUND_S or time.monotonic() > end:
            seconds = max(seconds, _length(container) or 0.0)
            break
    if not seconds:
        raise InvalidInput("没有可解码的声音。")
    suffix, media_type = _ending(file, container, "audio")
    return Media("audio", suffix, media_type, round(seconds, 3), sample_rate=stream.codec_context.sample_rate)


def _film(file: IO[bytes], container: Any, stream: Any) -> Media:
    first, count, end = None, 0, time.monotonic() + WORK_S
    for frame in _frames(container, stream):
        first, count = first or frame, count + 1
        enough = count >= LEAST_FRAMES and (frame.time or 0.0) - (first.time or 0.0) >= FILM_S
        if enough or time.monotonic() > end:
            break
    if first is None or count < LEAST_FRAMES:
        raise InvalidInput("没有可解码的画面。")
    duration = _length(container) or _last(container, stream)
    container.seek((container.start_time or 0) + int(max(duration - LAST_S, 0.0) * av.time_base))
    if next(_frames(container, stream), None) is None:
        raise InvalidInput("视频不完整，结尾无法解码。")
    suffix, media_type = _ending(file, container, "video")
    rate = next((sound.codec_context.sample_rate for sound in container.streams.audio if sound.codec_context), None)
    return Media("video", suffix, media_type, round(duration, 3), first.width, first.height, rate)


def _frames(container: Any, stream: Any) -> Iterator[Any]:
    """What decodes from here on. Single bad packets are passed by; more bad than good ones are `InvalidInput`."""
    good = bad = 0
    for packet in _packets(container, stream):
        try:
            frames = packet.decode()
        except av.FFmpegError:
            bad += 1
            continue
        good += bool(frames)
        yield from frames
    if bad > good:
        raise InvalidInput("文件已损坏，无法解码。")


def _packets(container: Any, stream: Any) -> Iterator[Any]:
    """Until the end, or to where the file breaks off; the last one, which is empty, asks for what is held back."""
    with suppress(av.FFmpegError):
        yield from container.demux(stream)


def _length(container: Any) -> float | None:
    """Seconds, as the file tells; a recording that a browser streamed tells none."""
    return container.duration / av.time_base if container.duration and container.duration > 0 else None


def _last(container: Any, stream: Any) -> float:
    """Seconds from the start to the end of the last packet."""
    ends = [(packet.pts + (packet.duration or 0)) for packet in _packets(container, stream) if packet.pts is not None]
    return float(max(ends, default=0) * stream.time_base) - (container.start_time or 0) / av.time_base


def _ending(file: IO[bytes], container: Any, kind: Kind) -> tuple[str, str]:
    """The suffix and the media type of a format that may hold this kind."""
    name = container.format.name.partition(",")[0]
    if name == "matroska":
        file.seek(0)
        name = "webm" if b"webm" in file.read(64) else name
    elif name == "mov" and kind == "video" and container.metadata.get("major_brand") == "qt  ":
        name = "qt"
    if (name, kind) not in ENDINGS:
        raise UnsupportedMedia("不支持该文件格式。")
    return ENDINGS[name, kind]


class Shared(io.RawIOBase):
    """Another's file by its descriptor: read from a position of our own."""

    def __init__(self, number: int) -> None:
        self._number, self._position, self._size = number, 0, os.fstat(number).st_size

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._position = max(0, offset + (0, self._position, self._size)[whence])
        return self._position

    def readinto(self, buffer: Any) -> int:
        content = os.pread(self._number, len(buffer), self._position)
        buffer[: len(content)] = content
        self._position += len(content)
        return len(content)


def _main(number: int) -> None:
    for limit, most in ((resource.RLIMIT_CPU, CPU_S), (resource.RLIMIT_AS, MEMORY_BYTES), (resource.RLIMIT_FSIZE, 0)):
        with suppress(ValueError, OSError):  # not every system has each
            resource.setrlimit(limit, (most, most))
    answer: dict[str, Any]
    try:
        with io.BufferedReader(Shared(number)) as file:
            answer = asdict(check(file))
    except ServiceError as error:
        answer = {"code": error.code, "message": error.message}
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    _main(int(sys.argv[1]))
