"""The inside of the digital-human family: voices tried, texts spoken, films of a portrait, conversations."""

import asyncio
import io
import uuid
import wave
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from contracts.errors import EngineFailed, InvalidInput, NotFound, ServiceError, Unavailable
from contracts.human import CHAT, CLONE, RES_VIDEOS, RES_VOICES, SPEAK, TRAIN, VIDEO
from contracts.jobs import Job
from contracts.settings import Settings
from contracts.speech import AudioChunk, SpeechRequest
from deployments.image.painter import Painter
from deployments.speech.espeak import Espeak
from deployments.speech.matching import Matching
from deployments.video.film import Film
from graphs.chat import Models, Question, ahead, talk
from graphs.pipelines import pipelines
from graphs.sounds import say
from graphs.split import pieces
from graphs.story import wav
from jobs.records import Records
from store.artifacts import Artifacts
from store.database import Database
from store.voices import Voices
from tests.avatars import keep, nerf
from tests.copywriting import Near, Says
from tests.media import film, sound, speech
from tests.performing import Breaks, Called, Duet, Hears, NearImage, NearSpeech, NearVideo
from training.launch import Launcher

FPS = 25
SAMPLE, TEXT = "static/voices/ref_voices/a.wav", "大家好！欢迎来到直播间。"


@pytest.fixture(scope="module")
def matching() -> Matching:
    engine = Matching(wpm=300)
    engine.load()
    return engine


class Stage:
    """A store in a folder, and jobs that run on it as the cluster's worker runs them."""

    def __init__(self, var: Path, matching: Matching, visible: bool = True) -> None:
        settings = Settings(var=var, visible_label=visible)
        self.var, self.database, self.files = var, Database(settings.tables_url), Artifacts(settings)
        self.database.migrate()
        self.files.upload(SAMPLE, speech(), "anon-ann")
        painter, espeak = Painter(), Espeak()
        painter.load()
        espeak.load()
        self.speeches = {
            "matching": NearSpeech("matching", matching, self.files),
            "espeak": NearSpeech("espeak", espeak, self.files),
        }
        self.bound: dict[str, Any] = {
            "chats": {"scripted": Near()},
            "images": {"painter": NearImage("painter", painter, self.files)},
            "speeches": self.speeches,
            "videos": {"film": NearVideo("film", Film(preset="ultrafast"), self.files)},
            "files": self.files,
            "voices": Voices(self.database),
            "mark": "AI生成",
            "transcriptions": {"hears": Hears("你好，你是谁？")},
            "avatars": {},
            "trainer": Launcher(Settings(var=var), {}),
        }

    async def run(self, kind: str, steps: Called | None = None, **params: Any) -> dict[str, Any]:
        job = Job(id=uuid.uuid4().hex, kind=kind, owner="anon-ann", params=params)
        Records(self.database).create(job, f"human/{job.id}")
        started = Records(self.database).start(job.id)
        assert started
        return await pipelines(**self.bound)[kind].run(started, steps or Called())

    def made(self) -> set[str]:
        """Files of the store, scratch and all, other than what was brought."""
        root = self.var / "artifacts"
        files = (path.relative_to(root) for path in root.rglob("*") if path.is_file())
        return {str(path) for path in files} - {SAMPLE}

    def close(self) -> None:
        self.database.engine.dispose()
        self.files._database.engine.dispose()


@pytest.fixture
def stage(tmp_path: Path, matching: Matching) -> Iterator[Stage]:
    stage = Stage(tmp_path, matching)
    yield stage
    stage.close()


def lengths(content: bytes) -> tuple[float, float]:
    """Of the picture and of the sound of a film, in seconds, by what is decoded."""
    with av.open(io.BytesIO(content)) as container:
        frames = sum(1 for _ in container.decode(video=0))
    with av.open(io.BytesIO(content)) as container:
        samples = sum(frame.samples for frame in container.decode(audio=0))
        return frames / FPS, samples / container.streams.audio[0].rate


def frames(content: bytes) -> list[NDArray[np.uint8]]:
    with av.open(io.BytesIO(content)) as container:
        return [frame.to_ndarray(format="gray") for frame in container.decode(video=0)]


def opened(content: bytes) -> tuple[int, float]:
    """Rate and seconds of a mono 16-bit WAV."""
    with wave.open(io.BytesIO(content)) as file:
        assert (file.getnchannels(), file.getsampwidth()) == (1, 2)
        return file.getframerate(), file.getnframes() / file.getframerate()


async def test_a_film_is_as_long_as_what_is_said_in_it(stage: Stage) -> None:
    steps = Called()
    asked = {"model": "ER-NeRF", "text": TEXT, "sample": SAMPLE, "speech_model": "matching"}
    result = await stage.run(VIDEO, steps, **asked)
    [key] = result["resources"]
    assert result == {"resources": [key], "rendered": "portrait"}
    assert key.startswith(f"{RES_VIDEOS}/") and key.endswith(".mp4")
    picture_s, sound_s = lengths(stage.files.read(key))
    said = await say(stage.speeches["matching"], TEXT, SAMPLE)
    assert picture_s == pytest.approx(said.duration_s, abs=0.5)  # said in parts, each with a pause of its own
    assert sound_s == pytest.approx(said.duration_s, abs=0.1)  # an encoder pads its last block
    assert stage.made() == {key}
    assert steps.reports == sorted(steps.reports)
    row = stage.files.known(stage.files.find(key).sha256)
    assert row and (row.owner, row.model, row.prompt) == ("anon-ann", "film", TEXT)
    assert row.parameters == {"rendered": "portrait"}


@pytest.mark.parametrize(("form", "codec", "rate_hz"), [("mp3", "libmp3lame", 44_100), ("webm", "libopus", 48_000)])
async def test_a_film_plays_a_recording_where_there_is_no_text(
    stage: Stage, form: str, codec: str, rate_hz: int
) -> None:
    recording = f"static/voices/ref_voices/said.{form}"
    stage.files.upload(recording, sound(form, codec, rate_hz, 1.6), "anon-ann")
    result = await stage.run(VIDEO, model="SyncTalk", audio=recording, speech_model="matching")
    picture_s, sound_s = lengths(stage.files.read(result["resources"][0]))
    assert picture_s == pytest.approx(1.6, abs=0.1)
    assert sound_s == pytest.approx(picture_s, abs=0.1)
    assert stage.made() == {recording, result["resources"][0]}


async def test_the_mark_stays_on_the_film_to_its_end(tmp_path: Path, matching: Matching) -> None:
    told = []
    for visible in (True, False):
        stage = Stage(tmp_path / str(visible), matching, visible)
        text = TEXT + "今天给大家带来一款智能降噪耳机，戴上就安静。"
        result = await stage.run(VIDEO, model="ER-NeRF", text=text, speech_model="espeak")
        told.append(frames(stage.files.read(result["resources"][0])))
        stage.close()
    marked, plain = told
    assert len(marked) == len(plain) > 3 * FPS
    for number in (10, len(marked) // 2, -10):
        apart = np.abs(marked[number].astype(int) - plain[number]) > 60
        rows, columns = apart[:120].nonzero()[0], apart[:, 480:].nonzero()[1]
        assert np.ptp(rows) >= 0.05 * 720
        assert np.ptp(columns) > 100
        assert apart[:120, 480:].sum() > 0.9 * apart.sum()


def acting(stage: Stage) -> Stage:
    """The same stage, with an avatar on it."""
    keep(stage.files, AVATAR, "anon-ann")
    stage.bound["avatars"] = {"SyncTalk": nerf(stage.files)}
    return stage


AVATAR = "callers/ann/models/ER-NeRF/train_1"
ACTED = {"model": "ER-NeRF", "avatar": AVATAR, "avatar_model": "SyncTalk"}


async def test_an_avatar_performs_a_text(stage: Stage) -> None:
    acting(stage)
    kept, steps = stage.made(), Called()
    result = await stage.run(VIDEO, steps, **ACTED, text="你好。", speech_model="espeak")
    [key] = result["resources"]
    assert result == {"resources": [key], "rendered": "avatar"}
    picture_s, sound_s = lengths(stage.files.read(key))
    said = await say(stage.speeches["espeak"], "你好。", "")
    assert picture_s == pytest.approx(said.duration_s, abs=0.04) == pytest.approx(sound_s, abs=0.1)
    assert stage.made() == kept | {key}
    assert steps.reports == sorted(steps.reports) and steps.reports[-1] > 0.9
    row = stage.files.known(stage.files.find(key).sha256)
    assert row and (row.model, row.prompt) == ("SyncTalk", "你好。")
    assert row.parameters == {"rendered": "avatar", "avatar": AVATAR}
    pictures = frames(stage.files.read(key))
    bright = [(picture[:60, picture.shape[1] // 2 :] > 200).sum() for picture in pictures]
    assert min(bright) > 100  # the mark's letters, from the first frame to the last


async def test_an_avatar_answers_a_recording(stage: Stage) -> None:
    acting(stage)
    result = await stage.run(CHAT, **TALKED | ACTED)
    assert (result["heard"], result["rendered"]) == ("你好，你是谁？", "avatar")
    picture_s, sound_s = lengths(stage.files.read(result["resources"][0]))
    assert picture_s == pytest.approx(sound_s, abs=0.1)


async def test_an_avatar_that_is_gone_is_told_of(stage: Stage) -> None:
    acting(stage)
    kept = stage.made()
    with pytest.raises(NotFound, match="数字人模型不存在"):
        await stage.run(VIDEO, **ACTED | {"avatar": "callers/bob/models/x"}, text="你好。", speech_model="espeak")
    with pytest.raises(Unavailable, match="数字人模型“ER-NeRF”"):
        await stage.run(VIDEO, **ACTED | {"avatar_model": "ER-NeRF"}, text="你好。", speech_model="espeak")
    assert stage.made() == kept


async def test_equal_words_give_equal_portraits(stage: Stage) -> None:
    films = [await stage.run(VIDEO, model="ER-NeRF", text="你好。", speech_model="espeak") for _ in range(2)]
    first, second = (frames(stage.files.read(told["resources"][0])) for told in films)
    assert films[0] != films[1]
    assert all((one == other).all() for one, other in zip(first, second, strict=True))


async def test_a_text_is_spoken_as_a_wav(stage: Stage) -> None:
    result = await stage.run(SPEAK, text=TEXT, sample=SAMPLE, speech_model="matching")
    [key] = result["resources"]
    assert key.startswith(f"{RES_VOICES}/") and key.endswith(".wav")
    said = await say(stage.speeches["matching"], TEXT, SAMPLE)
    assert opened(stage.files.read(key)) == (said.rate_hz, said.duration_s)
    assert stage.made() == {key}


async def test_a_long_text_is_spoken_whole(stage: Stage) -> None:
    text = "一二三。" * 1_500  # longer than a model is asked at once
    espeak = stage.speeches["espeak"]
    said, one = await say(espeak, text[:40], ""), await say(espeak, "一二三。", "")
    assert said.duration_s == pytest.approx(10 * one.duration_s, rel=0.05)
    assert max(map(len, pieces(text))) < 4_096


async def test_a_voice_has_spoken_before_it_is_kept(stage: Stage) -> None:
    result = await stage.run(CLONE, voice="小美", sample=SAMPLE, consent="本人同意", speech_model="matching")
    assert result == {"voice": "小美", "sample": SAMPLE}
    assert stage.made() == set()
    kept = Voices(stage.database).find("小美", ("anon-ann",))
    assert (kept.sample, kept.consent) == (SAMPLE, "本人同意")
    stage.files.upload("other.wav", speech(), "anon-ann")
    await stage.run(CLONE, voice="小美", sample="other.wav", speech_model="matching")
    assert [voice.sample for voice in Voices(stage.database).all(("anon-ann",))] == ["other.wav"]
    assert stage.files.read(SAMPLE) == speech()  # somebody may still be speaking with the voice that was replaced


BAD: list[tuple[Callable[[], bytes], str]] = [
    (lambda: sound("wav", "pcm_s16le", 16_000, 0.5), "太短"),
    (lambda: sound("wav", "pcm_s16le", 8_000, 63), "太长"),
    (lambda: wav(bytes(64_000), 16_000), "样本"),
    (lambda: film("mp4", "libx264", 1.0), "不是可以解码的音频"),
    (lambda: b"RIFF" + b"\0" * 100, "不是可以解码的音频"),
]


@pytest.mark.parametrize(("content", "told"), BAD)
async def test_a_sample_that_cannot_be_spoken_with_is_no_voice(
    stage: Stage, content: Callable[[], bytes], told: str
) -> None:
    stage.files.upload("static/voices/ref_voices/bad.wav", content(), "anon-ann")
    with pytest.raises(InvalidInput, match=told) as refused:
        await stage.run(CLONE, voice="b", sample="static/voices/ref_voices/bad.wav", speech_model="matching")
    assert refused.value.param == "sample"
    assert Voices(stage.database).all(("anon-ann",)) == []
    with pytest.raises(NotFound):
        stage.files.read("static/voices/ref_voices/bad.wav")


@pytest.mark.parametrize(("content", "told"), BAD[3:])
async def test_a_recording_that_does_not_decode_is_not_played(
    stage: Stage, content: Callable[[], bytes], told: str
) -> None:
    stage.files.upload("static/voices/ref_voices/bad.wav", content(), "anon-ann")
    with pytest.raises(InvalidInput, match=told):
        await stage.run(VIDEO, model="SyncTalk", audio="static/voices/ref_voices/bad.wav", speech_model="espeak")
    assert stage.made() == {"static/voices/ref_voices/bad.wav"}


FILM = {"model": "ER-NeRF", "text": "你好。"}
TALKED = {"model": "SyncTalk", "recording": SAMPLE, "chat_model": "scripted"}
TALKED |= {"speech_model": "espeak", "transcription_model": "hears"}


@pytest.mark.parametrize(
    ("kind", "params", "error", "told"),
    [
        (CLONE, {"voice": "a", "sample": SAMPLE, "speech_model": "espeak"}, InvalidInput, "自带的音色"),
        (CLONE, {"voice": "a", "sample": SAMPLE, "speech_model": "f5tts"}, Unavailable, "语音合成模型“f5tts”"),
        (SPEAK, {"text": " ", "speech_model": "espeak"}, InvalidInput, "不能为空"),
        (SPEAK, {"text": "。。。", "speech_model": "espeak"}, InvalidInput, "只有标点"),
        (VIDEO, FILM | {"speech_model": "f5tts"}, Unavailable, "f5tts"),
        (VIDEO, FILM | {"speech_model": "matching", "sample": "gone.wav"}, NotFound, "文件不存在"),
        (CHAT, TALKED | {"transcription_model": ""}, Unavailable, "语音识别模型，"),
        (CHAT, TALKED | {"chat_model": "glm-4-plus"}, Unavailable, "对话模型“glm-4-plus”"),
    ],
)
async def test_what_cannot_be_done_fails_in_plain_words_and_leaves_nothing(
    stage: Stage, kind: str, params: dict[str, Any], error: type[ServiceError], told: str
) -> None:
    with pytest.raises(error, match=told):
        await stage.run(kind, **params)
    assert stage.made() == set()


async def test_a_recording_is_answered_by_a_film(stage: Stage) -> None:
    result = await stage.run(CHAT, **TALKED)
    [key] = result["resources"]
    assert (result["heard"], result["rendered"]) == ("你好，你是谁？", "portrait")
    assert stage.bound["transcriptions"]["hears"].asked == [SAMPLE]
    picture_s, _ = lengths(stage.files.read(key))
    said = await say(stage.speeches["espeak"], result["reply"], "")
    assert picture_s == pytest.approx(said.duration_s, abs=0.5)  # said in parts, each with a pause of its own
    assert stage.made() == {key}


async def test_a_step_that_fails_leaves_nothing(stage: Stage) -> None:
    stage.bound["videos"] = {"breaks": Breaks(EngineFailed("坏了"))}
    with pytest.raises(EngineFailed, match="坏了"):
        await stage.run(CHAT, **TALKED)
    assert stage.made() == set()


async def test_a_crash_leaves_what_the_next_attempt_goes_on_with(stage: Stage) -> None:
    stage.bound["videos"] = {"breaks": Breaks(asyncio.CancelledError())}
    with pytest.raises(asyncio.CancelledError):
        await stage.run(VIDEO, **FILM, speech_model="espeak")
    assert {Path(key).name for key in stage.made()} == {"sound.wav", "portrait.png", "marked.png"}
    assert all(f"{RES_VIDEOS}/.work/" in key for key in stage.made())


async def test_a_sentence_is_spoken_while_the_next_is_written() -> None:
    duet = Duet("第一句话说完了。", "第二句话也说完了。", "第三句话。")
    async with asyncio.timeout(10):
        told = await talk(Question("a.wav"), Models(Hears("你好"), duet, duet))
    first, second, third = duet.sentences
    assert duet.events[:2] == [f"begins {first}", "goes on writing"]
    assert duet.events[2:] == [
        f"ends {first}",
        *(f"{word} {each}" for each in (second, third) for word in ("begins", "ends")),
    ]
    assert told.sound.pcm.decode("utf-16-le") == told.reply == "".join(duet.sentences)
    assert (told.heard, told.sound.rate_hz) == ("你好", 16_000)


async def test_who_cannot_be_spoken_for_is_not_written_for_either() -> None:
    duet = Duet("第一句话说完了。", "第二句话也说完了。")

    class Mute:
        model = "mute"

        async def synthesize(self, request: SpeechRequest) -> AsyncGenerator[AudioChunk]:
            yield AudioChunk(pcm=b"", sample_rate=16_000)

    with pytest.raises(EngineFailed, match="没有说出声音"):
        await talk(Question("a.wav"), Models(Hears("你好"), duet, Mute()))
    assert duet.closed


@pytest.mark.parametrize(
    ("heard", "reply", "error"),
    [
        ("", "你好。", InvalidInput),
        ("……", "你好。", InvalidInput),
        ("你好", "", EngineFailed),
        ("你好", "……", EngineFailed),
    ],
)
async def test_silence_is_not_talked_to(heard: str, reply: str, error: type[ServiceError]) -> None:
    chat, duet = Says(reply), Duet("")
    with pytest.raises(error):
        await talk(Question("a.wav"), Models(Hears(heard), chat, duet))
    assert duet.events == []
    assert not chat.running


@given(st.lists(st.integers()), st.booleans(), st.integers(0, 5), st.integers(1, 3))
async def test_what_is_made_ahead_is_the_same_in_order(wanted: list[int], breaks: bool, leaves: int, most: int) -> None:
    """And not too much of it."""
    closed, made = [], 0
    got: list[int] = []

    async def items() -> AsyncGenerator[int]:
        nonlocal made
        try:
            for item in wanted:
                await asyncio.sleep(0)
                made += 1
                assert made <= len(got) + most + 2  # one with who asked for it, one that finds no room
                yield item
            if breaks:
                raise EngineFailed("坏了")
        finally:
            closed.append(True)

    try:
        async with aclosing(ahead(items(), most)) as stream:
            async for item in stream:
                got.append(item)
                if len(got) == leaves:
                    break
            else:
                assert not breaks
                assert got == wanted
    except EngineFailed:
        assert breaks and got == wanted
    assert got == wanted[: len(got)]
    assert closed == [True]


def test_every_kind_has_its_pipeline(stage: Stage) -> None:
    bound = pipelines(**stage.bound)
    assert bound.keys() >= {CLONE, SPEAK, VIDEO, CHAT, TRAIN}
