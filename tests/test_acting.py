"""An avatar that is seen while it speaks: frames before their sound, on one clock, from answer to answer."""

import asyncio
import io
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from contracts.avatar import EARLIER, FPS, LATER, SAMPLES, Frames, FramesRequest
from contracts.errors import EngineFailed
from contracts.settings import Settings
from graphs.acting import CUT, SLOWEST, Acting, Ear
from graphs.chat import Frame, Piece, Said, Sentence
from graphs.sounds import Sound
from store.artifacts import Artifacts
from store.database import Database
from tests.avatars import keep, lamp
from tests.test_avatar_stage import ANN, bursts

LATEST_S = 0.04


class Mirror:
    """Frames that tell what was asked for them: the pose of each, and the sound that is heard while it is seen."""

    model = "mirror"

    def __init__(self, frame_s: float = 0.0) -> None:
        self.frame_s = frame_s
        self.asked: list[FramesRequest] = []

    async def render(self, request: FramesRequest) -> Frames:
        self.asked.append(request)
        samples = np.frombuffer(request.pcm, "<i2")
        count = -(-len(samples) // SAMPLES)
        own = range(request.before, count - request.after, request.every)
        await asyncio.sleep(self.frame_s * len(own))
        parts = [samples[number * SAMPLES : (number + 1) * SAMPLES].tobytes() for number in own]
        poses = range(request.first, request.first + len(own) * request.every, request.every)
        return Frames(jpegs=[b"%d " % pose + part for pose, part in zip(poses, parts, strict=True)])


async def answer(samples: np.ndarray, rate_hz: int, cuts: list[int]) -> AsyncGenerator[Piece]:
    """One sentence for each cut, in pieces of 0.3 s at most."""
    at = 0
    for number, part in enumerate(np.split(samples, cuts)):
        if not len(part):
            continue
        yield Sentence(number, "说。", at / rate_hz)
        for sound in Sound(part.astype("<i2").tobytes(), rate_hz).parts(0.3):
            yield Said(number, sound, at / rate_hz)
            at += len(sound.pcm) // 2


async def shown(
    acting: Acting, samples: np.ndarray, rate_hz: int = 16_000, cuts: list[int] | None = None
) -> list[Piece]:
    async with aclosing(acting(answer(samples, rate_hz, cuts or []))) as pieces:
        return [piece async for piece in pieces]


@given(st.lists(st.integers(1, 60_000), max_size=4), st.integers(1, 60_000))
async def test_every_frame_shows_its_own_sound_and_comes_before_it(cuts: list[int], length: int) -> None:
    samples = np.arange(length, dtype=np.int16)
    pieces = await shown(Acting(Mirror(), ANN, ""), samples, cuts=sorted(cut for cut in cuts if cut < length))
    frames = [piece for piece in pieces if isinstance(piece, Frame)]
    said = [piece for piece in pieces if isinstance(piece, Said)]
    assert b"".join(piece.sound.pcm for piece in said) == samples.tobytes()
    assert [frame.start_s for frame in frames] == [number / FPS for number in range(-(-length // SAMPLES))]
    for number, frame in enumerate(frames):
        assert frame.jpeg == b"%d " % number + samples[number * SAMPLES : (number + 1) * SAMPLES].tobytes()
    seen_s = 0.0
    for piece in pieces:
        if isinstance(piece, Frame):
            seen_s = piece.start_s + 1 / FPS
        elif isinstance(piece, Said):
            assert piece.start_s + piece.sound.duration_s <= seen_s + 1e-9
    order = [piece for piece in pieces if not isinstance(piece, Frame)]
    assert order == [each async for each in answer(samples, 16_000, sorted(cut for cut in cuts if cut < length))]


async def test_a_frame_has_as_much_sound_around_it_as_it_depends_on() -> None:
    mirror = Mirror()
    await shown(Acting(mirror, ANN, "AI生成"), np.arange(40_000, dtype=np.int16))
    first, *middle, last = mirror.asked
    assert (first.before, first.after) == (0, LATER) and last.after == 0
    assert all((each.before, each.after) in ((5, LATER), (EARLIER, LATER)) for each in middle)
    assert {(each.avatar, each.mark) for each in mirror.asked} == {(ANN, "AI生成")}


async def test_the_first_frames_are_there_while_it_still_speaks() -> None:
    goes_on = asyncio.Event()

    async def speaks() -> AsyncGenerator[Piece]:
        yield Sentence(0, "说。", 0.0)
        yield Said(0, Sound(bytes(2 * 16_000), 16_000), 0.0)
        await goes_on.wait()
        yield Said(0, Sound(bytes(2 * 16_000), 16_000), 1.0)

    pieces: list[Piece] = []
    async with asyncio.timeout(20), aclosing(Acting(Mirror(), ANN, "")(speaks())) as stream:
        async for piece in stream:
            pieces.append(piece)
            if isinstance(piece, Frame):
                goes_on.set()
    assert isinstance(pieces[0], Sentence) and len([each for each in pieces if isinstance(each, Frame)]) == 2 * FPS


async def test_poses_go_on_from_answer_to_answer() -> None:
    acting = Acting(Mirror(), ANN, "")
    poses: list[int] = []
    for _ in range(3):
        pieces = await shown(acting, np.zeros(10_000, np.int16))
        poses += [int(piece.jpeg.partition(b" ")[0]) for piece in pieces if isinstance(piece, Frame)]
    assert poses == list(range(3 * 16))


async def test_slow_drawing_shows_fewer_frames_and_holds_up_no_sound() -> None:
    mirror = Mirror(frame_s=0.08)  # two for every second of the clock would be too many
    loop = asyncio.get_running_loop()
    begun_s = loop.time()
    pieces = await shown(Acting(mirror, ANN, ""), np.zeros(16_000 * 4, np.int16))
    assert loop.time() - begun_s < 4
    frames = [piece.start_s for piece in pieces if isinstance(piece, Frame)]
    assert len(frames) < 4 * FPS / 2 and np.diff(frames).max() <= SLOWEST / FPS + 1e-9
    assert all(abs(start_s * FPS - round(start_s * FPS)) < 1e-9 for start_s in frames)


async def test_who_leaves_stops_the_speech() -> None:
    stopped = []

    async def speaks() -> AsyncGenerator[Piece]:
        try:
            for number in range(1_000):
                yield Said(0, Sound(bytes(2 * 8_000), 16_000), number / 2)
        finally:
            stopped.append(True)

    async with aclosing(Acting(Mirror(), ANN, "")(speaks())) as stream:
        async for piece in stream:
            if isinstance(piece, Said):
                break
    assert stopped == [True]


async def test_an_avatar_that_breaks_ends_the_answer() -> None:
    class Broken:
        model = "broken"

        async def render(self, request: FramesRequest) -> Frames:
            raise EngineFailed("坏了")

    with pytest.raises(EngineFailed, match="坏了"):
        await shown(Acting(Broken(), ANN, ""), np.zeros(16_000, np.int16))


@pytest.fixture
def files(tmp_path: Path) -> Iterator[Artifacts]:
    settings = Settings(var=tmp_path, min_free_gib=0)
    database, files = Database(settings.tables_url), Artifacts(settings)
    database.migrate()
    yield files
    for each in (database, files._database):
        each.engine.dispose()


@pytest.mark.parametrize("rate_hz", [22_050, 24_000])
async def test_what_is_seen_does_not_drift_from_what_is_heard(
    files: Artifacts, tmp_path: Path, rate_hz: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the rate of the voice, and through all that is between it and the picture."""
    monkeypatch.setattr("deployments.avatar.pictures.LEAST", 32)
    monkeypatch.setattr("graphs.acting.SLOWEST", 1)  # however slow this machine is just now
    keep(files, ANN, "ann")
    stage, _ = lamp(files)
    seconds = 20
    pieces = await shown(Acting(stage, ANN, ""), bursts(seconds, rate_hz), rate_hz)
    frames = [piece for piece in pieces if isinstance(piece, Frame)]
    lit = np.array([light(frame.jpeg) > 128 for frame in frames])
    lights_s = [
        frame.start_s for frame, goes_on in zip(frames[1:], np.diff(lit.astype(int)), strict=True) if goes_on == 1
    ]
    assert np.abs(np.array(lights_s) - (np.arange(seconds) + 0.5)).max() < LATEST_S
    assert len(frames) == seconds * FPS


def light(jpeg: bytes) -> float:
    with Image.open(io.BytesIO(jpeg)) as picture:
        return float(np.asarray(picture.convert("L")).mean())


def test_an_ear_forgets_what_is_needed_no_more() -> None:
    ear = Ear()
    for _ in range(200):
        ear.hear(Sound(bytes(2 * 8_000), 16_000))
        while cut := ear.cut:
            ear.next(cut)
    assert len(ear._heard) < 4 * CUT * SAMPLES
