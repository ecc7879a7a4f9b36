"""Recordings written down by faster-whisper, from a folder of CTranslate2."""

import io
import threading
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from contracts.catalog import models
from contracts.errors import InvalidInput, Unavailable
from contracts.model import Progress
from contracts.transcription import LONGEST_S, Transcript, Word
from deployments.registry import build
from deployments.transcription.phrases import phrases
from deployments.transcription.whisper import Whisper
from tests.checkpoints import whisper as checkpoint
from tests.media import RATES, film, sound, speech

PHRASE = checkpoint.PHRASE
LONG_S = 120.0


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whisper]:
    folder = tmp_path_factory.mktemp("models") / "base"
    checkpoint.build(folder)
    options = {"weights": str(folder), "device": "cpu", "long_s": LONG_S, "batch": 3}
    engine = build("transcription", "faster_whisper", options)
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


def heard(engine: Whisper, path: Path, language: str = "", **asked: Any) -> tuple[list[float], Transcript]:
    *progress, transcript = engine.transcribe(path, language, **asked)
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


def test_a_long_recording_is_heard_several_half_minutes_at_a_time(engine: Whisper, tmp_path: Path) -> None:
    """And is told in phrases all the same."""
    fractions, transcript = heard(engine, kept(tmp_path, spoken(*[0.5] * 30)))
    assert transcript.duration_s > LONG_S
    assert transcript.text == PHRASE * (len(fractions) - 1) and len(fractions) > 4
    assert fractions == sorted(fractions) and fractions[-1] <= 1
    assert "".join(segment.text for segment in transcript.segments) == transcript.text
    for segment, following in pairwise(transcript.segments):
        assert 0 <= segment.start_s <= segment.end_s <= following.start_s < transcript.duration_s
    assert not any(segment.words for segment in transcript.segments)  # nobody asked


@pytest.mark.parametrize("pauses", [1, 30])
def test_words_have_times_where_they_are_asked_for(engine: Whisper, tmp_path: Path, pauses: int) -> None:
    _, transcript = heard(engine, kept(tmp_path, spoken(*[0.5] * pauses)), words=True)
    words = [word for segment in transcript.segments for word in segment.words]
    assert "".join(word.text for word in words) == transcript.text and len(words) == len(transcript.text)
    assert all(0 <= word.start_s <= word.end_s <= transcript.duration_s for word in words)
    for segment in transcript.segments:
        assert (segment.start_s, segment.end_s) == (segment.words[0].start_s, segment.words[-1].end_s)


def test_a_prompt_comes_before_what_is_heard(engine: Whisper, tmp_path: Path) -> None:
    """The tests' model says what belongs to the place: after a prompt of two tokens it has come to the second word."""
    path = kept(tmp_path, speech())
    assert heard(engine, path, prompt="a")[1].text == PHRASE[1:]
    assert heard(engine, path, prompt="杯" * 1_000)[1].duration_s  # what has no room is left out


def test_how_sure_it_is_is_told(engine: Whisper, tmp_path: Path) -> None:
    path = kept(tmp_path, speech())
    [plain], [drawn] = heard(engine, path)[1].segments, heard(engine, path, temperature=0.4)[1].segments
    assert (plain.temperature, drawn.temperature) == (0, pytest.approx(0.4))
    assert plain.log_probability <= 0 <= plain.silence_probability < 0.1
    assert plain.compression == pytest.approx(6 / 14)  # bytes, and bytes by zlib


def test_on_a_processor_it_counts_in_bytes(engine: Whisper) -> None:
    plain = build("transcription", "faster_whisper", {"weights": engine.weights})
    plain.load()
    assert plain.model.model.compute_type.startswith("int8") and (plain.long_s, plain.batch) == (600, 1)
    plain.close()


SAID = [(" Hello", 0.0, 0.4), (" there.", 0.4, 1.0), (" 3.", 1.0, 1.2), ("14", 1.2, 1.5), (" or so", 2.5, 3.0)]


def test_half_a_minute_is_cut_into_phrases() -> None:
    """Where a sentence ends, somebody pauses, or it has lasted long enough."""
    words = [Word(text=text, start_s=start, end_s=end) for text, start, end in SAID]
    words += [Word(text="长", start_s=3.0 + second, end_s=4.0 + second) for second in range(12)]
    found = ["".join(word.text for word in phrase) for phrase in phrases(words)]
    assert found == [" Hello there.", " 3.14", " or so" + "长" * 7, "长" * 5]
    assert list(phrases([])) == []


@given(st.lists(st.tuples(st.text(max_size=3), st.floats(0, 9), st.floats(0, 9))))
def test_no_word_is_lost(drawn: list[tuple[str, float, float]]) -> None:
    words = [Word(text=text, start_s=start, end_s=end) for text, start, end in drawn]
    assert [word for phrase in phrases(words) for word in phrase] == words


def test_times_are_those_of_the_recording(engine: Whisper, tmp_path: Path) -> None:
    """And not of what is left when silence has been cut out."""
    samples, rate_hz = soundfile.read(io.BytesIO(speech()))
    file = io.BytesIO()
    soundfile.write(file, np.concatenate([np.zeros(10 * rate_hz), samples]), rate_hz, format="WAV")
    _, transcript = heard(engine, kept(tmp_path, file.getvalue()))
    assert transcript.segments[0].start_s == pytest.approx(10, abs=0.6)


def noise() -> bytes:
    """Far too loud, so that most of it is cut off."""
    file = io.BytesIO()
    soundfile.write(file, np.clip(np.random.default_rng(0).normal(0, 3, 5 * 16_000), -1, 1), 16_000, format="WAV")
    return file.getvalue()


@pytest.mark.parametrize("content", [sound("wav", "pcm_s16le", 16_000, 5), spoken(0.0)[:44] + bytes(400_000), noise()])
def test_where_nobody_speaks_there_is_no_text(engine: Whisper, tmp_path: Path, content: bytes) -> None:
    fractions, transcript = heard(engine, kept(tmp_path, content))
    assert fractions == [0.0]
    assert transcript.text == transcript.language == "" and transcript.segments == [] and transcript.duration_s > 3


@pytest.mark.parametrize(
    ("form", "codec", "rate_hz"),
    [
        ("ogg", "libopus", 48_000),
        ("wav", "pcm_alaw", 8_000),
        ("aiff", "pcm_s16be", 22_050),
        ("asf", "wmav2", 44_100),
        ("caf", "alac", 44_100),
    ],
)
def test_common_formats_are_read(engine: Whisper, tmp_path: Path, form: str, codec: str, rate_hz: int) -> None:
    samples, from_hz = soundfile.read(io.BytesIO(speech()), dtype="int16")
    file = io.BytesIO()
    with av.open(file, "w", format=form) as container:
        stream = container.add_stream(codec, rate=rate_hz, layout="stereo", options=RATES.get(codec))
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


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    for missing in ("config.json", "tokenizer.json"):
        with pytest.raises(InvalidInput, match="no Whisper"):
            build("transcription", "faster_whisper", {"weights": str(tmp_path)}).load()
        (tmp_path / missing).write_text("{}")
    with pytest.raises(InvalidInput, match="no Whisper"):
        build("transcription", "faster_whisper", {"weights": str(tmp_path)}).load()


def test_weights_that_cannot_be_had(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(Unavailable, match="faster-whisper-base"):
        build("transcription", "faster_whisper", models()["base"].options).load()


def test_the_catalogue_knows_the_sizes() -> None:
    """Those that the library knows, where it has them."""
    from faster_whisper.tokenizer import _LANGUAGE_CODES
    from faster_whisper.utils import _MODELS

    for size, weights in _MODELS.items():
        spec = models()[size]
        assert (spec.capability, spec.engine, spec.licence) == ("transcription", "faster_whisper", "MIT")
        assert spec.name and spec.description and spec.options["weights"] == weights and weights in spec.needs
        assert len(spec.options["revision"]) == 40
        english = size.endswith(".en") or size.startswith("distil")
        newest = spec.options["weights"].endswith(("-v3", "-v3-turbo"))
        assert set(spec.languages) == ({"en"} if english else set(_LANGUAGE_CODES) - (set() if newest else {"yue"}))
