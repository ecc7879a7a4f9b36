"""Trainings on Ray Train, as Ray Jobs run them: `python -m training.on_ray <job> <attempt>`.

Workers that die are begun anew and go on from the checkpoint. A training stops by itself when its job no longer runs,
and when it is another attempt's turn: a Ray Job may outlive those who watch it.
"""

import logging
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from contracts.errors import Cancelled, ServiceError, Unavailable
from contracts.platform import MANIFEST, Figures
from contracts.settings import Settings
from store.artifacts import Artifacts
from store.runs import RAY_TRAIN, Run
from training.papers import Papers, Told

log = logging.getLogger("troupe.training")
BEAT_S = 0.4
FIRST_S, LONGEST_S, AWAY_S = 0.5, 15.0, 3600.0  # between two tries, and in all
T = TypeVar("T")
MOST_DEATHS = 3  # of workers


class Line:
    """To those who watch: tells the newest figures and hears whether to go on, several times a second."""

    def __init__(self, papers: Papers, files: Artifacts, attempt: int, leads: bool) -> None:
        self.papers, self.files, self.attempt, self.leads = papers, files, attempt, leads
        self.made, self.told = papers.made(), Told()
        self.cancelled = self.superseded = False
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self) -> "Line":
        self._hear()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def report(self, figures: Figures) -> None:
        self.told = Told(figures=figures)

    def should_stop(self) -> bool:
        return self.cancelled or self.superseded

    def patiently(self, call: Callable[[], T]) -> T:
        """Its result. A store that is away is waited for: hours of learning hang on it."""
        began_s, pause_s = time.monotonic(), FIRST_S
        while True:
            try:
                return call()
            except Unavailable:
                if self.should_stop() or time.monotonic() > began_s + AWAY_S:
                    raise
                log.warning("the store is away, again in %.0f s", pause_s, exc_info=True)
            time.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_S)

    def _beat(self) -> None:
        said = self.told  # nothing yet: what was told before this worker began stays until there is more
        while not self._over.wait(BEAT_S):
            try:
                self._hear()
                if self.leads and self.told is not said:
                    said = self.told
                    self.papers.tell(self.attempt, said)
            except ServiceError:  # what is away comes back, and the training does not need it meanwhile
                log.warning("the training could not tell how far it is", exc_info=True)

    def _hear(self) -> None:
        self.superseded = self.papers.turn() != self.attempt
        try:
            self.files.check_wanted(self.made)
        except Cancelled:
            self.cancelled = True


Trained = Callable[[Run, Artifacts, Line], Told]


def work(arguments: dict[str, str], trained: Trained) -> None:
    """On every worker. The one that leads tells how it ended."""
    import torch
    from ray.train import get_context

    attempt = int(arguments["attempt"])
    settings = Settings(min_free_gib=0)  # it has begun, and may use what is kept free
    run, files = Run(settings, arguments["job"]), Artifacts(settings)
    papers, leads = Papers(run), get_context().get_world_rank() == 0
    torch.set_num_threads(int(papers.plan().cpus))
    with Line(papers, files, attempt, leads) as line:
        try:
            ended = trained(run, files, line)
        except ServiceError as error:
            failure = (error.code, error.message, error.param)
            ended = Told(state="failed", figures=line.told.figures, failure=failure)
    if leads and not line.superseded:
        papers.tell(attempt, ended)


def publish(line: Line, folder: Path, key: str, owner: str) -> str:
    """Keep what was made in the store; its manifest comes last. The key of its folder; empty: there was none.

    What another attempt writes by now is not written over: `Cancelled`.
    """
    made = sorted(folder.glob("*"), key=lambda path: path.name == MANIFEST)
    for path in made:
        if line.superseded:
            raise Cancelled("Another attempt has taken this training over.")
        line.files.upload(f"{key}/{path.name}", path, owner)
    return key if made else ""


@contextmanager
def outliving(folder: Path, line: Line) -> Iterator[None]:
    """Inside, a folder's content is made and used. It stays for who goes on: after a death, after a fault of the
    program, which Ray Train tries again, and with another attempt."""
    again = False
    try:
        yield
    except BaseException as error:
        again = not isinstance(error, ServiceError)
        raise
    finally:
        if not (again or line.superseded):
            shutil.rmtree(folder, ignore_errors=True)


def drive(work_: Callable[[dict[str, str]], None]) -> None:
    """The driver: does not end before the training has."""
    from ray.train import FailureConfig, RunConfig, ScalingConfig
    from ray.train.torch import TorchTrainer

    job, attempt = sys.argv[1:]
    settings = Settings()
    plan, name = Papers(Run(settings, job)).plan(), f"{job}-{attempt}"
    trainer = TorchTrainer(
        work_,
        train_loop_config={"job": job, "attempt": attempt},
        scaling_config=ScalingConfig(
            num_workers=plan.workers, use_gpu=bool(plan.gpus), resources_per_worker=_resources(plan.cpus, plan.gpus)
        ),
        run_config=RunConfig(
            name=name,  # one that was used goes on with what was kept under it
            storage_path=str(place_of(settings)),
            failure_config=FailureConfig(max_failures=MOST_DEATHS),
        ),
    )
    try:
        trainer.fit()
    finally:
        shutil.rmtree(place_of(settings) / name, ignore_errors=True)  # Ray's own notes: ours are in the run


def place_of(settings: Settings) -> Path:
    return settings.var.resolve() / RAY_TRAIN


def _resources(cpus: float, gpus: float) -> dict[str, float]:
    return {"CPU": cpus} | ({"GPU": gpus} if gpus else {})
