"""An application of a model that sleeps, so that what carries its calls is measured (`benchmarks.scale`)."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing

from ray import serve
from ray.serve import Application
from starlette.requests import Request

from deployments.streams import threaded

AT_ONCE = 4  # calls of one replica


class Sleeper:
    """A blocking engine: a call takes so long, whatever the machine."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def generate(self) -> Iterator[float]:
        time.sleep(self.seconds)
        yield self.seconds


@serve.deployment
class SleeperDeployment:
    def __init__(self, seconds: float) -> None:
        self.engine = Sleeper(seconds)

    async def generate(self) -> AsyncIterator[float]:
        async with aclosing(threaded(self.engine.generate())) as items:
            async for item in items:
                yield item


@serve.deployment
class Caller:
    """An ingress as ours: it waits for a model and runs none."""

    def __init__(self, sleeper: serve.handle.DeploymentHandle) -> None:
        self.sleeper = sleeper.options(stream=True)

    async def __call__(self, request: Request) -> int:
        async for _ in self.sleeper.generate.remote():
            await asyncio.sleep(0)
        return os.getpid()


def build(args: dict[str, str]) -> Application:
    """`seconds` that a call takes; `replicas`, one a node."""
    replicas = int(args["replicas"])
    spread = {"num_replicas": replicas, "max_replicas_per_node": 1, "ray_actor_options": {"num_cpus": 0.1}}
    sleeper = SleeperDeployment.options(max_ongoing_requests=AT_ONCE, **spread)
    return Caller.options(max_ongoing_requests=256, **spread).bind(sleeper.bind(float(args["seconds"])))
