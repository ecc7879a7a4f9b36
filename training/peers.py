"""The workers of one training: which of them this is, and what they add up."""

from collections.abc import Iterable
from typing import Any, TypeVar

import torch
from torch import Tensor
from torch import distributed as dist

T = TypeVar("T")


class Peers:
    """The workers that `torch.distributed` knows; without it, this one alone."""

    def __init__(self) -> None:
        joined = dist.is_available() and dist.is_initialized()
        self.rank = dist.get_rank() if joined else 0
        self.count = dist.get_world_size() if joined else 1

    @property
    def leads(self) -> bool:
        """Whether it is this one that tells and keeps."""
        return self.rank == 0

    def total(self, *values: float) -> list[float]:
        """What all of them have, number by number."""
        if self.count == 1:
            return list(values)
        device = "cuda" if dist.get_backend() == "nccl" else "cpu"
        summed = torch.tensor(values, dtype=torch.float64, device=device)
        dist.all_reduce(summed)
        return [float(each) for each in summed]

    def told(self, value: T) -> T:
        """What the one that leads has, whatever the others have."""
        box: list[Any] = [value]
        if self.count > 1:
            dist.broadcast_object_list(box)
        return box[0]

    def add_gradients(self, parameters: Iterable[Tensor]) -> None:
        """Every worker has the sum of all, in place."""
        if self.count > 1:
            for parameter in parameters:
                if parameter.grad is None:
                    parameter.grad = torch.zeros_like(parameter)
                dist.all_reduce(parameter.grad)
