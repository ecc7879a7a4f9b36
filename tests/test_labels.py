"""Labels are written where the standard puts them, read by other software, and never change what they label."""

import json
import shutil
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from contracts.errors import UnsupportedMedia
from store import labels
from store.labels import Label, jpeg
from tests.labelled import FIRST, PIXELS, SAMPLES, SECOND, XMP, Sample
from tests.media import picture


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One file of each kind; their names tell nothing."""
    folder = tmp_path_factory.mktemp("labels")
    for name, sample in SAMPLES.items():
        sample.make(folder / name)
    return {name: folder / name for name in SAMPLES}


@pytest.fixture(params=SAMPLES)
def case(request: pytest.FixtureRequest, originals: dict[str, Path], tmp_path: Path) -> tuple[Sample, Path, Path]:
    """What to expect, the original, and a copy to label."""
    original, path = originals[request.param], tmp_path / "file"
    shutil.copy(original, path)
    return SAMPLES[request.param], original, path


def test_label_is_read_back_by_us_and_by_others(case: tuple[Sample, Path, Path]) -> None:
    sample, _, path = case
    assert labels.read(path, sample.media_type) is None
    labels.write(path, sample.media_type, SECOND)
    assert labels.read(path, sample.media_type) == SECOND
    assert sample.other(path) == SECOND.as_json()


def test_a_picture_that_is_sent_is_labelled_as_one_that_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "sent"
    path.write_bytes(jpeg.labelled(picture("JPEG"), SECOND.as_json()))
    assert labels.read(path, "image/jpeg") == SECOND
    kept = tmp_path / "kept"
    kept.write_bytes(picture("JPEG"))
    labels.write(kept, "image/jpeg", SECOND)
    assert path.read_bytes() == kept.read_bytes()


def test_labelling_changes_nothing_else(case: tuple[Sample, Path, Path]) -> None:
    sample, original, path = case
    labels.write(path, sample.media_type, FIRST)
    assert sample.content(path) == sample.content(original)
    assert [one.name for one in path.parent.iterdir()] == ["file"]
    assert path.stat().st_mode == original.stat().st_mode


def test_a_second_label_replaces_the_first(case: tuple[Sample, Path, Path]) -> None:
    sample, original, path = case
    labels.write(path, sample.media_type, FIRST)
    labels.write(path, sample.media_type, SECOND)
    assert labels.read(path, sample.media_type) == SECOND
    assert sample.other(path) == SECOND.as_json()
    assert b"first-artifact" not in path.read_bytes()
    assert sample.content(path) == sample.content(original)


def test_type_is_known_by_content(case: tuple[Sample, Path, Path]) -> None:
    sample, _, path = case
    labels.write(path, sample.media_type, FIRST)
    assert labels.sniff(path) == sample.media_type.partition(";")[0]


def test_film_can_be_played_while_it_loads(tmp_path: Path) -> None:
    path = tmp_path / "file"
    SAMPLES["mp4"].make(path)
    labels.write(path, "video/mp4", FIRST)
    content = path.read_bytes()
    assert content.index(b"moov") < content.index(b"AIGC") < content.index(b"mdat")


def test_hevc_stays_playable_by_apple(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with av.open(str(path), "w", format="mp4") as film:
        stream = film.add_stream("libx265", 25, options={"x265-params": "log-level=none:pools=1"})
        stream.width, stream.height, stream.codec_context.codec_tag = 64, 64, "hvc1"
        for number in range(3):
            frame = av.VideoFrame.from_ndarray(np.full((64, 64, 3), number * 40, np.uint8), "rgb24")
            frame.pts = number
            film.mux(stream.encode(frame))
        film.mux(stream.encode())
    labels.write(path, "video/mp4", FIRST)
    with av.open(str(path)) as film:
        assert film.streams.video[0].codec_context.codec_tag == "hvc1"


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (b"1\n00:00:00,000 --> 00:00:01,000\n\xe4\xbd\xa0\n", "text/plain"),
        (b"[1, 2]", "application/json"),
        (b"\xff\xfe\xfd", "application/octet-stream"),
        (b"a\0b", "application/octet-stream"),
        (b"%PDF-1.7\n", "application/pdf"),
    ],
)
def test_sniff(tmp_path: Path, content: bytes, media_type: str) -> None:
    (tmp_path / "file.png").write_bytes(content)
    assert labels.sniff(tmp_path / "file.png") == media_type


@pytest.mark.parametrize("media_type", sorted(labels.BY_HEADER))
def test_plain_text_is_left_to_the_header(tmp_path: Path, media_type: str) -> None:
    path = tmp_path / "words"
    path.write_bytes(b"\xff any")
    labels.write(path, media_type, FIRST)
    assert path.read_bytes() == b"\xff any"
    assert labels.read(path, media_type) is None


def test_other_types_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedMedia):
        labels.write(tmp_path / "model", "application/octet-stream", FIRST)
    with pytest.raises(UnsupportedMedia):
        labels.read(tmp_path / "model", "image/gif")


def test_fields_have_the_order_of_the_standard() -> None:
    label, *rest = json.loads(FIRST.as_json())
    assert [label, *rest[:3]] == ["Label", "ContentProducer", "ProduceID", "ReservedCode1"]
    assert rest[3:] == ["ContentPropagator", "PropagateID", "ReservedCode2"]
    assert (FIRST.Label, FIRST.ContentPropagator, FIRST.PropagateID) == ("1", FIRST.ContentProducer, FIRST.ProduceID)
    assert FIRST.as_json().isascii()
    assert " " not in FIRST.as_json()


@pytest.mark.parametrize("producer", ["a b", "公司", "a\n", "\x7f", "x" * 5_000])
def test_characters_outside_the_range_are_refused(producer: str) -> None:
    with pytest.raises(ValidationError):
        Label.generated(producer, "id", "hash")


@given(st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), max_size=60))
def test_any_allowed_text_survives(name: str) -> None:
    label = Label.generated(name, name, name)
    assert Label.from_json(label.as_json()) == label


@pytest.mark.parametrize(
    "found", ["", "{}", "[]", '{"Label":"1"}', FIRST.as_json()[:-1], '{"Label":"9"' + FIRST.as_json()[11:]]
)
def test_malformed_label_is_none(tmp_path: Path, found: str) -> None:
    path = tmp_path / "file"
    path.write_text(f"---\nAIGC: {found}\n---\n")
    assert labels.read(path, "text/markdown") is None


def test_two_labels_are_none(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text(f'{{"AIGC":{FIRST.as_json()},"AIGC":{SECOND.as_json()}}}')
    assert labels.read(path, "application/json") is None


def test_label_written_as_an_attribute_is_read_and_replaced(tmp_path: Path) -> None:
    quoted = FIRST.as_json().replace('"', "&quot;")
    space = 'xmlns:TC260="http://www.tc260.org.cn/ns/AIGC/1.0/"'
    PIXELS.save(tmp_path / "file", "JPEG", xmp=XMP.replace(b"xmp:Cr", f'{space} TC260:AIGC="{quoted}" xmp:Cr'.encode()))
    assert labels.read(tmp_path / "file", "image/jpeg") == FIRST
    labels.write(tmp_path / "file", "image/jpeg", SECOND)
    assert labels.read(tmp_path / "file", "image/jpeg") == SECOND


def test_an_older_front_matter_key_goes_with_its_lines(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"---\r\ntitle: x\r\nAIGC:\r\n  Label: '3'\r\n  Other: y\r\nlast: z\r\n---\r\nbody\r\n")
    labels.write(path, "text/markdown", FIRST)
    assert path.read_bytes().decode() == f"---\r\nAIGC: {FIRST.as_json()}\r\ntitle: x\r\nlast: z\r\n---\r\nbody\r\n"
