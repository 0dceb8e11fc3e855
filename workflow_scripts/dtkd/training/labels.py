"""How a training's cross-entropy takes the labels: smoothed, and weighted by class."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from dtkd.config import Train
from dtkd.distillation.methods import Labels


def labels_of(settings: Train, videos: Sequence[int], classes: int) -> Labels:
    """How the cross-entropy of a training takes labels, where ``videos`` are those of its training videos.

    Class weights are such that the mean over the videos is 1.
    """
    if settings.class_balance != "weights":
        return Labels(settings.label_smoothing)
    counts = torch.bincount(torch.tensor(videos), minlength=classes).float()
    weights = len(videos) / (counts * (counts > 0).sum())
    return Labels(settings.label_smoothing, weights.masked_fill(counts == 0, 0.0))
