"""Image networks on videos, frame by frame: TSN (Wang et al., 2016) and TSM (Lin et al., 2019), on any network of timm.

TSN averages the frames' features; as the classifier is linear, its logits are the average of the frames' logits. TSM
moves, before the first convolution of residual branches, an eighth of the channels one frame back, and an eighth one
frame on.
"""

from typing import Any

import timm
import torch
from timm.models import _efficientnet_blocks as efficientnet
from timm.models import regnet, resnet
from torch import Tensor, nn

from dtkd.common.errors import DtkdError
from dtkd.models.heads import with_dropout
from dtkd.models.timm_list import images

SHARE = 8
"""One of so many channels moves back, and one on."""
DEEP = 23
"""From so many blocks on, in their third stage, the authors move channels in every second block of a ResNet alone."""


class PerFrame(nn.Module):
    """Goes before the class of a timm network: clips (N, 3, T, H, W) -> logits (N, classes)."""

    classifier_name: str

    def forward(self, clip: Tensor) -> Tensor:
        T = int(clip.shape[2])
        for layer in self.modules():
            if isinstance(layer, Shifted):
                layer.frames = T
        frames = clip.transpose(1, 2).flatten(0, 1)
        features = self.forward_head(self.forward_features(frames), pre_logits=True)
        return self.get_submodule(self.classifier_name)(features.unflatten(0, (-1, T)).mean(1))


class Shifted(nn.Module):
    """Goes before the class of a layer that sees the frames of clips: channels move in time before it."""

    frames = 1

    def forward(self, x: Tensor, *others: Any) -> Tensor:
        return super().forward(shift(x, self.frames), *others)


def shift(x: Tensor, frames: int) -> Tensor:
    """Move channels of (N * frames, C, H, W) in time, each clip by itself; zeros come in at its ends."""
    fold = x.shape[1] // SHARE
    x = x.unflatten(0, (-1, frames))
    later, earlier, rest = x.split([fold, fold, x.shape[2] - 2 * fold], dim=2)
    none = torch.zeros_like(later[:, :1])
    later = torch.cat([later[:, 1:], none], 1)
    earlier = torch.cat([none, earlier[:, :-1]], 1)
    return torch.cat([later, earlier, rest], 2).flatten(0, 1)


def tsn(num_classes: int, dropout: float, *, network: str) -> nn.Module:
    """A timm network, frame by frame."""
    net = timm.create_model(network, num_classes=num_classes)
    classifier = images()[network].classifier
    if not isinstance(net.get_submodule(classifier), nn.Linear):
        raise DtkdError(f"backbone tsn-{network}: the last layer of timm's {network} is not linear: choose another")
    net.__class__ = type(type(net).__name__, (PerFrame, type(net)), {})
    net.classifier_name = classifier
    return with_dropout(net, classifier, dropout)


def tsm(num_classes: int, dropout: float, *, network: str) -> nn.Module:
    """The same, with channels that move in time."""
    net = tsn(num_classes, dropout, network=network)
    layers = _first_layers(net)
    if not layers:
        raise DtkdError(f"backbone tsm-{network}: it has no residual blocks for TSM: take tsn-{network}")
    for layer in layers:
        layer.__class__ = type(type(layer).__name__, (Shifted, type(layer)), {})
    return net


def _first_layers(net: Any) -> list[nn.Module]:
    """The first convolution of each residual branch that the authors move channels in.

    In ResNets (and RegNets) of every block; in networks of inverted residuals, as in their MobileNetV2, where a block
    widens and its input is added to what it gives.
    """
    blocks = [block for block in net.modules() if isinstance(block, _RESIDUAL)]
    if blocks:
        deep = hasattr(net, "layer3") and len(net.layer3) >= DEEP
        names = {id(block): name for name, block in net.named_modules()}
        second = {id(b) for b in blocks if deep and int(names[id(b)].rpartition(".")[2]) % 2}
        return [block.conv1 for block in blocks if id(block) not in second]
    return [_first_of(block) for block in net.modules() if isinstance(block, _INVERTED) and block.has_skip]


_RESIDUAL = (resnet.BasicBlock, resnet.Bottleneck, regnet.Bottleneck)
_INVERTED = (efficientnet.InvertedResidual, efficientnet.EdgeResidual, efficientnet.UniversalInvertedResidual)


def _first_of(block: Any) -> nn.Module:
    if isinstance(block, efficientnet.UniversalInvertedResidual):
        return block.pw_exp if isinstance(block.dw_start, nn.Identity) else block.dw_start
    return block.conv_exp if isinstance(block, efficientnet.EdgeResidual) else block.conv_pw
