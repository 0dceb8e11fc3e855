"""Multiscale Vision Transformers (Fan et al., 2021; Li et al., 2022) as torchvision and pytorchvideo have them.

Both are made there for clips of one size; here their tables of positions are interpolated for others.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torchvision.models import video

from dtkd.models.positions import resized
from dtkd.models.pytorchvideo_models import hub


class OfTorchvision(nn.Module):
    """Goes before the class `MViT` of torchvision."""

    def forward(self, clip: Tensor) -> Tensor:
        x = self.conv_proj(clip)
        grid = tuple(x.shape[2:])
        first = self.pos_encoding.class_token.expand(x.shape[0], 1, -1)
        x = torch.cat([first, x.flatten(2).transpose(1, 2)], 1) + self._positions(grid)
        for block in self.blocks:
            x, grid = block(x, grid)
        return self.head(self.norm(x)[:, 0])

    def _positions(self, grid: tuple[int, ...]) -> Tensor | float:
        """(1 + T H W, channels); 0 where positions are relative, and within the attention (MViTv2)."""
        own = self.pos_encoding
        if own.spatial_pos is None:
            return 0.0
        space = resized(own.spatial_pos, (1, *own.spatial_size), (1, *grid[1:]))
        time = resized(own.temporal_pos, (own.temporal_size, 1, 1), (grid[0], 1, 1))
        return torch.cat([own.class_pos[None], (time[:, None] + space).flatten(0, 1)])


class OfPytorchvideo(nn.Module):
    """Goes before the class `MultiscaleVisionTransformers` of pytorchvideo."""

    def forward(self, clip: Tensor) -> Tensor:
        x = self.patch_embed.patch_model(clip)
        grid = list(x.shape[2:])
        own = self.cls_positional_encoding
        was = own.patch_embed_shape
        space = resized(own.pos_embed_spatial[0], (1, *was[1:]), (1, *grid[1:]))
        time = resized(own.pos_embed_temporal[0], (was[0], 1, 1), (grid[0], 1, 1))
        positions = torch.cat([own.pos_embed_class[0], (time[:, None] + space).flatten(0, 1)])
        x = torch.cat([own.cls_token.expand(x.shape[0], -1, -1), x.flatten(2).transpose(1, 2)], 1) + positions
        for block in self.blocks:
            x, grid = block(x, grid)
        return self.head(self.norm_embed(x))


class _NumbersOnTheCPU(TorchFunctionMode):
    """pytorchvideo reads the depths of its layers out of small tensors, which on torch's meta device have no values."""

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        if function in (torch.linspace, torch.ones):
            kwargs.setdefault("device", "cpu")
        return function(*args, **kwargs)


def _any_size(first: type[nn.Module], net: nn.Module) -> nn.Module:
    net.__class__ = type(type(net).__name__, (first, type(net)), {})
    return net


def mvit_v1_b(num_classes: int, dropout: float) -> nn.Module:
    return _any_size(OfTorchvision, video.mvit_v1_b(num_classes=num_classes, dropout=dropout))


def mvit_v2_s(num_classes: int, dropout: float) -> nn.Module:
    return _any_size(OfTorchvision, video.mvit_v2_s(num_classes=num_classes, dropout=dropout))


def _of_hub(name: str) -> Callable[..., nn.Module]:
    def builder(num_classes: int, dropout: float) -> nn.Module:
        with _NumbersOnTheCPU():
            net = getattr(hub, name)(head_num_classes=num_classes, head_dropout_rate=dropout)
        return _any_size(OfPytorchvideo, net)

    return builder


mvit_base_16x4, mvit_base_32x3 = map(_of_hub, ("mvit_base_16x4", "mvit_base_32x3"))
