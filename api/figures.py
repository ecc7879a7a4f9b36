"""What Ray has measured of the replicas, read from each node where Prometheus reads it too."""

import logging
import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from threading import Lock

import httpx
from prometheus_client.parser import text_string_to_metric_families
from pydantic import BaseModel, Field

log = logging.getLogger("troupe.api")
Addresses = Callable[[], list[str]]
"""URLs of the nodes' figures. Blocking; only what is bound to a cluster can tell them."""
KEPT_S = 10.0  # a node tells a megabyte, and Ray measures every ten seconds
TIMEOUT_S = 3.0
REPLICA = re.compile(r"ServeReplica:[^:]+:([^:]+?)(?:\.\w+)?$")  # the name of a process, with what it does now
BYTES, GPU, WAITING = (
    "ray_component_rss_bytes",
    "ray_component_gpu_memory_mb",
    "ray_serve_deployment_queued_queries",
)


class Figures(BaseModel):
    """Of one deployment, on all nodes together."""

    memory_bytes: int = Field(0, description="Resident memory of its replicas.")
    gpu_bytes: int = Field(0, description="What they hold of the cards' memory.")
    waiting: int = Field(0, description="Calls that wait for a replica.")


def nowhere() -> list[str]:
    """Where there is no cluster to ask."""
    return []


class Measured:
    """Kept for `KEPT_S`; one asks at a time, the others get what it finds. Blocking."""

    def __init__(self, addresses: Addresses = nowhere) -> None:
        self.addresses, self._turn = addresses, Lock()
        self._kept: dict[str, Figures] = {}
        self._until_s = 0.0

    def figures(self) -> dict[str, Figures]:
        """By deployment. A node that does not answer is left out."""
        with self._turn:
            if time.monotonic() > self._until_s:
                self._kept = together(line for url in self.addresses() for line in _lines(url))
                self._until_s = time.monotonic() + KEPT_S
            return self._kept


def together(lines: Iterable[str]) -> dict[str, Figures]:
    """The sums, out of lines in Prometheus's text format."""
    sums: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for family in text_string_to_metric_families("\n".join(lines) + "\n"):
        for sample in family.samples:
            name = sample.labels.get("deployment", "")
            if sample.name != WAITING:
                found = REPLICA.search(sample.labels.get("Component", ""))
                name = found[1] if found else ""
            sums[name][sample.name] += sample.value
    return {
        name: Figures(memory_bytes=int(of[BYTES]), gpu_bytes=int(of[GPU] * 2**20), waiting=int(of[WAITING]))
        for name, of in sums.items()
        if name
    }


def _lines(url: str) -> Iterator[str]:
    """Those that are asked for; reading all of them takes a second."""
    try:
        text = httpx.get(url, timeout=TIMEOUT_S).text
    except httpx.HTTPError as error:
        log.warning("the figures of %s cannot be read: %s", url, error)
        return
    yield from (line for line in text.splitlines() if line.startswith((BYTES, GPU, WAITING)))
