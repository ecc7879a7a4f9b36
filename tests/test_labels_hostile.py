"""Damaged and hostile files: unread or refused, untouched, in bounded time and memory."""

import io
import struct
import tracemalloc
import wave
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.errors import InvalidInput
from store import labels
from tests.labelled import FIRST, PIXELS, SAMPLES, SECOND, XMP, film


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def with_xmp(packet: bytes, deflated: bool = False) -> bytes:
    """A PNG with this packet."""
    out = io.BytesIO()
    PIXELS.save(out, "PNG")
    body = zlib.compress(packet) if deflated else packet
    added = chunk(b"iTXt", b"XML:com.adobe.xmp\0" + bytes((deflated, 0)) + b"\0\0" + body)
    return out.getvalue()[:33] + added + out.getvalue()[33:]


def wav(riff: int, data: int) -> bytes:
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, 8_000, 16_000, 2, 16)
    return struct.pack("<4sI4s", b"RIFF", riff, b"WAVE") + form + struct.pack("<4sI", b"data", data) + bytes(64)


BOMB = b'<!DOCTYPE a [<!ENTITY b "bbbbbbbb"><!ENTITY c "&b;&b;&b;">]>' + XMP.replace(b"Troupe", b"&c;")
HOSTILE = {
    "empty png": ("image/png", b""),
    "html behind a png header": ("image/png", b"\x89PNG\r\n\x1a\n<html><body>hello</body></html>"),
    "png chunk of 2 GiB": ("image/png", b"\x89PNG\r\n\x1a\n" + struct.pack(">I4s", 0x7FFFFFFF, b"IHDR") + bytes(40)),
    "entities": ("image/png", with_xmp(BOMB)),
    "no xml": ("image/png", with_xmp(b"\0\xff<")),
    "no rdf": ("image/png", with_xmp(b"<a/>")),
    "deep xml": ("image/png", with_xmp(b"<a>" * 40_000 + b"</a>" * 40_000)),
    "deflate bomb": ("image/png", with_xmp(bytes(50_000_000), deflated=True)),
    "jpeg segment past the end": ("image/jpeg", b"\xff\xd8\xff\xe1\xff\xff" + bytes(30)),
    "jpeg of fill bytes": ("image/jpeg", b"\xff\xd8" + b"\xff" * 100_000),
    "webp without a picture": ("image/webp", b"RIFF\x0c\0\0\0WEBPXMP \0\0\0\0"),
    "wav, data past the end": ("audio/wav", wav(100, 0x7FFFFFFF)),
    "wav, riff past the end": ("audio/wav", wav(0x7FFFFFFF, 64)),
    "wav without samples": ("audio/wav", b"RIFF\x04\0\0\0WAVE"),
    "mp4 of nothing": ("video/mp4", b"\0\0\0\x18ftypisom\0\0\0\0isommp41"),
    "mp4 box of 4 GiB": ("video/mp4", b"\0\0\0\x10ftypisom\0\0\0\0" + b"\xff\xff\xff\xffmoov" + bytes(90)),
    "mp3 of text": ("audio/mpeg", b"only words" * 500),
    "id3 of 256 MiB": ("audio/mpeg", b"ID3\x04\0\0\x7f\x7f\x7f\x7f" + bytes(500)),
    "flac comment of 4 GiB": (
        "audio/flac",
        b"fLaC\0\0\0\x22" + bytes(34) + b"\x84\0\0\x08" + b"\xff\xff\xff\xff" + bytes(40),
    ),
    "ogg of text": ("audio/ogg", b"OggS" + b"words" * 90),
    "json list": ("application/json", b"[1, 2]"),
    "json cut": ("application/json", b'{"a": 1'),
    "json twice": ("application/json", b"{} {}"),
    "deep json": ("application/json", b'{"a":' + b"[" * 200_000),
    "json not utf-8": ("application/json", b'{"a": "\xff"}'),
    "markdown not utf-8": ("text/markdown", b"\xff\xfe#"),
}


def test_sound_that_was_sent_before_its_length_was_known_is_labelled(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(wav(0xFFFFFFFF, 0xFFFFFFFF))
    labels.write(path, "audio/wav", FIRST)
    assert labels.read(path, "audio/wav") == FIRST
    with wave.open(str(path)) as sound:
        assert sound.readframes(100) == bytes(64)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused(tmp_path: Path, name: str) -> None:
    media_type, content = HOSTILE[name]
    path = tmp_path / "file"
    path.write_bytes(content)
    assert labels.read(path, media_type) is None
    with pytest.raises(InvalidInput):
        labels.write(path, media_type, FIRST)
    assert path.read_bytes() == content
    assert [one.name for one in tmp_path.iterdir()] == ["file"]


def test_time_stamps_beyond_the_tables_are_refused(tmp_path: Path) -> None:
    """libav's muxer ends the process over them."""
    path = tmp_path / "file"
    film("mov", timecode="01:00:00:00")(path)
    content = path.read_bytes()
    at = content.index(b"stts") + 16  # ticks between the first frames
    path.write_bytes(content[:at] + b"\x78\0\0\0" + content[at + 4 :])
    with pytest.raises(InvalidInput):
        labels.write(path, "video/quicktime", FIRST)


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[bytes, Path]]:
    """Labelled content of each kind, and a place for broken copies."""
    path = tmp_path_factory.mktemp("broken") / "file"
    found = {}
    for name, sample in SAMPLES.items():
        sample.make(path)
        labels.write(path, sample.media_type, FIRST)
        found[name] = path.read_bytes(), path
    return found


@st.composite
def damage(draw: st.DrawFn) -> Callable[[bytes], bytes]:
    """Change some bytes, mostly where headers and labels are; sometimes cut the end off."""
    spots = draw(
        st.lists(st.tuples(st.integers(0, 4_000), st.booleans(), st.binary(min_size=1, max_size=4)), max_size=5)
    )
    kept = draw(st.one_of(st.just(1.0), st.floats(0, 1)))

    def apply(content: bytes) -> bytes:
        broken = bytearray(content)
        for at, from_end, new in spots:
            start = (len(broken) - at if from_end else at) % max(len(broken), 1)
            broken[start : start + len(new)] = new
        return bytes(broken[: int(len(broken) * kept)])

    return apply


@pytest.mark.parametrize("name", SAMPLES)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(break_it=damage())
def test_broken_files_are_read_or_refused(
    labelled: dict[str, tuple[bytes, Path]], name: str, break_it: Callable[[bytes], bytes]
) -> None:
    content, path = labelled[name]
    broken = break_it(content)
    path.write_bytes(broken)
    labels.read(path, SAMPLES[name].media_type)
    labels.sniff(path)
    try:
        labels.write(path, SAMPLES[name].media_type, SECOND)
    except InvalidInput:
        assert path.read_bytes() == broken
    else:
        assert labels.read(path, SAMPLES[name].media_type) == SECOND


def test_large_sound_is_not_held_in_memory(tmp_path: Path) -> None:
    path, size = tmp_path / "file", 64 << 20
    path.write_bytes(wav(36 + size, size)[:44])
    with path.open("r+b") as file:
        file.truncate(44 + size)
    tracemalloc.start()
    labels.write(path, "audio/wav", FIRST)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    path_is_labelled = labels.read(path, "audio/wav") == FIRST
    path.unlink()
    assert path_is_labelled
    assert peak < 8 << 20
