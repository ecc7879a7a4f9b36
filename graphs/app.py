"""The cluster: one deployment for each model, a worker that runs jobs, an ingress that answers HTTP."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any, get_args

import ray
from fastapi import FastAPI
from ray import serve
from ray.serve import Application
from ray.serve.handle import DeploymentHandle

from api.app import build as build_api
from api.models import Models
from api.nodes import Node
from api.state import Engines, make
from contracts.catalog import Capability, ModelSpec, models
from contracts.errors import InvalidInput
from contracts.settings import Settings
from deployments.weights import is_here
from graphs.arguments import Args, check_licences, check_needed, check_shared, with_defaults
from graphs.models import ATTENDED, deploy_all, named, remotes
from graphs.pipelines import pipelines
from graphs.spare import spared
from jobs import engine
from jobs.watching import tell_forever, watched
from jobs.worker import Worker
from store.artifacts import Artifacts
from store.database import Database
from store.labels.mark import WORDS
from store.voices import Voices
from training.launch import Launcher

DIRECT: dict[Capability, str] = {  # the ingress calls them itself: they are quick, or somebody listens to them
    "chat": "chats",
    "image": "images",
    "speech": "speeches",
    "transcription": "transcriptions",
    "classification": "classifications",
    "detection": "detections",
    "face": "faces",
    "avatar": "avatars",
}


@serve.deployment(max_ongoing_requests=8, health_check_period_s=1)
class WorkerDeployment:
    """Awaits; the models work elsewhere. Of several replicas, one goes on with what another one left."""

    async def __init__(  # type: ignore[misc]  # Serve awaits it
        self,
        served: list[ModelSpec],
        known: dict[str, ModelSpec],
        fallback: bool,
        handles: dict[str, DeploymentHandle[Any]],
    ) -> None:
        _join_logs()
        settings = Settings()
        found = {capability: remotes(capability, served, handles) for capability in get_args(Capability)}
        bound = pipelines(
            chats=spared(found["chat"], fallback),
            images=found["image"],
            speeches=found["speech"],
            videos=found["video"],
            transcriptions=found["transcription"],
            avatars=found["avatar"],
            files=Artifacts(settings),
            voices=Voices(Database(settings.tables_url)),
            mark=WORDS if settings.visible_label else "",
            trainer=Launcher(settings, known),
        )
        self.worker = Worker(settings, watched(bound))
        await self.worker.start()
        self.telling = asyncio.create_task(tell_forever(Database(settings.tables_url)))

    def check_health(self) -> None:
        self.worker.check()

    def __del__(self) -> None:
        if worker := getattr(self, "worker", None):
            worker.lease.give_back()


@serve.deployment(max_ongoing_requests=1024, health_check_period_s=1)
@serve.ingress()
class Ingress:
    """Answers HTTP, queues jobs, and has short texts written; it runs no model and no job."""

    def __init__(
        self,
        served: list[ModelSpec],
        fallback: bool,
        handles: dict[str, DeploymentHandle[Any]],
        worker: DeploymentHandle[Any],
    ) -> None:
        _join_logs()
        direct = {capability: remotes(capability, served, handles, ATTENDED) for capability in DIRECT}
        direct["chat"] = spared(direct["chat"], fallback)
        engines = Engines(**{DIRECT[capability]: found for capability, found in direct.items()})
        settings = Settings()
        choices = Models(served, models(), fallback, settings.commercial)
        self.state = make(settings, choices, engines, nodes, figures)
        self.worker = worker  # bound, so that it is deployed; they meet in the database

    def __serve_build_asgi_app__(self) -> FastAPI:
        return build_api(self.state)


def build(args: Args) -> Application:
    """The application of serve_config.yaml. Its tables are brought up to date here, once a deploy."""
    settings = Settings()
    Database(settings.tables_url).migrate()
    engine.migrate(settings)
    known = {
        name: spec.model_copy(update={"options": spec.options | args.options.get(name, {})})
        for name, spec in models().items()
    }
    served = with_defaults([_named(known, name) for name in args.models], args.preferred, is_here)
    check_needed(served)
    check_licences(served, settings.commercial)
    check_shared(served, args.shared)
    bound = deploy_all(served, Artifacts(settings), args.shared)
    worker = named(WorkerDeployment, "worker", served, known, args.fallback, bound)
    direct = {spec.id: bound[spec.id] for spec in served if spec.capability in DIRECT}
    return named(Ingress, "ingress", served, args.fallback, direct, worker)


def nodes() -> list[Node]:
    """The cluster's, as Ray tells."""
    return [
        Node(
            name=node["NodeManagerHostname"],
            alive=node["Alive"],
            cpus=node["Resources"].get("CPU", 0),
            gpus=node["Resources"].get("GPU", 0),
            memory_total=int(node["Resources"].get("memory", 0)),
        )
        for node in ray.nodes()
    ]


def figures() -> list[str]:
    """Where each node tells what it has measured."""
    alive = [node for node in ray.nodes() if node["Alive"]]
    return [f"http://{node['NodeManagerAddress']}:{node['MetricsExportPort']}/metrics" for node in alive]


def _named(known: Mapping[str, ModelSpec], name: str) -> ModelSpec:
    if name not in known:
        raise InvalidInput(f"No model {name!r} in catalog/models.yaml.", param="models")
    return known[name]


def _join_logs() -> None:
    """Our log lines go where Serve's go, in the same form."""
    ours, serves = logging.getLogger("troupe"), logging.getLogger("ray.serve")
    ours.handlers, ours.level, ours.propagate = serves.handlers, logging.INFO, False
