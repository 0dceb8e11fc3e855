"""Several processes that train one run together, one a GPU: what each of them takes, and what they tell one another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, distributed, nn

Items = list[tuple[int, int]]  # a batch's samples: the number of the clip and of the video, as the sampler draws them


@dataclass(frozen=True)
class Group:
    """The processes of a run, and which of them this is; by default it is alone."""

    rank: int = 0
    size: int = 1

    def share(self, batch: list) -> list:
        """This process's samples of a batch; where the batch is smaller than the group, maybe none."""
        return batch[self.rank :: self.size]

    def add(self, tensor: Tensor) -> None:
        """Replace ``tensor``, in place, by its sum over the processes, which all call this with the same shape.

        Raises RuntimeError (torch's) if another process has ended; one that does not call is waited for.
        """
        if self.size > 1:
            distributed.all_reduce(tensor)

    def any(self, flags: Tensor) -> bool:
        """Whether any flag (n,) of any process is True; n may differ from process to process, and be 0."""
        count = flags.count_nonzero()
        self.add(count)
        return count.item() > 0

    def add_gradients(self, module: nn.Module) -> None:
        """Replace the gradients of ``module``, in place, by their sums over the processes, in one message.

        The message has a place for every parameter that takes a gradient, so that it is of the same length everywhere:
        where this process has no gradient, for zeros. Where no process has one, None stays, so that the optimiser
        passes the parameter by, as it would in one process: zeros would let momentum and weight decay move it.
        Raises what `add` does.

        DistributedDataParallel averages, and would wait for ever for a process whose share of a batch is empty.
        """
        if self.size == 1:
            return
        parameters = [p for p in module.parameters() if p.requires_grad]
        gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
        users = gradients[0].new_tensor([p.grad is not None for p in parameters])
        total = torch.cat([users, *(gradient.flatten() for gradient in gradients)])
        self.add(total)
        users, *sums = total.split([len(parameters), *(p.numel() for p in parameters)])
        for p, gradient, count, part in zip(parameters, gradients, users.tolist(), sums, strict=True):
            if count:
                p.grad = gradient.copy_(part.view_as(p))

    def from_first(self, value: Any) -> Any:
        """The first process's ``value``, in every process."""
        if self.size > 1:
            values = [value]
            distributed.broadcast_object_list(values)
            (value,) = values
        return value


class DistributedBatchSampler:
    """A batch sampler: this process's share of every batch.

    Where that is empty, the batch's first sample, which `micro_batches.gradient` drops: a loader cannot give an empty
    batch.
    """

    def __init__(self, batches: Iterable[Items], group: Group):
        self.batches, self.group = batches, group

    def __iter__(self) -> Iterator[Items]:
        for batch in self.batches:
            yield self.group.share(batch) or batch[:1]
