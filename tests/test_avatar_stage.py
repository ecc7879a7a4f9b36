"""Avatars as a replica performs them: one clock, several in memory, frames of many conversations drawn together."""

import asyncio
import io
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from pydantic import ValidationError

from contracts.artifacts import Artifact, Provenance
from contracts.avatar import EARLIER, FPS, LATER, RATE_HZ, SAMPLES, FramesRequest, PerformanceRequest
from contracts.errors import EngineFailed, InvalidInput, NotFound, ServiceError
from contracts.model import Progress
from contracts.platform import MANIFEST
from contracts.settings import Settings
from deployments.avatar.pictures import LEAST, Canvas, shown_size
from deployments.avatar.stage import Stage
from graphs.story import wav
from store.artifacts import Artifacts
from store.database import Database
from tests.avatars import BREAKS, DARK, LIT, content, keep, lamp, nerf
from tests.test_film import heard
from tests.waiting import soon

ANN = "callers/ann/models/SyncTalk/a"
MINUTES, DRIFT_S = 2, 0.04


@pytest.fixture
def files(tmp_path: Path) -> Iterator[Artifacts]:
    settings = Settings(var=tmp_path, min_free_gib=0)
    database, files = Database(settings.tables_url), Artifacts(settings)
    database.migrate()
    yield files
    for each in (database, files._database):
        each.engine.dispose()


def bursts(seconds: float, rate_hz: int = RATE_HZ, every_s: float = 1.0) -> NDArray[np.int16]:
    """Silence, and from every second on a tone for 0.4 s."""
    at_s = np.arange(round(seconds * rate_hz)) / rate_hz
    tone = 9_000 * np.sin(2 * np.pi * 400 * at_s) * ((at_s + every_s / 2) % every_s < 0.4)
    return tone.astype(np.int16)


def asked(samples: NDArray[np.int16], first: int, last: int, key: str, **more: Any) -> FramesRequest:
    """Frames of a sound, with as much of it around them as they depend on."""
    count = -(-len(samples) // SAMPLES)
    before, after = min(EARLIER, first), min(LATER, count - last)
    pcm = samples[(first - before) * SAMPLES : (last + after) * SAMPLES].astype("<i2").tobytes()
    return FramesRequest(avatar=key, pcm=pcm, before=before, after=after, first=first, **more)


def seen(jpeg: bytes) -> NDArray[np.uint8]:
    with Image.open(io.BytesIO(jpeg)) as picture:
        return np.asarray(picture.convert("RGB"))


async def filmed(stage: Stage, sound: str, key: str = ANN, mark: str = "") -> list[Progress | Artifact]:
    request = PerformanceRequest(avatar=key, sound=sound, mark=mark)
    async with aclosing(stage.perform(request, "film.mp4", Provenance(owner="ann"))) as items:
        return [item async for item in items]


async def test_frames_do_not_depend_on_how_a_sound_is_cut(files: Artifacts) -> None:
    keep(files, ANN, "ann")
    stage, samples = nerf(files), bursts(1.0)
    whole = (await stage.render(asked(samples, 0, 25, ANN))).jpegs
    cut: list[bytes] = []
    for first, last in ((0, 5), (5, 17), (17, 18), (18, 25)):
        cut += (await stage.render(asked(samples, first, last, ANN))).jpegs
    assert len(whole) == 25 and cut == whole
    thinned = (await stage.render(asked(samples, 3, 25, ANN, every=4))).jpegs
    assert thinned == whole[3::4]


async def test_a_film_and_what_is_streamed_are_the_same_pictures(files: Artifacts) -> None:
    keep(files, ANN, "ann")
    stage, samples = nerf(files), bursts(0.4)
    files.upload("sound.wav", wav(samples.tobytes(), RATE_HZ), "ann")
    *progress, film = await filmed(stage, "sound.wav")
    assert isinstance(film, Artifact) and film.media_type == "video/mp4"
    fractions = [each.fraction for each in progress if isinstance(each, Progress)]
    assert fractions == sorted(fractions) and fractions[-1] == 1
    with av.open(io.BytesIO(files.read("film.mp4"))) as container:
        pictures = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    streamed = (await stage.render(asked(samples, 0, 10, ANN))).jpegs
    assert len(pictures) == 10
    for one, other in zip(pictures, streamed, strict=True):
        assert np.abs(one.astype(int) - seen(other)).mean() < 3


async def test_what_is_seen_and_what_is_heard_do_not_drift(
    files: Artifacts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two minutes of bursts: the lamp is lit when they are heard, by the film itself."""
    monkeypatch.setattr("deployments.avatar.pictures.LEAST", 32)
    keep(files, ANN, "ann")
    stage, _ = lamp(files)
    files.upload("sound.wav", wav(bursts(MINUTES * 60, 22_050).tobytes(), 22_050), "ann")
    await filmed(stage, "sound.wav")
    path = tmp_path / "film.mp4"
    path.write_bytes(files.read("film.mp4"))
    with av.open(path) as container:
        frames = [(float(frame.time or 0), frame.to_ndarray().mean()) for frame in container.decode(video=0)]
    samples, sounds_hz = heard(path)
    lit = np.array([mean > (LIT + DARK) / 2 for _, mean in frames])
    times_s = np.array([time for time, _ in frames])
    loud = np.array([np.abs(each).max() > 0.1 for each in np.array_split(samples, len(samples) // (sounds_hz // 100))])
    seen_s = times_s[1:][np.diff(lit.astype(int)) == 1]
    heard_s = (np.flatnonzero(np.diff(loud.astype(int)) == 1) + 1) * len(samples) / sounds_hz / len(loud)
    assert len(seen_s) == len(heard_s) == MINUTES * 60
    assert np.abs(seen_s - heard_s).max() < DRIFT_S
    assert abs(len(frames) / FPS - len(samples) / sounds_hz) < DRIFT_S


async def test_several_conversations_are_drawn_in_one_go(files: Artifacts) -> None:
    keep(files, ANN, "ann")
    stage, engine = lamp(files)
    samples = bursts(1.0, every_s=0.8)
    alone = [(await stage.render(asked(samples, 5 * n, 5 * n + 5, ANN))).jpegs for n in range(4)]
    engine.batches.clear()
    engine.gate.clear()
    async with asyncio.TaskGroup() as tasks:
        drawn = []
        for n in range(4):
            drawn.append(tasks.create_task(stage.render(asked(samples, 5 * n, 5 * n + 5, ANN))))
            await soon(lambda n=n: len(engine.batches) == 1 and len(stage.turns._wishes) == n)
        engine.gate.set()
    assert [task.result().jpegs for task in drawn] == alone
    assert engine.batches == [list(range(5)), list(range(5, 20))] and len(engine.opened) == 1


async def test_what_an_engine_raises_is_for_those_who_asked(files: Artifacts) -> None:
    for key in (ANN, f"{ANN}2"):
        keep(files, key, "ann")
    stage, _ = lamp(files)
    samples = bursts(0.5)
    broken = asked(samples, 0, 5, ANN).model_copy(update={"first": BREAKS})
    bad, good = await asyncio.gather(
        stage.render(broken), stage.render(asked(samples, 0, 5, f"{ANN}2")), return_exceptions=True
    )
    assert isinstance(bad, EngineFailed)
    assert not isinstance(good, BaseException) and len(good.jpegs) == 5
    assert len((await stage.render(asked(samples, 0, 5, ANN))).jpegs) == 5


async def test_who_leaves_holds_nobody_up(files: Artifacts) -> None:
    keep(files, ANN, "ann")
    stage, _ = lamp(files)
    samples = bursts(1.0)
    async with asyncio.TaskGroup() as tasks:
        leaves = [tasks.create_task(stage.render(asked(samples, 0, 5, ANN))) for _ in range(3)]
        stays = tasks.create_task(stage.render(asked(samples, 0, 5, ANN)))
        await asyncio.sleep(0)
        for task in leaves:
            task.cancel()
    assert len(stays.result().jpegs) == 5 and all(task.cancelled() for task in leaves)


async def test_the_least_wanted_is_let_go_and_never_one_that_is_drawn(files: Artifacts) -> None:
    keys = [f"{ANN}{number}" for number in range(4)]
    for key in keys:
        keep(files, key, "ann")
    stage = nerf(files)
    players = stage.players
    async with players.lent(keys[0]) as player:
        players.most_bytes = int(2.5 * player.size_bytes)
        for key in keys[1:]:
            async with players.lent(key):
                pass
        assert set(players.sizes()) == {keys[0], keys[3]}  # two fit; the first is being drawn
        async with players.lent(keys[0]) as again:
            assert again is player
    async with players.lent(keys[1]):
        pass
    assert list(players.sizes()) == [keys[0], keys[1]]
    assert sum(players.sizes().values()) <= players.most_bytes
    players.most_bytes = 1
    async with players.lent(keys[2]):
        pass
    assert list(players.sizes()) == [keys[2]]  # larger than there is room for, and alone


async def test_a_deleted_avatar_is_forgotten(files: Artifacts) -> None:
    keep(files, ANN, "ann")
    stage = nerf(files)
    await stage.render(asked(bursts(0.5), 0, 5, ANN))
    files.delete(ANN)
    assert list(stage.players.sizes()) == [ANN]
    await stage.players.forget_deleted()
    assert not stage.players.sizes()
    with pytest.raises(NotFound, match="已被删除"):
        await stage.render(asked(bursts(0.5), 0, 5, ANN))


@pytest.mark.parametrize(
    ("name", "broken", "error", "told"),
    [
        (MANIFEST, None, NotFound, "不存在"),
        (MANIFEST, b"{}", InvalidInput, "不是本系统训练的"),
        (MANIFEST, b"\xff", InvalidInput, "不是本系统训练的"),
        ("weights.safetensors", None, NotFound, "不完整"),
        ("weights.safetensors", b"weights", InvalidInput, "weights.safetensors 的校验和不符"),
        ("frames.mp4", b"", InvalidInput, "frames.mp4 的校验和不符"),
    ],
)
async def test_a_bad_avatar_is_refused_in_plain_words_and_tried_again(
    files: Artifacts, name: str, broken: bytes | None, error: type[ServiceError], told: str
) -> None:
    keep(files, ANN, "ann")
    files.delete(f"{ANN}/{name}")
    if broken is not None:
        files.upload(f"{ANN}/{name}", broken, "ann")
    stage = nerf(files)
    with pytest.raises(error, match=told):
        await stage.render(asked(bursts(0.5), 0, 5, ANN))
    files.upload(f"{ANN}/{name}", content()[name], "ann")
    assert len((await stage.render(asked(bursts(0.5), 0, 5, ANN))).jpegs) == 5


async def test_a_manifest_names_no_other_files(files: Artifacts) -> None:
    keep(files, ANN, "ann")
    manifest = content()[MANIFEST].replace(b'"behind.mp4"', b'"../../secret"')
    files.upload(f"{ANN}/{MANIFEST}", manifest, "ann")
    with pytest.raises(InvalidInput, match="清单无效"):
        await nerf(files).render(asked(bursts(0.5), 0, 5, ANN))


@pytest.mark.parametrize(("bytes_", "before", "after"), [(0, 0, 0), (1_281, 0, 0), (12 * 1_280, 7, 5), (100, 1, 0)])
def test_a_piece_has_a_frame_that_is_wanted(bytes_: int, before: int, after: int) -> None:
    with pytest.raises(ValidationError):
        FramesRequest(avatar=ANN, pcm=bytes(bytes_), before=before, after=after)


@pytest.mark.parametrize(
    ("size", "shown"), [((32, 48), (512, 768)), ((512, 512), (512, 512)), ((801, 601), (800, 600))]
)
def test_pictures_are_large_enough_for_the_mark(size: tuple[int, int], shown: tuple[int, int]) -> None:
    assert shown_size(*size) == shown and min(shown) >= LEAST


def test_every_picture_bears_the_mark() -> None:
    grey = np.full((256, 256, 3), 120, np.uint8)
    plain, marked = (seen(Canvas(256, 256, words).jpeg(grey)).astype(int) for words in ("", "AI生成"))
    assert np.abs(plain - 120).max() <= 3
    rows, columns = (np.abs(marked - plain).max(axis=2) > 60).nonzero()
    assert np.ptp(rows) >= 0.05 * LEAST and rows.max() < LEAST / 4 and columns.min() > LEAST / 2
