"""Batch norms over the samples of all processes of a training, on CPUs and GPUs alike."""

from __future__ import annotations

import torch
from torch import Tensor, distributed, nn


class SharedBatchNorm(nn.modules.batchnorm._BatchNorm):
    """Batch norm over the samples of all processes, of which one may have none; x (n, C, ...), in any precision.

    torch's SyncBatchNorm is for GPUs alone, and leaves a process without samples without gradients.
    """

    absent = False  # whether x is a placeholder, which counts for nothing (`compute_logits`)

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


def compute_logits(network: nn.Module, clips: Tensor) -> Tensor:
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
