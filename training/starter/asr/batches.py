"""Batches of windows of about the same length, made by a process beside the training from seed, phase and place."""

import json
import signal
from collections import Counter
from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass
from itertools import groupby, islice
from multiprocessing import Pipe, get_context
from multiprocessing.connection import Connection
from operator import itemgetter
from pathlib import Path
from random import Random

import numpy as np
import torch
from threadpoolctl import threadpool_limits
from torch import Tensor
from transformers import WhisperTokenizer

from deployments.speech.espeak_library import loaded as loaded_library
from training.starter.asr import texts, voices
from training.starter.asr.phases import PHASES
from training.starter.asr.tokenizer import LANGUAGES
from training.starter.asr.windows import IGNORED, Window, windows

WHOLE = 3000  # frames of a window in the engine
POOLS = 16  # that one process makes


@dataclass(frozen=True)
class Batch:
    """`features` (batch, 80, frames), 0 where nothing is; `frames` (batch,): how many are sound. `tokens` and
    `labels` (batch, length). `phonemes` (batch, most), `spoken` (batch,): how many, -1: they are not known."""

    features: Tensor
    frames: Tensor
    tokens: Tensor
    labels: Tensor
    phonemes: Tensor
    spoken: Tensor
    pool: int
    index: int


class Batches:
    """The batches of a phase without end, from the given place on."""

    def __init__(
        self, tokenizer: WhisperTokenizer, names: list[str], seed: int, phase: int, place: tuple[int, int] = (0, 0)
    ) -> None:
        self.tokenizer, self.seed, self.phase, self.place = tokenizer, seed, phase, place
        self.numbers = {name: number for number, name in enumerate(names, start=1)}  # 0: CTC's blank

    def __iter__(self) -> Iterator[Batch]:
        for pool, number, group in self.groups():
            yield self.batch(group, pool, number)

    def groups(self) -> Iterator[tuple[int, int, list[Window]]]:
        """(pool, number in it, windows of about the same length)."""
        phase, (pool, index) = PHASES[self.phase], self.place
        while True:
            seed = f"{self.seed} {pool}"
            made = windows(self.tokenizer, seed, phase, phase.windows)
            groups = _grouped(sorted(made, key=lambda window: window.features.shape[1]), phase.frames, phase.whole)
            Random(seed).shuffle(groups)  # noqa: S311
            for number in range(index, len(groups)):
                yield pool, number, groups[number]
            pool, index = pool + 1, 0

    def batch(self, group: list[Window], pool: int, index: int) -> Batch:
        known = [[self.numbers[name] for name in one.phonemes or [] if name in self.numbers] for one in group]
        lengths = [len(one) if window.phonemes is not None else -1 for one, window in zip(known, group, strict=True)]
        return Batch(
            stacked([one.features for one in group], WHOLE if PHASES[self.phase].whole else 0),
            torch.tensor([one.features.shape[1] for one in group]),
            _padded([one.tokens for one in group], 0),
            _padded([one.labels for one in group], IGNORED),
            _padded(known, 0),
            torch.tensor(lengths),
            pool,
            index,
        )


def loaded(batches: Batches, beside: bool) -> Iterator[Batch]:
    """The batches, made by another process ahead of time where `beside` is true.

    eSpeak's library was seen to crash after some ten thousand sentences of ever other voices. So a process makes a few
    pools and ends, and another one goes on, also where it crashed; a pool that crashes it twice is left out.
    """
    if not beside:
        yield from batches
        return
    following, crashed = copy(batches), (-1, -1)
    while True:
        try:
            for batch in _beside(following):
                following.place = (batch.pool, batch.index + 1)
                yield batch
            following.place = (following.place[0] + 1, 0)
        except EOFError:
            if crashed == following.place:
                following.place = (following.place[0] + 1, 0)
            crashed = following.place


def _beside(batches: Batches) -> Iterator[Batch]:
    """Those of a few pools. `EOFError` when their process crashed."""
    near, far = Pipe(duplex=False)
    maker = get_context("fork").Process(target=_make, args=(far, batches), daemon=True)
    maker.start()
    far.close()
    try:
        while groups := near.recv():
            for pool, number, group in groups:
                yield batches.batch(group, pool, number)
    finally:
        maker.kill()
        maker.join()
        near.close()


def _make(far: Connection, batches: Batches) -> None:
    """Sends lists of (pool, number, windows), a pool each, and nothing last.

    What ends the training is for the training to hear. One thread: the small products of the features cost eight times
    as much where OpenBLAS's threads wait for a core.
    """
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, signal.SIG_IGN)
    threadpool_limits(1)
    first = batches.place[0]
    for pool, groups in groupby(batches.groups(), key=itemgetter(0)):
        if pool == first + POOLS:
            break
        far.send(list(groups))
    far.send(None)


def stacked(features: list[np.ndarray], least: int = 0) -> Tensor:
    """(batch, 80, frames), 0 where nothing is; a multiple of 64: each new shape costs memory for kernels of its own."""
    longest = max(least, min(WHOLE, -(-max(one.shape[1] for one in features) // 64) * 64))
    out = torch.zeros(len(features), features[0].shape[0], longest)
    for row, one in zip(out, features, strict=True):
        row[:, : one.shape[1]] = torch.from_numpy(one)
    return out


def names(folder: Path, seed: int) -> list[str]:
    """The phonemes of both languages that are not rare; the folder's, found where it has none."""
    path = folder / "phonemes.json"
    if not path.exists():
        rng, found = Random(f"phonemes {seed}"), Counter[str]()  # noqa: S311
        with loaded_library() as library:
            for language in LANGUAGES:
                for text in islice(texts.sentences(rng, language), 250):
                    for said, voice in (
                        (text, voices.drawn(rng, language)),
                        (texts.meaningless(rng, language), voices.drawn(rng, language)),
                    ):
                        voices.say(library, said, voice)
                        found.update(voices.phonemes(library, said, voice))
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(sorted(name for name, count in found.items() if count > 2)), "utf-8")
    kept: list[str] = json.loads(path.read_text("utf-8"))
    return kept


def _grouped(rows: list[Window], frames: int, whole: bool) -> list[list[Window]]:
    groups: list[list[Window]] = [[]]
    for row in rows:
        length = WHOLE if whole else row.features.shape[1]
        if groups[-1] and length * (len(groups[-1]) + 1) > frames:
            groups.append([])
        groups[-1].append(row)
    return groups


def _padded(rows: list[list[int]], filling: int) -> Tensor:
    longest = max(1, *map(len, rows))
    return torch.tensor([row + [filling] * (longest - len(row)) for row in rows])
