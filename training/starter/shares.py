"""Several processes that train one model, each on its share of the batches, as `torchrun` starts them."""

import os
from collections.abc import Callable, Iterable
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import nn

T = TypeVar("T")


class Shares:
    """`rank` of `size` processes; one of one where nothing has started more."""

    def __init__(self) -> None:
        self.size = int(os.environ.get("WORLD_SIZE", "1"))
        self.rank = int(os.environ.get("RANK", "0"))
        if self.size > 1 and not dist.is_initialized():
            dist.init_process_group("gloo")

    def in_turn(self, make: Callable[[], T]) -> T:
        """What all make of one folder: the first process before the others."""
        if self.rank:
            dist.barrier()
        made = make()
        if self.size > 1 and not self.rank:
            dist.barrier()
        return made

    def average(self, weights: Iterable[nn.Parameter]) -> None:
        """Every gradient becomes the mean of all processes' ones."""
        if self.size == 1:
            return
        gradients = [each.grad for each in weights if each.grad is not None]
        whole = torch.cat([each.flatten() for each in gradients])
        dist.all_reduce(whole)
        for gradient, part in zip(gradients, whole.split([each.numel() for each in gradients]), strict=True):
            gradient.copy_(part.view_as(gradient) / self.size)

    def mean(self, number: float) -> float:
        """Of all processes, so that they go by the same one."""
        if self.size == 1:
            return number
        told = torch.tensor(number, dtype=torch.float64)
        dist.all_reduce(told)
        return told.item() / self.size
