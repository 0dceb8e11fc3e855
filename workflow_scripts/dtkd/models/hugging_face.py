"""Video transformers of Hugging Face's `transformers`, an extra of this project.

VideoMAE (Tong et al., 2022), TimeSformer (Bertasius et al., 2021) and ViViT (Arnab et al., 2021), for clips of any
size.
"""

from typing import Any

import torch
import transformers
from torch import Tensor, nn

from dtkd.models.heads import with_dropout
from dtkd.models.positions import resized


class Logits(nn.Module):
    """Goes before the class of a network: logits alone."""

    def forward(self, frames: Tensor) -> Tensor:
        return super().forward(frames).logits


class VideoMAEEmbeddings(nn.Module):
    """Goes before VideoMAE's own, whose table of positions is for clips of one size."""

    def forward(self, frames: Tensor, bool_masked_pos: None = None) -> Tensor:
        x = self.patch_embeddings.projection(frames.transpose(1, 2))
        own = self.config
        was = own.num_frames // own.tubelet_size, *[own.image_size // own.patch_size] * 2
        table = self.position_embeddings[0].to(x.device, torch.float32)
        return x.flatten(2).transpose(1, 2) + resized(table, was, x.shape[2:]).to(x.dtype)


class VivitEmbeddings(nn.Module):
    """Goes before ViViT's own, likewise."""

    def forward(self, frames: Tensor, interpolate_pos_encoding: bool = False) -> Tensor:
        x = self.patch_embeddings.projection(frames.transpose(1, 2))
        table = self.position_embeddings[0]
        positions = torch.cat([table[:1], resized(table[1:], self.grid, x.shape[2:])])
        x = torch.cat([self.cls_token.expand(x.shape[0], -1, -1), x.flatten(2).transpose(1, 2)], 1)
        return self.dropout(x + positions)


class TimesformerEmbeddings(nn.Module):
    """Goes before TimeSformer's own, which takes the nearest positions by an operation that ONNX's exporter rounds
    otherwise; dropout there is 0."""

    def forward(self, frames: Tensor) -> Tensor:
        x, T, width = self.patch_embeddings(frames)
        table, time = self.position_embeddings[0], self.time_embeddings[0]
        side = round((len(table) - 1) ** 0.5)
        rows, columns = (_nearest(count, side, x.device) for count in (x.shape[1] // width, width))
        space = table[1:].unflatten(0, (side, side))[rows][:, columns].flatten(0, 1)
        x = (x + space).unflatten(0, (-1, T)) + time[_nearest(T, len(time), x.device)][:, None]
        first = (self.cls_token[0] + table[:1]).expand(x.shape[0], 1, -1)
        return torch.cat([first, x.transpose(1, 2).flatten(1, 2)], 1)


def _nearest(count: int, of: int, device: torch.device) -> Tensor:
    """Which of so many positions each of ``count`` has, as torch's nearest interpolation takes them."""
    return torch.arange(count, device=device) * of // count


class Timesformer(nn.Module):
    """Goes before the class of a TimeSformer, whose layers read the clip's size in their common settings."""

    def forward(self, frames: Tensor) -> Tensor:
        self.config.num_frames, self.config.image_size = frames.shape[1], frames.shape[-1]
        return super().forward(frames)


def frames_first(clip: Tensor) -> Tensor:
    """(N, 3, T, H, W) -> (N, T, 3, H, W)."""
    return clip.transpose(1, 2)


def _before(first: type[nn.Module], net: Any) -> None:
    net.__class__ = type(type(net).__name__, (first, type(net)), {})


def _network(net: Any, dropout: float) -> nn.Module:
    _before(Logits, net)
    return with_dropout(net, "classifier", dropout)


def videomae_base(num_classes: int, dropout: float, *, layers: int = 12) -> nn.Module:
    """With ``layers`` of the transformer: 12, or fewer to try things."""
    config = transformers.VideoMAEConfig(num_labels=num_classes, num_hidden_layers=layers)
    net = transformers.VideoMAEForVideoClassification(config)
    _before(VideoMAEEmbeddings, net.videomae.embeddings)
    return _network(net, dropout)


def timesformer_base(num_classes: int, dropout: float, *, layers: int = 12) -> nn.Module:
    config = transformers.TimesformerConfig(num_labels=num_classes, num_hidden_layers=layers)
    net = _network(transformers.TimesformerForVideoClassification(config), dropout)
    _before(Timesformer, net)
    _before(TimesformerEmbeddings, net.timesformer.embeddings)
    return net


def vivit_base(num_classes: int, dropout: float, *, layers: int = 12) -> nn.Module:
    config = transformers.VivitConfig(num_labels=num_classes, num_hidden_layers=layers)
    net = transformers.VivitForVideoClassification(config)
    sizes = config.num_frames, *net.vivit.embeddings.image_size
    net.vivit.embeddings.grid = [size // step for size, step in zip(sizes, config.tubelet_size, strict=True)]
    _before(VivitEmbeddings, net.vivit.embeddings)
    return _network(net, dropout)
