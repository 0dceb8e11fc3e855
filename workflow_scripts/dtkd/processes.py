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


class Shares:
    """A batch sampler: this process's share of every batch.

    Where that is empty, the batch's first sample: a loader cannot give an empty batch (`parts.gradient` drops it).
    """

    def __init__(self, batches: Iterable[Items], group: Group):
        self.batches, self.group = batches, group

    def __iter__(self) -> Iterator[Items]:
        for batch in self.batches:
            yield self.group.share(batch) or batch[:1]


class SharedBatchNorm(nn.modules.batchnorm._BatchNorm):
    """Batch norm over the samples of all processes, of which one may have none; x (n, C, ...), in any precision.

    torch's SyncBatchNorm is for GPUs alone, and leaves a process without samples without gradients.
    """

    absent = False  # whether x is a placeholder, which counts for nothing (`answers`)

    def _check_input_dim(self, x: Tensor) -> None:
        """Any: the layer was made for its input before it was shared."""

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return super().forward(x)
        with torch.no_grad():
            N, mean, variance = _moments(x, self.absent)
            self.num_batches_tracked += 1
            self.running_mean.lerp_(mean.float(), self.momentum)
            self.running_var.lerp_((variance * N / (N - 1)).float(), self.momentum)
            deviation = (variance + self.eps).sqrt()
        return _Normalised.apply(x, self.weight, self.bias, N, mean.float(), deviation.float(), self.absent)


def _others(x: Tensor) -> list[int]:
    """The dimensions that a batch norm averages over: all but the channels'."""
    return [0, *range(2, x.dim())]


def _along(x: Tensor, values: Tensor) -> Tensor:
    """Values of the channels (C,) in a shape that goes with x (n, C, ...)."""
    return values.view(-1, *[1] * (x.dim() - 2))


def _moments(x: Tensor, absent: bool) -> tuple[Tensor, Tensor, Tensor]:
    """How many values of each channel all processes have, their mean and their variance: (C,) each, float64.

    Each process's own are computed in float32, as float64 is slow on most GPUs, and put together in float64.
    """
    variance, mean = (each.double() for each in torch.var_mean(x.float(), _others(x), correction=0))
    count = torch.full_like(mean, x.numel() // x.shape[1])
    moments = torch.stack([count, count * mean, count * (variance + mean.square())])
    if absent or not len(x):
        moments.zero_()
    distributed.all_reduce(moments)
    N, total, squares = moments
    mean = total / N
    return N, mean, (squares / N - mean.square()).clamp(min=0)


class _Normalised(torch.autograd.Function):
    """(x - mean) / deviation * weight + bias, where mean and deviation depend on the x of all processes.

    The gradient's two sums are over all processes, so all of them have to ask for it. It is computed in float32 and
    rounded once to the precision of x, and nothing but x is kept for it: activations are what fills a GPU.
    """

    @staticmethod
    def forward(
        ctx, x: Tensor, weight: Tensor, bias: Tensor, N: Tensor, mean: Tensor, deviation: Tensor, absent: bool
    ) -> Tensor:
        ctx.absent = absent
        ctx.save_for_backward(x, weight, N, mean, deviation)
        y = (x - _along(x, mean)) * _along(x, weight / deviation) + _along(x, bias)
        return y.to(x.dtype)

    @staticmethod
    def backward(ctx, dy: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, N, mean, deviation = ctx.saved_tensors
        standard = (x - _along(x, mean)) / _along(x, deviation)
        own = torch.stack([dy.float().sum(_others(x)), (dy * standard).sum(_others(x))]).double()
        whole = own.clone()
        distributed.all_reduce(whole)
        if ctx.absent:  # its dy is 0 throughout
            return torch.zeros_like(x), *own.flip(0).to(weight.dtype), None, None, None, None
        shift, slope = (whole / N).float()
        dx = (dy - _along(x, shift) - standard * _along(x, slope)) * _along(x, weight / deviation)
        return dx.to(x.dtype), own[1].to(weight.dtype), own[0].to(weight.dtype), None, None, None, None


def share_batch_norms(module: nn.Module) -> None:
    """Let every batch norm in train mode see the samples of all processes, in place, on CPUs and GPUs alike.

    Names and values of parameters and statistics stay as they are.
    """
    for layer in module.modules():
        if type(layer) in (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d):
            layer.__class__ = SharedBatchNorm  # the same parameters and statistics, another forward


def answers(network: nn.Module, clips: Tensor) -> Tensor:
    """The network's logits (n, C) of clips (n, 3, T, H, W), where n may be 0 if its batch norms are shared.

    They wait for this process too, but few networks take an empty batch (pytorchvideo's do not). So a blank clip passes
    through that counts for nothing: neither in the statistics nor in any gradient, which are zeros.
    """
    if len(clips):
        return network(clips)
    shared = [layer for layer in network.modules() if isinstance(layer, SharedBatchNorm)]
    for layer in shared:
        layer.absent = True
    try:
        return network(clips.new_zeros(1, *clips.shape[1:]))[:0]
    finally:
        for layer in shared:
            layer.absent = False
