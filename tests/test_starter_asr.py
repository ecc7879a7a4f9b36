"""The starter recogniser's recipe: what is said, what the windows teach, and a model that the engine takes."""

from itertools import islice
from pathlib import Path
from random import Random

import numpy as np
import pytest
import soundfile
import torch
from faster_whisper.tokenizer import Tokenizer
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import WhisperTokenizer

from contracts.prompts import Language
from contracts.transcription import Transcript
from deployments.registry import build
from deployments.speech import espeak_library
from deployments.speech.espeak import VARIANT
from training.starter.asr import phases, texts, voices
from training.starter.asr.batches import Batches, loaded, names, stacked
from training.starter.asr.errors import character_error, edits
from training.starter.asr.export import LARGEST_BYTES, export, weight
from training.starter.asr.listen import KINDS, clips
from training.starter.asr.model import configured, fresh, greedy, losses_of
from training.starter.asr.run import Config, Run
from training.starter.asr.tokenizer import BEFORE, LANGUAGES, SILENCE, START, TIMES, built, number, spelt
from training.starter.asr.windows import IGNORED, Window, windows

LAST = phases.PHASES[-1]


@pytest.fixture(scope="module")
def tokenizer() -> WhisperTokenizer:
    return built(seed=1)


@pytest.fixture(scope="module")
def made(tokenizer: WhisperTokenizer) -> list[Window]:
    return windows(tokenizer, "a seed", LAST, 40)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("asr")


@pytest.mark.parametrize("language", LANGUAGES)
def test_sentences_are_many_and_read_out(language: Language) -> None:
    said = list(islice(texts.sentences(Random(1), language), 400))
    assert len(set(said)) > 250 and not any(sign.isdigit() for text in said for sign in text)
    assert 0.01 < sum(map(texts.held_out, said)) / len(said) < 0.15
    assert texts.clean("原价199元：今天“半价”" if language == "zh" else "It's $25.99: “now”", language) == (
        "原价一百九十九元，今天半价" if language == "zh" else "It's twenty five point nine nine dollars, now"
    )


def test_the_evaluations_voices_and_sentences_are_its_own() -> None:
    assert not set(voices.variants(True)) & set(voices.variants(False))
    assert len(voices.variants(True)) > 12 and VARIANT[1:] in voices.variants(False)
    for language in LANGUAGES:
        for kind in KINDS:
            for clip in islice(clips(3, language, kind), 3):
                assert texts.held_out(clip.text) and len(clip.samples) > voices.RATE_HZ // 4
                assert clip.voice == kind or clip.voice.partition("+")[2] in voices.variants(True)


def test_the_same_seed_makes_the_same_windows(tokenizer: WhisperTokenizer, made: list[Window]) -> None:
    for one, other in zip(made, windows(tokenizer, "a seed", LAST, 3), strict=False):
        assert one.tokens == other.tokens and np.array_equal(one.features, other.features)
    assert windows(tokenizer, "another", LAST, 1)[0].tokens != made[0].tokens


def test_windows_say_what_follows_and_when(tokenizer: WhisperTokenizer, made: list[Window]) -> None:
    silence, zero = number(tokenizer, SILENCE), number(tokenizer, TIMES[0])
    for window in made:
        start = window.tokens.index(number(tokenizer, START))
        assert (start > 0) == (window.tokens[0] == number(tokenizer, BEFORE))
        told = list(zip(window.tokens[1:], window.labels, strict=False))[start:]
        assert all(label in (IGNORED, token) for token, label in told[1:])
        assert told[0][1] in (told[0][0], silence) and set(window.labels[:start]) <= {IGNORED}
        times = [token for token in window.tokens if token >= zero]
        assert times == sorted(times) and (not times or times[0] == zero)
        assert window.features.shape[0] == 80 and window.features.shape[1] <= 3000
        assert not times or (times[-1] - zero) * 2 <= window.features.shape[1] + 6
    assert {window.labels[window.tokens.index(number(tokenizer, START))] for window in made} > {silence}


def test_the_engines_library_suppresses_nothing_that_is_said(tokenizer: WhisperTokenizer) -> None:
    suppressed = set(Tokenizer(tokenizer.backend_tokenizer, True, "transcribe", "zh").non_speech_tokens)
    for language in LANGUAGES:
        for text in islice(texts.sentences(Random(2), language), 500):
            assert not suppressed & set(spelt(tokenizer, text, language)), text


@settings(deadline=None)
@given(st.text() | st.sampled_from(["你好，小狐狸！", " It's a kettle.", "龘 ไทย 👩‍👩‍👧"]))
def test_every_text_survives_the_tokenizer(tokenizer: WhisperTokenizer, text: str) -> None:
    text = text.encode("utf-8", "replace").decode()
    assert tokenizer.backend_tokenizer.decode(tokenizer(text, add_special_tokens=False)["input_ids"]) == text


def test_what_nobody_can_read_stays() -> None:
    """A model that has learnt little hears such things."""
    assert [texts.read(text, "en") for text in ("5 apples", "1b你6,")] == ["five apples", "1b你6,"]


def test_a_chinese_character_is_one_token(tokenizer: WhisperTokenizer) -> None:
    assert all(len(spelt(tokenizer, character, "zh")) == 1 for character in texts.characters())
    assert len(spelt(tokenizer, "Welcome to the stream", "en")) < 8


@pytest.mark.parametrize(("said", "heard", "language", "wrong"), [
    ("今天25元！", "今天二十五元", "zh", 0),
    ("你好吗", "你号", "zh", 2 / 3),
    ("It's 3 dollars.", "it's three dollars", "en", 0),
    ("a cat", "", "en", 1),
])  # fmt: skip
def test_character_error(said: str, heard: str, language: Language, wrong: float) -> None:
    assert character_error([(said, heard)], language) == pytest.approx(wrong)


@given(st.text("abc", max_size=8), st.text("abc", max_size=8))
def test_edits_are_a_distance(one: str, other: str) -> None:
    assert edits(one, other) == edits(other, one) >= abs(len(one) - len(other))
    assert (edits(one, other) == 0) == (one == other)


def test_the_encoder_is_whispers_own(tokenizer: WhisperTokenizer, made: list[Window]) -> None:
    model = fresh(configured(tokenizer, (1, 1), 64), 5, seed=1).eval()
    features = stacked([made[0].features], 3000)
    with torch.inference_mode():
        assert torch.allclose(model.encode(features), model.whisper.model.encoder(features)[0], atol=1e-5)
        short = features
        assert model.encode(short[..., :100]).shape == (1, 50, 64)


def test_phonemes_are_those_of_the_sentence(folder: Path) -> None:
    known = names(folder, 1)
    with espeak_library.loaded() as library:
        voice = voices.drawn(Random(1), "zh")
        voices.say(library, "你好", voice)
        assert voices.phonemes(library, "你好", voice) == ["n", "i214", "X", "Au214"]
    assert {"n", "i214", "X", "Au214"} < set(known) and len(known) > 100 and known == names(folder, 2)


def test_another_process_makes_the_same_batches(tokenizer: WhisperTokenizer, folder: Path) -> None:
    batches = Batches(tokenizer, names(folder, 1), 1, len(phases.PHASES) - 1, (3, 1))
    for one, other in islice(zip(loaded(batches, True), loaded(batches, False), strict=False), 3):
        assert (one.pool, one.index) == (other.pool, other.index) and one.index > 0
        assert torch.equal(one.tokens, other.tokens) and torch.allclose(one.features, other.features, atol=1e-5)


def tiny(tokenizer: WhisperTokenizer, folder: Path, until: int) -> Run:
    config = Config(folder, steps=8, learning_rate=5e-3, warmup=2, layers=(1, 1), width=64, beside=False)
    training = Run(config, tokenizer, names(folder.parent, 1))
    training.train(lambda at: None, lambda: training.progress.step >= until)
    return training


@pytest.fixture(scope="module")
def whole(tokenizer: WhisperTokenizer, folder: Path) -> Run:
    return tiny(tokenizer, folder / "whole", 8)


def test_training_learns_and_a_resumed_run_is_the_same(tokenizer: WhisperTokenizer, folder: Path, whole: Run) -> None:
    unseen = next(iter(Batches(tokenizer, whole.names, 9, 0)))
    with torch.inference_mode():
        before = losses_of(fresh(whole.model.whisper.config, len(whole.names), 1), unseen)
        after = losses_of(whole.model, unseen)
    assert all(one < other - 0.1 for one, other in zip(after, before, strict=True)), (before, after)
    assert whole.progress.phase == len(phases.PHASES) - 1
    tiny(tokenizer, folder / "resumed", 5)
    resumed = tiny(tokenizer, folder / "resumed", 8)
    same_to_rounding(resumed, whole)


def same_to_rounding(one: Run, other: Run) -> None:
    """The same batches gave models that err alike; where a tensor lies in memory may round its sums in another way."""
    measured = {"elapsed_s": 0, "loss": 0, "named": 0}
    assert vars(one.progress) | measured == vars(other.progress) | measured
    assert one.progress.loss == pytest.approx(other.progress.loss, rel=1e-5)
    assert one.progress.named == pytest.approx(other.progress.named, rel=1e-5)
    unseen = next(iter(Batches(one.tokenizer, one.names, 9, 0)))
    with torch.inference_mode():
        losses = [[loss.item() for loss in losses_of(run.model, unseen)] for run in (one, other)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)


def test_greedy_decoding_stops_at_the_end(tokenizer: WhisperTokenizer, whole: Run, made: list[Window]) -> None:
    found = greedy(whole.model, stacked([made[0].features])[..., :200], torch.tensor([[1, 2], [3, 4]])[:1], most=5)
    assert len(found) == 1 and 1 <= len(found[0]) <= 5


@pytest.fixture(scope="module")
def shipped(whole: Run, folder: Path) -> tuple[Path, dict[str, object]]:
    return folder / "shipped", export(whole, folder / "shipped", scale=0.01)


def test_the_engine_takes_what_is_exported(shipped: tuple[Path, dict[str, object]], tmp_path: Path) -> None:
    engine = build("transcription", "faster_whisper", {"weights": str(shipped[0]), "device": "cpu", "threads": 1})
    engine.load()
    assert sorted(engine.languages) == sorted(LANGUAGES)
    clip = next(clips(1, "zh"))
    soundfile.write(tmp_path / "clip.wav", clip.samples, voices.RATE_HZ)
    *_, told = engine.transcribe(tmp_path / "clip.wav")
    assert isinstance(told, Transcript) and told.language in (*LANGUAGES, "")
    assert engine.model.detect_language(clip.samples)[0] in LANGUAGES
    engine.close()


def test_the_card_says_what_was_measured(shipped: tuple[Path, dict[str, object]], whole: Run) -> None:
    folder, report = shipped
    card = (folder / "README.md").read_text(encoding="utf-8")
    kinds = report["kinds"]
    assert isinstance(kinds, dict) and len(kinds) == len(KINDS) * len(LANGUAGES)
    for name, row in kinds.items():
        assert f"| {name} | {row['sentences']} | {row['error']:.1%} |" in card
    assert f"{whole.progress.windows} windows" in card and "{" not in card.replace("{'", "")
    for file in ("model.bin", "tokenizer.json", "evaluation.json"):
        assert f"| {file} | `" in card
    assert weight(folder) < LARGEST_BYTES
