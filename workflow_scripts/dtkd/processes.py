"""Several processes that train one run together, one a GPU: what each of them takes, and what they tell one another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, distributed, nn
from torch.distributed.nn.functional import all_reduce

from dtkd.learners import Items


@dataclass(frozen=True)
class Group:
    """The processes of a run, and which of them this is; by default it is alone."""

    rank: int = 0
    size: int = 1

    def share(self, batch: list) -> list:
        """This process's samples of a batch; where the batch is smaller than the group, maybe none."""
        return batch[self.rank :: self.size]

    def add(self, tensor: Tensor) -> None:
        """Replace ``tensor`` by its sum over the processes."""
        if self.size > 1:
            distributed.all_reduce(tensor)

    def add_gradients(self, module: nn.Module) -> None:
        """Replace every gradient by its sum over the processes, in one message.

        DistributedDataParallel averages, and would wait for ever for a process whose share of a batch is empty.
        """
        if self.size > 1:
            gradients = [p.grad for p in module.parameters() if p.grad is not None]
            total = torch.cat([gradient.flatten() for gradient in gradients])
            self.add(total)
            for gradient, part in zip(gradients, total.split([g.numel() for g in gradients]), strict=True):
                gradient.copy_(part.view_as(gradient))

    def from_first(self, value: Any) -> Any:
        """The first process's ``value``, in every process."""
        if self.size > 1:
            values = [value]
            distributed.broadcast_object_list(values)
            (value,) = values
        return value


class Shares:
    """A batch sampler: this process's share of every batch.

    Where that is empty, the batch's first sample: a loader cannot give an empty batch (`parts.gradient` drops it).
    """

    def __init__(self, batches: Iterable[Items], group: Group):
        self.batches, self.group = batches, group

    def __iter__(self) -> Iterator[Items]:
        for batch in self.batches:
            yield self.group.share(batch) or batch[:1]


class SharedBatchNorm(nn.BatchNorm3d):
    """Batch norm over the clips of all processes: torch's SyncBatchNorm for a CPU. A process may have no clip."""

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return super().forward(x)
        sums = {"dim": (0, 2, 3, 4), "dtype": torch.float64}
        values = x.new_full((x.shape[1],), x.numel() // x.shape[1], dtype=torch.float64)
        N, total, squares = all_reduce(torch.stack([values, x.sum(**sums), x.float().square().sum(**sums)]))
        mean, variance = (total / N).float(), (squares / N - (total / N).square()).float()
        with torch.no_grad():
            self.num_batches_tracked += 1
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(variance * (N / (N - 1)).float(), self.momentum)
        scale = self.weight * (variance + self.eps).rsqrt()
        shift = self.bias - mean * scale
        return (x * scale.view(-1, 1, 1, 1) + shift.view(-1, 1, 1, 1)).to(x.dtype)


def share_batch_norms(module: nn.Module, device: torch.device) -> None:
    """Let every batch norm in train mode see the clips of all processes; names and values stay as they are."""
    if device.type == "cuda":
        nn.SyncBatchNorm.convert_sync_batchnorm(module)
        return
    for layer in module.modules():
        if type(layer) is nn.BatchNorm3d:
            layer.__class__ = SharedBatchNorm  # the same parameters and statistics, another forward
