"""SlowFast (Feichtenhofer et al., 2019): pytorchvideo's, and two small ones of this project."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from dtkd.common.errors import DtkdError
from dtkd.models.pytorchvideo_hub import create_slowfast, hub

ALPHA = 4
"""The ratio of the pathways' frame rates: a clip's frames are a multiple of it."""


def pathways(clip: Tensor, alpha: int = ALPHA) -> list[Tensor]:
    """Make SlowFast's input [slow, fast] from the fast clip (N, C, T, H, W): slow has T / alpha of its frames.

    The slow frames are those of pytorchvideo's published recipe, evenly spaced from the first to the last frame.
    Raises DtkdError unless T is a multiple of alpha (the pathways could not be fused).
    """
    T = int(clip.shape[2])
    if T == 0 or T % alpha:
        raise DtkdError(f"frames: a clip of {T} frames cannot feed SlowFast: choose a multiple of alpha = {alpha}")
    slow = torch.linspace(0, T - 1, T // alpha, device="cpu").long()  # on the CPU: the same frames on every device
    return [clip.index_select(2, slow.to(clip.device)), clip]


def _published(hub_name: str) -> Callable[..., nn.Module]:
    """A builder with the settings of pytorchvideo's hub, except that the head pools whatever size it is given."""

    def builder(num_classes: int, dropout: float) -> nn.Module:
        return getattr(hub, hub_name)(model_num_class=num_classes, dropout_rate=dropout, head_pool=nn.AdaptiveAvgPool3d)

    return builder


r101_16x8 = _published("slowfast_16x8_r101_50_50")
r101_8x8 = _published("slowfast_r101")
r50_8x8 = _published("slowfast_r50")


def small(num_classes: int, dropout: float, *, width: int = 16) -> nn.Module:
    """SlowFast with one block a stage and ``width`` slow channels in the stem, a multiple of 8, for small computers."""
    if not isinstance(width, int) or width < 8 or width % 8:
        raise DtkdError(f"width: {width!r} does not suit slowfast_small: choose a multiple of 8, such as 16")
    return create_slowfast(
        model_depth=18,
        stem_dim_outs=(width, width // 8),
        stem_conv_kernel_sizes=((1, 7, 7), (3, 5, 5)),  # the usual 5x7x7 would cost as much as all the rest together
        model_num_class=num_classes,
        dropout_rate=dropout,
        head_pool=nn.AdaptiveAvgPool3d,
    )


def tiny(num_classes: int, dropout: float) -> nn.Module:
    """The narrowest ``small``: what R50 is to R101 in the paper."""
    return small(num_classes, dropout, width=8)
