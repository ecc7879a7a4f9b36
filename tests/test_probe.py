"""What callers bring is what its content says, and it decodes."""

import io
import shutil
import sys
import tempfile
import time
import zipfile
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor

import mutagen.id3
import pytest
from PIL import Image, ImageFile

from contracts.errors import InvalidInput, ServiceError, TooLarge, UnsupportedMedia
from contracts.media import Kind, Media
from store.artifacts import media_type_of
from store.media import apart, check_picture, probe
from store.media.streams import ENDINGS
from tests.media import film, picture, sound

ANY: tuple[Kind, ...] = ("image", "audio", "video")


def probed(content: bytes, kinds: Collection[Kind] = ANY) -> Media:
    with tempfile.TemporaryFile() as file:
        file.write(content)
        return probe(file, kinds, "voice")


def refusal(content: bytes, kinds: Collection[Kind] = ANY) -> ServiceError:
    with pytest.raises(ServiceError) as refused:
        probed(content, kinds)
    assert refused.value.param == "voice"
    return refused.value


@pytest.mark.parametrize(
    ("form", "codec", "rate_hz", "suffix", "media_type"),
    [
        ("wav", "pcm_s16le", 16_000, ".wav", "audio/wav"),
        ("mp3", "libmp3lame", 44_100, ".mp3", "audio/mpeg"),
        ("flac", "flac", 16_000, ".flac", "audio/flac"),
        ("ogg", "libopus", 48_000, ".ogg", "audio/ogg"),
        ("mp4", "aac", 44_100, ".m4a", "audio/mp4"),
        ("webm", "libopus", 48_000, ".weba", "audio/webm"),
        ("adts", "aac", 44_100, ".aac", "audio/aac"),
        ("amr", "libopencore_amrnb", 8_000, ".amr", "audio/amr"),
        ("aiff", "pcm_s16be", 22_050, ".aiff", "audio/x-aiff"),
        ("asf", "wmav2", 44_100, ".wma", "audio/x-ms-wma"),
        ("caf", "alac", 44_100, ".caf", "audio/x-caf"),
    ],
)
def test_sounds_are_known_by_their_content(form: str, codec: str, rate_hz: int, suffix: str, media_type: str) -> None:
    media = probed(sound(form, codec, rate_hz), ["audio"])
    assert (media.kind, media.suffix, media.media_type, media.sample_rate) == ("audio", suffix, media_type, rate_hz)
    assert media.duration_s == pytest.approx(1.0, abs=0.06)
    assert media.width is media.height is None


@pytest.mark.parametrize(
    ("form", "codec", "suffix", "media_type"),
    [
        ("mp4", "libx264", ".mp4", "video/mp4"),
        ("mov", "libx264", ".mov", "video/quicktime"),
        ("webm", "libvpx", ".webm", "video/webm"),
        ("matroska", "libx264", ".mkv", "video/x-matroska"),
        ("avi", "mpeg4", ".avi", "video/x-msvideo"),
        ("flv", "flv", ".flv", "video/x-flv"),
        ("mpegts", "libx264", ".ts", "video/mp2t"),
    ],
)
def test_films_are_known_by_their_content(form: str, codec: str, suffix: str, media_type: str) -> None:
    media = probed(film(form, codec), ["video"])
    assert (media.kind, media.suffix, media.media_type) == ("video", suffix, media_type)
    assert (media.width, media.height, media.duration_s) == (64, 48, pytest.approx(4.0, abs=0.1))


@pytest.mark.parametrize(
    ("form", "codec", "options"),
    [("webm", "libvpx", {"live": "1"}), ("mp4", "libx264", {"movflags": "frag_keyframe+empty_moov"})],
)
def test_a_recording_of_a_browser_has_a_length_although_it_tells_none(form: str, codec: str, options: dict) -> None:
    assert probed(film(form, codec, **options)).duration_s == pytest.approx(4.0, abs=0.1)


@pytest.mark.parametrize(("form", "suffix"), [("PNG", ".png"), ("JPEG", ".jpg"), ("WEBP", ".webp")])
def test_pictures_are_known_by_their_content(form: str, suffix: str) -> None:
    media = probed(picture(form), ["image"])
    assert (media.kind, media.suffix, media.width, media.height) == ("image", suffix, 40, 30)


def test_a_telephones_jpeg_of_several_pictures_is_a_jpeg() -> None:
    file = io.BytesIO()
    first, second = Image.new("RGB", (40, 30), "teal"), Image.new("RGB", (40, 30), "red")
    first.save(file, "MPO", save_all=True, append_images=[second])
    assert check_picture(file, "picture").media_type == "image/jpeg"


def test_few_pictures_are_decoded_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blank ones of forty million pixels take a hundred kilobytes, and a thousand times as much once decoded."""
    load, at_once, counts = ImageFile.ImageFile.load, [0], []

    def counted(self: ImageFile.ImageFile) -> object:
        at_once[0] += 1
        counts.append(at_once[0])
        time.sleep(0.02)
        try:
            return load(self)
        finally:
            at_once[0] -= 1

    monkeypatch.setattr(ImageFile.ImageFile, "load", counted)
    with ThreadPoolExecutor(16) as pool:
        assert len(list(pool.map(lambda _: probed(picture()), range(32)))) == 32
    assert 1 < max(counts) <= 4


def test_what_is_kept_is_served_as_what_it_is() -> None:
    for suffix, media_type in ENDINGS.values():
        assert media_type_of(f"a{suffix}") == media_type


def test_a_cover_picture_makes_no_film() -> None:
    with tempfile.NamedTemporaryFile(suffix=".mp3") as file:
        file.write(sound("mp3", "libmp3lame", 44_100))
        file.flush()
        tags = mutagen.id3.ID3()
        tags.add(mutagen.id3.APIC(mime="image/png", type=3, data=picture()))
        tags.save(file.name)
        assert probe(file, ["audio"]).kind == "audio"
        with pytest.raises(UnsupportedMedia, match="应为视频，收到的是音频"):
            probe(file, ["video"])


def zipped(content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.mp3", content)
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "kinds", "error", "words"),
    [
        (b"", ANY, InvalidInput, "空"),
        (sound("wav", "pcm_s16le", 16_000)[:44], ["audio"], InvalidInput, "解码"),
        (zipped(sound("mp3", "libmp3lame", 44_100)), ["audio"], UnsupportedMedia, "不是可读的音频"),
        (b"<html><body>hello</body></html>", ["image"], UnsupportedMedia, "不是可读的图片"),
        (b"\x89PNG\r\n\x1a\n<html><script>alert(1)</script></html>", ["image"], InvalidInput, "PNG"),
        (picture()[:-20], ["image"], InvalidInput, "PNG"),
        (picture("JPEG", 400, 300)[:1500], ["image"], InvalidInput, "JPEG"),
        (picture(), ["audio", "video"], UnsupportedMedia, "音频或视频"),
        (picture("GIF"), ["image"], InvalidInput, "PNG"),
        (sound("wav", "pcm_s16le", 16_000), ["image"], UnsupportedMedia, "不是可读的图片"),
        (film("mp4", "libx264"), ["audio"], UnsupportedMedia, "应为音频，收到的是视频"),
        (film("mp4", "libx264", 0.05), ["video"], InvalidInput, "画面"),
        (film("mp4", "libx264")[:1200], ["video"], InvalidInput, "损坏"),
        (film("mp4", "libx264")[:24], ["video"], InvalidInput, "损坏"),
        (b"ID3\4\0\0\0\0\0\0" + b"not a sound at all " * 500, ["audio"], InvalidInput, "解码|损坏"),
        (b"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1/a.ts\n", ANY, UnsupportedMedia, "不是可读的"),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", ANY, UnsupportedMedia, "不是可读的"),
        (b"RIFF\x24\0\0\0WAVE#EXTM3U\nfile:///etc/passwd\n", ANY, InvalidInput, "解码"),
    ],
)
def test_what_is_not_what_it_must_be_is_refused(
    content: bytes, kinds: Collection[Kind], error: type[ServiceError], words: str
) -> None:
    refused = refusal(content, kinds)
    assert type(refused) is error
    assert any(word in refused.message for word in words.split("|")), refused.message


def test_a_picture_of_too_many_pixels_is_refused() -> None:
    assert type(refusal(picture("PNG", 6400, 6400), ["image"])) is TooLarge


def test_a_film_that_breaks_off_is_refused() -> None:
    """Its index, at the start, tells of more than there is."""
    content = film("mp4", "libx264", 20, movflags="faststart")
    assert probed(content).duration_s == pytest.approx(20, abs=0.1)
    assert refusal(content[: len(content) // 2]).message == "视频不完整，结尾无法解码。"


def test_what_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart, "MOST_S", 0.0)
    assert refusal(sound("wav", "pcm_s16le", 16_000)).message == "文件无法解码。"


def test_what_crashes_ends_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", shutil.which("false"))
    assert refusal(sound("wav", "pcm_s16le", 16_000)).message == "文件无法解码。"


def test_many_at_once_take_turns() -> None:
    content = sound("wav", "pcm_s16le", 16_000)
    with ThreadPoolExecutor(8) as pool:
        assert {media.duration_s for media in pool.map(probed, [content] * 8)} == {1.0}


def test_a_file_stays_where_its_owner_reads_it() -> None:
    """Its own buffer and position are not disturbed by the process that reads beside it."""
    content = film("mp4", "libx264")
    with tempfile.SpooledTemporaryFile(max_size=1 << 20) as file:
        file.write(content)
        probe(file, ["video"])
        assert file.read() == content
