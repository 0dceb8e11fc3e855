"""The gradient of a whole batch from parts of it: micro-batches one after the other, shares of several processes.

The loss is a function of the logits of all samples of a batch (Eq. 7 compares them with one another). So each part
computes the logits of its own rows, takes those of all others as numbers, and sends back the gradient of its own. The
gradients of all parts add up to that of the batch.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from dtkd.common.distributed import Group, Items
from dtkd.distillation.classifier import Step


def gradient(
    learner: nn.Module, normalise: nn.Module, clips: Tensor, labels: Tensor, items: Items, *, most: int, cast,
    scaler: torch.amp.GradScaler, group: Group,
) -> Step:  # fmt: skip
    """Leave in the trainable parameters the gradient of the loss of a batch, of which this process has some clips.

    It is scaled as ``scaler`` scales, and added to what is there; in a group there must be none before.

    Batch norms in train mode see one micro-batch at a time, of all processes (`share_batch_norms`): with
    them the gradient is near that of the undivided batch, else it is the same. A learner that is ``coupled`` is run
    twice on each micro-batch, first without gradients, for the logits of all.

    Args:
        clips: uint8, (n, 3, T, H, W): ``group.share`` of the batch, or where that is empty any one clip
            (`DistributedBatchSampler`).
        normalise: from those to what ``learner`` takes.
        labels: (N,), and ``items``, of the N samples of the whole batch, the same in every process.
        most: the clips that pass through a network at a time, at least 1.
        cast: the forward passes' autocast, a context that can be entered more than once.

    Returns:
        The whole batch's loss (), unscaled, logits (N, C) and scalars, the same in every process.

    Raises:
        DtkdError: what ``learner.loss`` raises. A loss that is not finite does not raise here.
    """
    N = len(items)
    count = _count(N, most, group.size)
    if group.size == count == 1:
        with cast:
            step = learner(normalise(clips), labels, items)
        scaler.scale(step.loss).backward()
        return step

    rows = torch.arange(N, device=labels.device)[group.rank :: group.size]
    parts = list(zip(rows.tensor_split(count), clips[: len(rows)].tensor_split(count), strict=True))

    def outputs(rows: Tensor, clips: Tensor) -> tuple[Tensor, ...]:
        with cast:
            return learner.outputs(normalise(clips), labels[rows], group)

    def together(each: list[tuple[Tensor, ...]]) -> list[Tensor]:
        """All parts' logits as numbers: of every network (N, C)."""
        whole = []
        for logits in zip(*each, strict=True):
            own = torch.cat(logits).detach()
            whole.append(own.new_zeros(N, own.shape[1]).index_copy(0, rows, own))
            group.add(whole[-1])
        return whole

    done = []
    if learner.coupled and count > 1:
        with torch.no_grad(), _unchanged(learner, clips.device):
            others = together([outputs(*part) for part in parts])
    for part in parts:
        own = outputs(*part)
        done.append(tuple(logits.detach() for logits in own))
        if count == 1:
            others = together(done)
        elif not learner.coupled:
            others = [logits.new_zeros(N, logits.shape[1]) for logits in own]
        whole = [other.index_copy(0, part[0], logits) for other, logits in zip(others, own, strict=True)]
        scaler.scale(learner.loss(whole, labels, items).loss).backward()
    group.add_gradients(learner)
    with torch.no_grad():
        return learner.loss(together(done), labels, items)


def together(N: int, most: int, processes: int) -> list[Tensor]:
    """The rows of a batch of N that pass through a network together, micro-batch by micro-batch, of all processes."""
    shares = [torch.arange(N)[rank::processes].tensor_split(_count(N, most, processes)) for rank in range(processes)]
    return [torch.cat(parts) for parts in zip(*shares, strict=True)]


def _count(N: int, most: int, processes: int) -> int:
    """How many micro-batches a batch has: the same in every process, as they wait for one another."""
    return math.ceil(math.ceil(N / processes) / most)


@contextmanager
def _unchanged(module: nn.Module, device: torch.device) -> Iterator[None]:
    """Take back what the block does to batch norms' statistics and to the random state: it comes again."""
    before = [(buffer, buffer.clone()) for buffer in module.buffers()]
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        yield
    for buffer, value in before:
        buffer.copy_(value)
