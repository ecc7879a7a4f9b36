"""One small real file of each kind that can be labelled, and readers of it that are not ours."""

import json
import struct
import wave
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import av
import lameenc  # type: ignore[import-not-found, import-untyped, unused-ignore]
import mutagen.id3
import numpy as np
import soundfile  # type: ignore[import-untyped, unused-ignore]
import yaml
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from store.labels import Label

FIRST = Label.generated("001191110000MA00TEST0Y00001", "first-artifact", "a" * 64)
SECOND = Label.generated("001191110000MA00TEST0Y00001", """second<&>"'\\]]>artifact""", "b" * 64)
ID3: Any = mutagen.id3.ID3  # mutagen's classes have no types
TYER: Any = mutagen.id3.TYER
XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:CreatorTool="Troupe"/>'
    b"</rdf:RDF></x:xmpmeta>"
)
PIXELS = Image.fromarray(np.random.default_rng(0).integers(0, 256, (61, 47, 3), dtype=np.uint8))
TONE = (np.sin(np.arange(24_000) / 9) * 9_000).astype(np.int16)  # (samples,), half a second of 48 kHz


def png(path: Path) -> None:
    texts = PngInfo()
    texts.add_text("Comment", "kept")
    texts.add_itxt("XML:com.adobe.xmp", XMP.decode())
    PIXELS.save(path, "PNG", pnginfo=texts)


def jpeg(path: Path) -> None:
    exif = Image.Exif()
    exif[0x010E] = "kept"
    PIXELS.save(path, "JPEG", exif=exif, xmp=XMP)


def mp3(path: Path) -> None:
    encoder = lameenc.Encoder()
    encoder.set_channels(1)
    encoder.set_in_sample_rate(48_000)
    encoder.silence()
    path.write_bytes(encoder.encode(TONE.tobytes()) + encoder.flush())
    tags = ID3()
    tags.add(TYER(encoding=0, text="2026"))
    tags.save(path, v2_version=3)


def sound(form: str, subtype: str) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        with soundfile.SoundFile(path, "w", 48_000, 1, subtype, format=form) as file:
            file.title = "kept"
            file.write(TONE)

    return make


def film(form: str, **tags: str) -> Callable[[Path], None]:
    """H.264 with B-frames at 23.976 frames a second, and AAC."""

    def make(path: Path) -> None:
        with av.open(str(path), "w", format=form) as container:
            container.metadata.update({"title": "保留"} | tags)
            video = container.add_stream("libx264", Fraction(24_000, 1_001), options={"bf": "2"})
            video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
            audio = container.add_stream("aac", 48_000, layout="mono")
            video.metadata["language"], audio.metadata["language"] = "zho", "eng"
            for shade in range(0, 240, 10):
                picture = np.full((48, 64, 3), shade, np.uint8)
                container.mux(video.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            samples = av.AudioFrame.from_ndarray(TONE[None], format="s16", layout="mono")
            samples.sample_rate, samples.pts = 48_000, 0
            container.mux(audio.encode(samples))
            container.mux([*video.encode(), *audio.encode()])

    return make


def text(content: str) -> Callable[[Path], Any]:
    return lambda path: path.write_bytes(content.encode())


def pixels(path: Path) -> Any:
    with Image.open(path) as image:
        info = {name: image.info.get(name) for name in ("Comment", "exif")}
        return image.mode, image.size, image.tobytes(), info, described(path)["CreatorTool"]


def plain_pixels(path: Path) -> Any:
    with Image.open(path) as image:
        return image.mode, image.size, image.tobytes()


def samples(path: Path) -> Any:
    with soundfile.SoundFile(path) as file:
        return file.samplerate, file.title, file.read(dtype="int16").tobytes()


def pcm(path: Path) -> Any:
    with wave.open(str(path)) as file:
        return file.getparams(), file.readframes(file.getnframes()), samples(path)


def tagged(path: Path) -> Any:
    return samples(path), str(ID3(path, translate=False)["TYER"])


def packets(path: Path) -> Any:
    with av.open(str(path)) as container:
        facts = container.duration, container.metadata["title"], [dict(one.metadata) for one in container.streams]
        found = [
            (one.stream_index, one.pts, one.dts, one.duration, bytes(one)) for one in container.demux() if one.size
        ]
        return facts, [(one.time_base, one.duration, one.frames) for one in container.streams], found


def members(path: Path) -> Any:
    return [item for item in json.loads(path.read_text()).items() if item[0] != "AIGC"]


def written(path: Path) -> Any:
    front, body = split(path)
    return {name: value for name, value in front.items() if name != "AIGC"}, body


def split(path: Path) -> tuple[dict[str, Any], str]:
    content = path.read_bytes().decode()
    if not content.startswith("---\n"):
        return {}, content
    _, front, body = content.split("---\n", 2)
    return yaml.safe_load(front), body


def described(path: Path) -> dict[str, str]:
    with Image.open(path) as image:
        return image.getxmp().get("xmpmeta", {}).get("RDF", {}).get("Description", {})


def by_pillow(path: Path) -> str:
    return described(path)["AIGC"]


def by_mutagen(path: Path) -> str:
    (found,) = mutagen.File(path)["AIGC"]
    return found


def by_mutagen_id3(path: Path) -> str:
    (frame,) = ID3(path).getall("TXXX:AIGC")
    return str(frame)


def by_libav(path: Path) -> str:
    with av.open(str(path)) as container:
        return container.metadata["AIGC"]


def by_offset(path: Path) -> str:
    content = path.read_bytes()
    assert struct.unpack("<I", content[4:8])[0] == len(content) - 8
    at = content.rindex(b"AIGC")
    assert at % 2 == 0
    return content[at + 8 : at + 8 + struct.unpack("<I", content[at + 4 : at + 8])[0]].decode()


def by_json(path: Path) -> str:
    content = json.loads(path.read_text())
    assert next(iter(content)) == "AIGC"
    return json.dumps(content["AIGC"], separators=(",", ":"))


def by_yaml(path: Path) -> str:
    return json.dumps(split(path)[0]["AIGC"], separators=(",", ":"))


class Sample(NamedTuple):
    media_type: str
    make: Callable[[Path], Any]
    content: Callable[[Path], Any]  # what labelling must not change
    other: Callable[[Path], str]  # another reader


SAMPLES = {
    "png": Sample("image/png", png, pixels, by_pillow),
    "png-bare": Sample("image/png", lambda path: PIXELS.convert("P").save(path, "PNG"), plain_pixels, by_pillow),
    "jpeg": Sample("image/jpeg", jpeg, pixels, by_pillow),
    "jpeg-bare": Sample("image/jpeg", lambda path: PIXELS.save(path, "JPEG"), plain_pixels, by_pillow),
    "webp": Sample("image/webp", lambda path: PIXELS.save(path, "WEBP"), plain_pixels, by_pillow),
    "webp-alpha": Sample(
        "image/webp",
        lambda path: PIXELS.convert("RGBA").rotate(9).save(path, "WEBP", lossless=True),
        plain_pixels,
        by_pillow,
    ),
    "webp-xmp": Sample("image/webp", lambda path: PIXELS.save(path, "WEBP", xmp=XMP), pixels, by_pillow),
    "mp4": Sample("video/mp4", film("mp4"), packets, by_libav),
    "mov": Sample("video/quicktime", film("mov"), packets, by_libav),
    "mp3": Sample("audio/mpeg", mp3, tagged, by_mutagen_id3),
    "wav": Sample("audio/wav", sound("WAV", "PCM_16"), pcm, by_offset),
    "flac": Sample("audio/flac", sound("FLAC", "PCM_16"), samples, by_mutagen),
    "ogg": Sample("audio/ogg", sound("OGG", "VORBIS"), samples, by_mutagen),
    "opus": Sample("audio/ogg", sound("OGG", "OPUS"), samples, by_mutagen),
    "json": Sample(
        "application/json", text('{\n  "b": 1.10,\n  "a": "中文 \\ud83d",\n  "b": [1e999]\n}\n'), members, by_json
    ),
    "json-empty": Sample("application/json; charset=utf-8", text("{}"), members, by_json),
    "markdown": Sample("text/markdown", text("# 标题\n\n---\n\nwords: more\n"), written, by_yaml),
    "markdown-front": Sample("text/markdown", text("---\n# c\ntitle: 标题\ntags: [a]\n---\nbody\n"), written, by_yaml),
}
