"""From the pixels of clips to what networks take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn


class Normalise(nn.Module):
    """uint8 clips (N, C, T, H, W) to float with the dataset's mean and standard deviation per channel (of 0..1).

    A channel that never changes (deviation 0) says nothing: it becomes 0.

    ``memory_format`` is that of the clips that it gives: as the network's weights have it.
    """

    shape: tuple[int, ...] = (1, -1, 1, 1, 1)
    unit = 255
    """What statistics are of, in the clips' numbers."""

    def __init__(self, mean: list[float], std: list[float]):
        super().__init__()
        self.memory_format = torch.preserve_format
        self.register_buffer("mean", torch.tensor(mean).view(self.shape) * self.unit, persistent=False)
        std = [value or 1.0 for value in std]
        self.register_buffer("std", torch.tensor(std).view(self.shape) * self.unit, persistent=False)

    @property
    def colour(self) -> tuple[int, int, int]:
        """The mean as a pixel (RGB, of 255), which becomes zero except for rounding: what a network's padding is."""
        return tuple(self.mean.flatten().round().int().tolist())

    def forward(self, clips: Tensor) -> Tensor:
        return (clips.to(self.mean.dtype, memory_format=self.memory_format) - self.mean) / self.std


class NormaliseFeatures(Normalise):
    """Features (N, D, T) by the data set's mean and standard deviation of each dimension; 0 where one never changes."""

    shape, unit = (1, -1, 1), 1

    def forward(self, features: Tensor) -> Tensor:
        return (features.to(self.mean.dtype) - self.mean) / self.std


def of_statistics(statistics: Mapping[str, Any]) -> Normalise:
    """By the statistics of pixels (`pixel_statistics`) or of features (`features.statistics`)."""
    kind = NormaliseFeatures if statistics.get("of") == "features" else Normalise
    return kind(statistics["mean"], statistics["std"])
