"""Recordings written down by faster-whisper, from a folder of CTranslate2."""

import io
import threading
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from contracts.catalog import models
from contracts.errors import InvalidInput, Unavailable
from contracts.model import Progress
from contracts.transcription import LONGEST_S, Transcript
from deployments.registry import build
from deployments.transcription.whisper import Whisper
from tests.checkpoints import whisper as checkpoint
from tests.media import film, sound, speech

PHRASE = checkpoint.PHRASE


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whisper]:
    folder = tmp_path_factory.mktemp("models") / "base"
    checkpoint.build(folder)
    engine = build("transcription", "faster_whisper", {"weights": str(folder), "device": "cpu"})
    engine.load()
    yield engine
    engine.close()


def kept(folder: Path, content: bytes) -> Path:
    path = folder / "recording"
    path.write_bytes(content)
    return path


def spoken(*silences_s: float) -> bytes:
    """The same sentence, with silence after each."""
    samples, rate_hz = soundfile.read(io.BytesIO(speech()))
    file = io.BytesIO()
    parts = [np.concatenate([samples, np.zeros(round(silence * rate_hz))]) for silence in silences_s]
    soundfile.write(file, np.concatenate(parts), rate_hz, format="WAV")
    return file.getvalue()


def heard(engine: Whisper, path: Path, language: str = "") -> tuple[list[float], Transcript]:
    *progress, transcript = engine.transcribe(path, language)
    assert isinstance(transcript, Transcript)
    return [item.fraction for item in progress if isinstance(item, Progress)], transcript


def test_progress_grows_with_the_recording(engine: Whisper, tmp_path: Path) -> None:
    recording = spoken(*[0.5] * 18)
    fractions, transcript = heard(engine, kept(tmp_path, recording))
    assert fractions == sorted(fractions) and fractions[0] == 0 and 0.3 < fractions[-1] <= 1
    assert len(fractions) - 1 == len(transcript.segments) == 3  # half a minute of speech at a time
    assert transcript.text == PHRASE * 3 and transcript.language == checkpoint.LANGUAGE
    assert transcript.duration_s == pytest.approx(soundfile.info(io.BytesIO(recording)).duration, abs=0.01)
    for segment, following in zip(transcript.segments, transcript.segments[1:], strict=False):
        assert segment.text == PHRASE
        assert 0 <= segment.start_s < segment.end_s <= following.start_s < transcript.duration_s


def test_times_are_those_of_the_recording(engine: Whisper, tmp_path: Path) -> None:
    """And not of what is left when silence has been cut out."""
    samples, rate_hz = soundfile.read(io.BytesIO(speech()))
    file = io.BytesIO()
    soundfile.write(file, np.concatenate([np.zeros(10 * rate_hz), samples]), rate_hz, format="WAV")
    _, transcript = heard(engine, kept(tmp_path, file.getvalue()))
    assert transcript.segments[0].start_s == pytest.approx(10, abs=0.6)


@pytest.mark.parametrize("content", [sound("wav", "pcm_s16le", 16_000, 5), spoken(0.0)[:44] + bytes(400_000)])
def test_where_nobody_speaks_there_is_no_text(engine: Whisper, tmp_path: Path, content: bytes) -> None:
    fractions, transcript = heard(engine, kept(tmp_path, content))
    assert fractions == [0.0]
    assert transcript.text == transcript.language == "" and transcript.segments == [] and transcript.duration_s > 3


@pytest.mark.parametrize(("form", "codec", "rate_hz"), [("ogg", "libopus", 48_000), ("wav", "pcm_alaw", 8_000)])
def test_common_formats_are_read(engine: Whisper, tmp_path: Path, form: str, codec: str, rate_hz: int) -> None:
    samples, from_hz = soundfile.read(io.BytesIO(speech()), dtype="int16")
    file = io.BytesIO()
    with av.open(file, "w", format=form) as container:
        stream = container.add_stream(codec, rate=rate_hz, layout="stereo")
        frame = av.AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
        frame.sample_rate, frame.pts = from_hz, 0
        fit = av.AudioResampler(stream.codec_context.format, "stereo", rate_hz, stream.codec_context.frame_size or 960)
        for piece in [*fit.resample(frame), *fit.resample(None)]:
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
    assert heard(engine, kept(tmp_path, file.getvalue()))[1].text == PHRASE


def test_who_closes_it_stops_it(engine: Whisper, tmp_path: Path) -> None:
    items = engine.transcribe(kept(tmp_path, spoken(*[0.5] * 18)))
    assert isinstance(next(items), Progress) and isinstance(next(items), Progress)
    items.close()
    assert list(items) == []


def test_four_at_once_hear_their_own(engine: Whisper, tmp_path: Path) -> None:
    """Silence beside speech."""
    answers: dict[int, str] = {}
    paths = [tmp_path / "speech", tmp_path / "silence"]
    for path, content in zip(paths, (speech(), sound("wav", "pcm_s16le", 16_000, 5)), strict=True):
        path.write_bytes(content)

    def hear(number: int) -> None:
        answers[number] = heard(engine, paths[number % 2])[1].text

    threads = [threading.Thread(target=hear, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert answers == {0: PHRASE, 1: "", 2: PHRASE, 3: ""}


def test_a_language_is_used_as_it_is_named(engine: Whisper, tmp_path: Path) -> None:
    assert engine.languages == list(checkpoint.LANGUAGES)
    assert heard(engine, kept(tmp_path, speech()), "en")[1].language == "en"


@pytest.mark.parametrize("language", ["xx", "zh; drop", "fr", "ZH"])
def test_one_that_it_does_not_know_is_refused(engine: Whisper, tmp_path: Path, language: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        next(engine.transcribe(kept(tmp_path, speech()), language))
    assert refusal.value.param == "language"


@pytest.mark.parametrize(
    "content",
    [b"", b"RIFF no sound", speech()[:44], film("mp4", "libx264", 1.0), b"#EXTM3U\n#EXTINF:1,\nfile:///etc/hostname\n"],
    ids=["empty", "broken", "no samples", "a silent film", "a playlist"],
)
def test_what_holds_no_sound_is_refused(engine: Whisper, tmp_path: Path, content: bytes) -> None:
    with pytest.raises(InvalidInput) as refusal:
        next(engine.transcribe(kept(tmp_path, content)))
    assert refusal.value.param == "recording"


def test_hours_are_refused_before_they_fill_the_memory(engine: Whisper, tmp_path: Path) -> None:
    path = tmp_path / "recording.flac"
    soundfile.write(path, np.zeros((LONGEST_S + 60) * 8_000, np.int16), 8_000)
    with pytest.raises(InvalidInput, match="60 分钟"):
        next(engine.transcribe(path))


def test_weights_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="no Whisper"):
        build("transcription", "faster_whisper", {"weights": "enormous"}).load()
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(InvalidInput, match="no Whisper"):
        build("transcription", "faster_whisper", {"weights": str(tmp_path)}).load()


def test_weights_that_cannot_be_had(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(Unavailable, match="base"):
        build("transcription", "faster_whisper", {"weights": "base"}).load()


@pytest.mark.parametrize("size", ["tiny", "base", "small", "medium", "large-v3", "large"])
def test_the_catalogue_knows_the_sizes(size: str) -> None:
    from faster_whisper.tokenizer import _LANGUAGE_CODES

    spec = models()[size]
    assert (spec.capability, spec.engine, spec.licence) == ("transcription", "faster_whisper", "MIT")
    assert spec.name and spec.description and spec.needs and spec.options["weights"] in (size, f"{size}-v3")
    known = set(_LANGUAGE_CODES) - ({"yue"} if not size.startswith("large") else set())
    assert set(spec.languages) == known
