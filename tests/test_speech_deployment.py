"""A replica that speaks: it has the recording heard, and shares with others what was heard and measured."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from contracts.catalog import ModelSpec, models
from contracts.errors import InvalidInput, Unavailable
from contracts.settings import Settings
from contracts.speech import SpeechRequest
from contracts.transcription import Transcript
from deployments.speech.recording import Recording
from store.artifacts import Artifacts
from store.database import Database
from tests.cosyvoice_service import Service, serving
from tests.media import hours, sound, speech
from tests.performing import Hears

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Ray's own
KEY = "uploads/ann/voice.wav"


@pytest.fixture
def files(tmp_path: Path) -> Artifacts:
    settings = Settings(var=tmp_path)
    Database(settings.tables_url).migrate()
    kept = Artifacts(settings)
    kept.upload(KEY, speech(), "ann")
    return kept


def replica(files: Artifacts, spec: ModelSpec, hears: Any = None) -> Any:
    from deployments.speech.deployment import SpeechDeployment

    made = SpeechDeployment.func_or_class(spec, files)
    made.hears = hears
    return made


def cosyvoice(url: str) -> ModelSpec:
    return models()["cosyvoice"].model_copy(update={"options": {"url": url}})


async def said(made: Any, key: str = KEY, **asked: Any) -> int:
    """How many chunks."""
    request = SpeechRequest.model_validate({"text": "你好。再见。", "sample": key} | asked)
    async with aclosing(made.synthesize(request)) as chunks:
        return len([chunk async for chunk in chunks])


async def test_a_recording_is_heard_once_for_all(files: Artifacts) -> None:
    hears = Hears("A little fox.", "en")
    with serving() as url:
        for _ in range(2):  # two replicas
            assert await said(replica(files, cosyvoice(url), hears)) == 2
        assert {asked["prompt_text"] for asked in Service.asked} == {"A little fox."}
    assert hears.asked == [KEY]
    files.delete(KEY)
    assert files.measured(KEY, "transcript.json") is None


async def test_what_is_known_is_not_heard(files: Artifacts) -> None:
    hears = Hears("nothing")
    with serving() as url:
        await said(replica(files, cosyvoice(url), hears), transcript=Transcript(text="Said before."))
        assert Service.asked[0]["prompt_text"] == "Said before." and hears.asked == []


async def test_a_bad_recording_is_not_even_heard(files: Artifacts) -> None:
    hears = Hears("nothing")
    with serving() as url:
        for content in (hours(1), sound("wav", "pcm_s16le", 16_000, 5)):
            files.upload("uploads/ann/bad.wav", content, "ann")
            with pytest.raises(InvalidInput):
                await said(replica(files, cosyvoice(url), hears), "uploads/ann/bad.wav")
        assert hears.asked == Service.asked == []


@pytest.mark.parametrize("text", ["", " "])
async def test_a_recording_of_which_nothing_is_understood(files: Artifacts, text: str) -> None:
    with serving() as url, pytest.raises(InvalidInput, match="没有听清"):
        await said(replica(files, cosyvoice(url), Hears(text)))


async def test_where_nobody_hears(files: Artifacts) -> None:
    with serving() as url, pytest.raises(Unavailable, match="语音识别"):
        await said(replica(files, cosyvoice(url)))


async def test_what_is_measured_is_shared_and_goes_with_the_recording(
    files: Artifacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await said(replica(files, models()["matching"])) == 2
    assert files.measured(KEY, "matching.npz")

    def never(*_: Any) -> None:
        raise AssertionError("measured again")

    monkeypatch.setattr(Recording, "heard", never)
    assert await said(replica(files, models()["matching"])) == 2
    files.delete(KEY)
    assert files.measured(KEY, "matching.npz") is None


async def test_a_recording_that_is_removed_meanwhile_leaves_nothing(files: Artifacts) -> None:
    made = replica(files, models()["matching"])
    stream: AsyncGenerator[Any] = made.synthesize(SpeechRequest(text="你好。再见。", sample=KEY))
    async with aclosing(stream) as chunks:
        await anext(chunks)
        files.delete(KEY)
        assert [chunk async for chunk in chunks]
    assert files.measured(KEY, "matching.npz") is None
