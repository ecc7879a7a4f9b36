"""Which model answers a request."""

from pathlib import Path

import pytest

from api.models import Models
from contracts.catalog import Capability, ModelSpec, models
from contracts.errors import InvalidInput, ServiceError, Unavailable
from deployments.weights import is_here
from graphs.arguments import with_defaults

KNOWN = models()
SERVED = [KNOWN["scripted"], KNOWN["painter"], KNOWN["film"]]
ASIDE = ModelSpec(id="aside", capability="image", engine="painter")


def made(fallback: bool = False) -> Models:
    return Models([*SERVED, ASIDE], KNOWN | {"aside": ASIDE}, fallback)


@pytest.mark.parametrize(
    ("capability", "name", "answers"),
    [
        ("image", None, "painter"),
        ("image", "", "painter"),
        ("image", "painter", "painter"),
        ("image", "aside", "aside"),
        ("video", "film", "film"),
    ],
)
@pytest.mark.parametrize("fallback", [False, True])
def test_the_named_one_or_the_default_answers(
    capability: Capability, name: str | None, answers: str, fallback: bool
) -> None:
    assert made(fallback).resolve(capability, name).id == answers


@pytest.mark.parametrize(
    ("capability", "name", "kind"),
    [
        ("image", "unheard-of", InvalidInput),
        ("image", "film", InvalidInput),
        ("chat", "gen4_turbo", InvalidInput),
        ("video", "gen4_turbo", Unavailable),
        ("speech", "espeak", Unavailable),
    ],
)
def test_what_cannot_answer_is_refused(capability: Capability, name: str, kind: type[ServiceError]) -> None:
    with pytest.raises(kind) as refused:
        made().resolve(capability, name, "payload.model")
    assert refused.value.param == "payload.model"


def test_the_refusal_names_what_is_needed() -> None:
    with pytest.raises(Unavailable) as refused:
        made().resolve("video", "gen4_turbo")
    assert "gen4_turbo" in refused.value.message and KNOWN["gen4_turbo"].needs in refused.value.message
    with pytest.raises(Unavailable) as refused:
        made().resolve("speech", "espeak")
    assert "espeak" in refused.value.message and "models" in refused.value.message


def test_with_fallback_the_default_answers_for_a_known_one() -> None:
    assert made(fallback=True).resolve("video", "gen4_turbo").id == "film"
    for name in ("unheard-of", "painter"):
        with pytest.raises(InvalidInput):
            made(fallback=True).resolve("video", name)


def test_a_given_voice_needs_a_model_that_takes_one() -> None:
    both = Models([*SERVED, KNOWN["espeak"], KNOWN["matching"]], KNOWN, fallback=True)
    assert both.resolve("speech", "").id == "espeak"
    for name in ("", "f5tts", "cosyvoice", "matching"):
        assert both.resolve("speech", name, clones=True).id == "matching"
    assert both.resolve("speech", "f5tts").id == "matching"  # what it can do, asked for or not
    with pytest.raises(InvalidInput):
        both.resolve("speech", "espeak", clones=True)
    with pytest.raises(Unavailable):
        Models([KNOWN["espeak"]], KNOWN, fallback=True).resolve("speech", "f5tts")


def test_a_picture_to_change_needs_a_model_that_changes_pictures() -> None:
    drawn = Models([*SERVED, KNOWN["stable-diffusion-xl"]], KNOWN, fallback=True)
    assert drawn.resolve("image", "stable-diffusion-v1-5").id == "painter"  # a text is all that it is asked to draw
    for name in ("", "stable-diffusion-v1-5", "stable-diffusion-xl"):
        assert drawn.resolve("image", name, edits=True).id == "stable-diffusion-xl"
    with pytest.raises(InvalidInput):
        drawn.resolve("image", "painter", edits=True)
    for name in ("", "stable-diffusion-v1-5"):
        with pytest.raises(Unavailable) as refused:
            made(fallback=True).resolve("image", name, edits=True)
        assert "stable-diffusion-v1-5" in refused.value.message and "models" in refused.value.message


@pytest.mark.parametrize("fallback", [False, True])
def test_a_capability_without_a_model_is_unavailable(fallback: bool) -> None:
    for name in (None, "espeak"):
        with pytest.raises(Unavailable):
            made(fallback).resolve("speech", name)


def test_what_is_preferred_is_the_default_once_its_weights_are_here(tmp_path: Path) -> None:
    large = ModelSpec(id="large", capability="chat", engine="vllm", options={"weights": str(tmp_path / "large")})
    served = [*SERVED, large]
    assert with_defaults(served, ["large"], is_here) == served
    (tmp_path / "large").mkdir()
    assert with_defaults(served, ["large"], is_here) == [large, *SERVED]
    assert with_defaults(served, [], is_here) == served
    with pytest.raises(InvalidInput, match="smaller"):
        with_defaults(served, ["smaller"], is_here)
