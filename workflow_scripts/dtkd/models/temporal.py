"""Small networks on features over time: (N, D, T) -> logits (N, C). D is the builders' option ``dimension``.

Each has a ``body`` from (N, D, T) to one vector a sample, and a linear ``head``: with ``linear``, the mean over time.
"""

import math

import torch
from torch import Tensor, nn

from dtkd.models.heads import with_dropout

DIMENSION = 256
"""D where nobody says otherwise, for sizes and shapes alone: a study's is that of its features."""


class OverTime(nn.Module):
    """A body and a head; ``dimension`` is the D of the features that it takes."""

    def __init__(self, body: nn.Module, width: int, dimension: int, num_classes: int):
        super().__init__()
        self.dimension = dimension
        self.body = body
        self.head = nn.Linear(width, num_classes)

    def forward(self, features: Tensor) -> Tensor:
        return self.head(self.body(features))


class Mean(nn.Module):
    """(N, D, T) -> (N, D): the mean over time."""

    def forward(self, features: Tensor) -> Tensor:
        return features.mean(-1)


class AttentivePool(nn.Module):
    """(N, D, T) -> (N, D): a mean over time, whose weights a learned query draws from each step (softmax over T)."""

    def __init__(self, dimension: int):
        super().__init__()
        self.score = nn.Linear(dimension, 1)

    def forward(self, features: Tensor) -> Tensor:
        weights = self.score(features.transpose(1, 2)).softmax(1)  # (N, T, 1)
        return (features @ weights).squeeze(-1)


class Transformer(nn.Module):
    """(N, D, T) -> (N, width): a transformer encoder over the steps with sinusoidal places (Vaswani et al., 2017)."""

    def __init__(self, dimension: int, width: int, layers: int, dropout: float):
        super().__init__()
        self.width = width
        self.project = nn.Linear(dimension, width)
        layer = nn.TransformerEncoderLayer(width, 4, 2 * width, dropout, batch_first=True, norm_first=True)
        self.encoder = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)
        self.norm = nn.LayerNorm(width)

    def forward(self, features: Tensor) -> Tensor:
        steps = self.project(features.transpose(1, 2))
        return self.norm(self.encoder(steps + self._places(steps))).mean(1)

    def _places(self, steps: Tensor) -> Tensor:
        """(T, width), of the sines and cosines of each step's number."""
        number = torch.arange(steps.shape[1], device=steps.device, dtype=torch.float32)[:, None]
        rate = torch.exp(torch.arange(0, self.width, 2, device=steps.device) * (-math.log(1e4) / self.width))
        return torch.cat([(number * rate).sin(), (number * rate).cos()], 1).to(steps.dtype)


def linear(num_classes: int, dropout: float, *, dimension: int = DIMENSION) -> nn.Module:
    return with_dropout(OverTime(Mean(), dimension, dimension, num_classes), "head", dropout)


def temporal_conv(num_classes: int, dropout: float, *, dimension: int = DIMENSION, width: int = 128) -> nn.Module:
    """Two convolutions of three steps each, with batch norms, then the mean over time."""
    layers = [
        nn.Sequential(nn.Conv1d(before, width, 3, padding=1, bias=False), nn.BatchNorm1d(width), nn.ReLU())
        for before in (dimension, width)
    ]
    return with_dropout(OverTime(nn.Sequential(*layers, Mean()), width, dimension, num_classes), "head", dropout)


def temporal_transformer(
    num_classes: int, dropout: float, *, dimension: int = DIMENSION, width: int = 128, layers: int = 2
) -> nn.Module:
    body = Transformer(dimension, width, layers, dropout)
    return with_dropout(OverTime(body, width, dimension, num_classes), "head", dropout)


def attentive_pool(num_classes: int, dropout: float, *, dimension: int = DIMENSION) -> nn.Module:
    return with_dropout(OverTime(AttentivePool(dimension), dimension, dimension, num_classes), "head", dropout)
