"""Several processes that train one run together, one a GPU: which samples each of them takes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, distributed, nn

from dtkd.training.sampling import EpochBatches, Items


@dataclass(frozen=True)
class Group:
    """The processes of a run, and which of them this is; by default it is alone."""

    rank: int = 0
    size: int = 1

    @property
    def first(self) -> bool:
        """Whether this is the process that tests and writes."""
        return self.rank == 0

    def share(self, N: int) -> list[int]:
        """This process's samples of a batch of N: as many in every process.

        Where N is no multiple of the processes, some have numbers from N on, which are `filler` samples.
        """
        return list(range(self.rank, math.ceil(N / self.size) * self.size, self.size))

    def mean(self, sums: Tensor, count: int) -> Tensor:
        """Sums (n,) of each process's own, over all of them, divided by ``count``; the same in every process."""
        if self.size > 1:
            distributed.all_reduce(sums)
        return sums / count

    def from_first(self, value: Any) -> Any:
        """The first process's ``value``, in every process."""
        if self.size > 1:
            values = [value]
            distributed.broadcast_object_list(values)
            (value,) = values
        return value

    def wrap(self, network: nn.Module, device: torch.device) -> nn.Module:
        """``network``, or where there are several processes torch's wrapper, which averages their gradients."""
        if self.size == 1:
            return network
        devices = [device] if device.type == "cuda" else None
        return nn.parallel.DistributedDataParallel(network, device_ids=devices)


ALONE = Group()


class DistributedBatchSampler:
    """A batch sampler: this process's share of every batch; a filler is a sample of the batch once more."""

    def __init__(self, batches: EpochBatches, group: Group):
        self.batches, self.group = batches, group

    def __iter__(self) -> Iterator[Items]:
        for batch in self.batches:
            yield [batch[number % len(batch)] for number in self.group.share(len(batch))]


def micro_batches(share: list[int], most: int | None) -> list[list[int]]:
    """A share of a batch in parts of at most ``most`` samples, as equal as can be (None: in one part)."""
    if not share:
        return []
    count = math.ceil(len(share) / most) if most else 1
    return [part.tolist() for part in torch.tensor(share).tensor_split(count)]
