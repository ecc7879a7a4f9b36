"""Trainings as Ray Jobs: begun, watched, begun again after a death, stopped. What drives it may itself be killed.

Ray's own account of a job is not the truth: one that is called failed may go on. Of several attempts it is one's turn,
and only that one is listened to (`training.papers`).
"""

import asyncio
import shlex
import sys
import time
from collections.abc import Awaitable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cached_property
from typing import Any

from contracts.artifacts import Provenance
from contracts.catalog import ModelSpec
from contracts.errors import Cancelled, EngineFailed, Unavailable, error_of
from contracts.human import TRAIN, TrainTask
from contracts.jobs import Job
from contracts.platform import CLASSIFIER, Figures, FinetuneTask, MergeTask, TrainingTask
from contracts.settings import ROOT, Settings
from contracts.training import Tell
from store.artifacts import Artifacts
from store.runs import Run
from training.avatar.config import config_of
from training.merging import make_merged
from training.papers import Papers, Plan, Told
from training.recipe import ClassifierConfig, Config

NOT_FOUND = "status code 404"
POLL_S = 0.4
LOOK_S = 2.0  # between two looks at the Ray Job
WATCH_S = 600.0  # of one call
PATIENCE_S = 60.0  # with Ray, which may be away
STOP_S = 4.0  # for a training to keep what it has learnt, before it is ended
MOST_ATTEMPTS = 5
MOST_CPUS = 8.0


class Launcher:
    """`models`: those of the catalogue by id, with the options that they are served with."""

    def __init__(self, settings: Settings, models: Mapping[str, ModelSpec]) -> None:
        self.settings, self.models = settings, models
        self.files = Artifacts(settings)

    async def follow(self, job: Job, tell: Tell) -> dict[str, Any] | None:
        """Begin a training or go on watching it; how it ended, None when it still goes on after `WATCH_S`.

        When the job is stopped meanwhile, it returns (`CancelledError`) once the training has, with what it had learnt
        kept; else the training does not depend on whether anybody watches.
        """
        papers = Papers(Run(self.settings, job.id))
        try:
            await asyncio.to_thread(self._plan, job, papers)
            return await self._watch(job.id, papers, tell)
        except asyncio.CancelledError:
            await _whole(self._stop(job, papers))
            raise

    async def tidy(self, job: Job) -> None:
        """Nothing is left of the run but what it has kept in the store."""
        await asyncio.to_thread(Run(self.settings, job.id).clear)

    async def merge(self, job: Job) -> dict[str, Any]:
        """Make one model of an adapter and its base, on one of the CPUs that are training's, when that is free."""
        import ray

        from deployments.remote import our_errors

        task = MergeTask.model_validate(job.params)
        options = self._model(task.base_model).options
        run: Any = ray.remote(num_cpus=1)(make_merged)
        made = run.remote(job, options["weights"], options.get("revision", ""))
        try:
            with our_errors():
                return dict(await made)
        except asyncio.CancelledError:
            await _whole(asyncio.to_thread(self._give_up, job, made))
            raise

    def _give_up(self, job: Job, made: Any) -> None:
        """Of a job that is stopped, nothing stays."""
        import ray

        ray.cancel(made, force=True)
        ray.wait([made], timeout=STOP_S)
        if self._is_over(job):
            self.files.delete(str(job.params["output"]))

    def _model(self, name: str) -> ModelSpec:
        if name not in self.models:
            raise Unavailable(f"本集群没有启用模型 {name}。", param="base_model")
        return self.models[name]

    def _plan(self, job: Job, papers: Papers) -> None:
        workers, cpus, gpus = shares(1 if job.kind == TRAIN else self.settings.training_workers)
        if not workers:
            raise Unavailable("集群中没有可用于训练的处理器。")
        asked = _of_avatar(job, small=not gpus) if job.kind == TRAIN else self._of_model(job)
        papers.keep_plan(Plan(**asked, owner=job.owner, workers=workers, cpus=cpus, gpus=gpus))

    def _of_model(self, job: Job) -> dict[str, Any]:
        options = self._model(str(job.params["base_model"])).options
        made, kind = (ClassifierConfig, TrainingTask) if job.kind == CLASSIFIER else (Config, FinetuneTask)
        task: Any = kind.model_validate(job.params)
        return {"config": made.of(task, options), "dataset": task.dataset, "output": task.output}

    async def _watch(self, job_id: str, papers: Papers, tell: Tell) -> dict[str, Any] | None:
        until_s, look_s, heard_s, said = time.monotonic() + WATCH_S, 0.0, time.monotonic(), Figures()
        attempt = max(1, await asyncio.to_thread(papers.turn))
        while time.monotonic() < until_s:
            told = await asyncio.to_thread(papers.told, attempt)
            if told.figures not in (said, Figures()):  # of an attempt that has just begun there is nothing to tell
                said = told.figures
                await tell(said)
            if told.state != "going":
                return _ended(told)
            if time.monotonic() > look_s:
                look_s = time.monotonic() + LOOK_S
                try:
                    attempt = await asyncio.to_thread(self._keep_going, job_id, attempt, papers)
                    heard_s = time.monotonic()
                except Unavailable:  # Ray has not quite begun, or its head is away, which ends no training
                    if time.monotonic() > heard_s + PATIENCE_S:
                        raise
            await asyncio.sleep(POLL_S)
        return None

    def _keep_going(self, job_id: str, attempt: int, papers: Papers) -> int:
        """The attempt that runs: this one, or the next, from the newest checkpoint, when this one is dead."""
        status = self._status(f"{job_id}-{attempt}")
        if status is not None and (not status.is_terminal() or papers.told(attempt).state != "going"):
            return attempt
        if status is not None:
            attempt += 1
        if attempt > MOST_ATTEMPTS:
            raise EngineFailed("训练进程多次意外退出，请查看集群日志后重试。")
        papers.begin(attempt)
        with _ray():
            self._submit(job_id, attempt)
        return attempt

    def _status(self, submission_id: str) -> Any:
        """None: Ray knows of no such job."""
        with _ray():
            try:
                return self._client.get_job_status(submission_id)
            except RuntimeError as error:
                if NOT_FOUND in str(error):
                    return None
                raise

    def _submit(self, job_id: str, attempt: int) -> None:
        import ray

        # Ray's own guess is the cluster that was begun last on this machine
        here = {"RAY_ADDRESS": ray.get_runtime_context().gcs_address}
        command = shlex.join([sys.executable, "-m", "training.on_ray", job_id, str(attempt)])
        self._client.submit_job(
            entrypoint=f"cd {shlex.quote(str(ROOT))} && RAY_ADDRESS={here['RAY_ADDRESS']} exec {command}",
            submission_id=f"{job_id}-{attempt}",
            runtime_env={"env_vars": here | {"PYTHONPATH": str(ROOT)}},
        )

    async def _stop(self, job: Job, papers: Papers) -> None:
        """The training hears by itself that its job is over. Those who merely leave stop nothing."""
        if not await asyncio.to_thread(self._is_over, job):
            return
        attempt, until_s = await asyncio.to_thread(papers.turn), time.monotonic() + STOP_S
        while time.monotonic() < until_s and (await asyncio.to_thread(papers.told, attempt)).state == "going":
            await asyncio.sleep(POLL_S)
        await asyncio.to_thread(papers.begin, 0)
        with suppress(RuntimeError):
            await asyncio.to_thread(self._client.stop_job, f"{job.id}-{attempt}")
        await self.tidy(job)

    def _is_over(self, job: Job) -> bool:
        """Whether the job is stopped, and not only this worker, whose lease another may have now."""
        try:
            self.files.check_wanted(Provenance(owner=job.owner, job_id=job.id))
        except Cancelled:
            return True
        return False

    @cached_property
    def _client(self) -> Any:
        import ray
        from ray.job_submission import JobSubmissionClient

        return JobSubmissionClient(ray.get_runtime_context().gcs_address)


def shares(workers: int) -> tuple[int, float, float]:
    """How many workers a training can have, of so many at most, and the CPUs and GPUs of each.

    Where there are GPUs, each has one. None waits for what this cluster does not have. A core of each node is left to
    those who are answered meanwhile: threads that share one with them make all others wait (four times slower).
    """
    import ray

    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    gpus = int(sum(node.get("GPU", 0) for node in nodes))
    cpus = [int(node.get("CPU", 0)) for node in nodes]
    workers = min(workers, gpus or sum(cpus))
    share = max(1.0, min(max(cpus, default=0) - 1, MOST_CPUS) // max(1, workers))
    return workers, share, float(bool(gpus))


def _of_avatar(job: Job, small: bool) -> dict[str, Any]:
    task = TrainTask.model_validate(job.params)
    notes = {name: str(task.parameters[name]) for name in ("licence", "consent") if name in task.parameters}
    config = config_of(task.model, task.epochs, task.parameters, small)
    return {"config": config, "dataset": task.film, "output": task.output, "notes": notes}


@contextmanager
def _ray() -> Iterator[None]:
    """What the head refuses, or is not there to answer."""
    try:
        yield
    except (ConnectionError, RuntimeError) as error:
        raise Unavailable("Ray 暂不可用，请稍后再试。", retry_after_s=LOOK_S) from error


def _ended(told: Told) -> dict[str, Any]:
    if told.failure:
        raise error_of(*told.failure)
    if told.state == "stopped":
        raise Cancelled("已取消")
    return told.model_dump(mode="json", include={"figures", "manifest", "adapter"})


async def _whole(call: Awaitable[None]) -> None:
    """Await it to its end, however often this is cancelled meanwhile."""
    task = asyncio.ensure_future(call)
    while not task.done():
        with suppress(asyncio.CancelledError):
            await asyncio.shield(task)
    task.result()
