"""Where a training was, so that it goes on from there as if nothing had happened."""

import io
import logging
import re
import zipfile
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

import torch
from torch import Tensor

from contracts.errors import Unavailable
from store.runs import Run

log = logging.getLogger("troupe.training")
KEPT = 2  # the newest may be broken
NAME = re.compile(r"checkpoint-\d{9}\.pt")


class Checkpoints:
    """Of one training, which its `fingerprint` names: another configuration or other data begins anew."""

    def __init__(self, run: Run, fingerprint: str) -> None:
        self.run, self.fingerprint = run, fingerprint

    def save(self, step: int, state: dict[str, Any]) -> None:
        """After `step` steps; the older ones go. What keeps them may be away for a while: the training goes on."""
        content = io.BytesIO()
        torch.save({"fingerprint": self.fingerprint, "step": step, **state}, content)
        try:
            self.run.write(f"checkpoint-{step:09}.pt", content.getvalue())
            for name in self._names()[:-KEPT]:
                self.run.delete(name)
        except Unavailable:
            log.warning("the training could not be kept after step %d", step, exc_info=True)

    def newest(self) -> dict[str, Any] | None:
        """The newest that is whole; None: it has to begin at the beginning."""
        for name in reversed(self._names()):
            with suppress(RuntimeError, EOFError, zipfile.BadZipFile):  # broken, by whatever has happened to the disk
                state = torch.load(io.BytesIO(self.run.read(name) or b""), map_location="cpu", weights_only=True)
                if state["fingerprint"] == self.fingerprint:
                    return dict(state)
        return None

    def _names(self) -> list[str]:
        return [name for name in self.run.names() if NAME.fullmatch(name)]


Kept = Callable[[str], Checkpoints]  # of a fingerprint


def state_of(parameters: Iterable[Tensor], optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    weights = [parameter.detach().cpu() for parameter in parameters]
    return {"weights": weights, "optimizer": optimizer.state_dict()}


def restore(state: dict[str, Any], parameters: Iterable[Tensor], optimizer: torch.optim.Optimizer) -> None:
    """As they were when it was kept."""
    with torch.no_grad():
        for parameter, weights in zip(parameters, state["weights"], strict=True):
            parameter.copy_(weights)
    optimizer.load_state_dict(state["optimizer"])
