"""What a training step minimises: the cross-entropy of a classifier of all classes, or of those of a subset.

A learner is one module that holds every network the step needs. ``forward(clips, labels)`` gives the loss, the
trained network's logits and the step's scalars for the history; the training loop knows nothing else about the method.
It is ``loss`` of ``outputs``: the latter's rows are those of any part of a batch, the former's those of the whole batch
(`micro_batches.gradient`); ``coupled`` says whether a sample's loss depends on the other samples' logits.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dtkd.common.distributed import Group, Items
from dtkd.distillation import equations
from dtkd.models.shared_batch_norm import compute_logits

ALONE = Group()


class Step(NamedTuple):
    """What one batch of N samples gives.

    ``scalars`` are what the history has of a step besides the loss, each of shape (): none of a `Classifier`; of
    students L_total (Eq. 13), L_KD (Eq. 11) and L_CE (Eq. 12); of a `Distilled` one also the mean weights w_st and
    w_dy of its teachers over their own samples (Eq. 9), and L_teachers where they go on learning. A weight is NaN
    in a batch without such samples, and the epoch's mean leaves it out; any other NaN is an error.
    """

    loss: Tensor  # (), the mean over the batch, which a step minimises; with gradients
    logits: Tensor  # (N, C), float32, the trained network's
    scalars: dict[str, Tensor]


class Classifier(nn.Module):
    """Cross-entropy over the classes that the model may predict: all, or a masked teacher's ``allowed`` (C,) bool."""

    coupled = False

    def __init__(self, model: nn.Module, allowed: Tensor | None = None):
        super().__init__()
        self.model = model
        self.register_buffer("allowed", allowed, persistent=False)

    def logits(self, clips: Tensor) -> Tensor:
        """The model's logits of normalised clips (n, 3, T, H, W): (n, C) float32, -inf for classes not allowed.

        Raises DtkdError if the mask is not one of C classes, or allows none.
        """
        logits = compute_logits(self.model, clips).float()
        return logits if self.allowed is None else equations.mask_logits(logits, self.allowed)

    def outputs(self, clips: Tensor, labels: Tensor, group: Group = ALONE) -> tuple[Tensor]:
        """The logits (n, C) alone, of any part of a batch, which may be empty."""
        return (self.logits(clips),)

    def together(self, labels: Tensor) -> list[int]:
        """How many of these samples pass together through each network in train mode."""
        return [len(labels)]

    def loss(self, outputs: Sequence[Tensor], labels: Tensor, items: Items | None = None) -> Step:
        """The step of a whole batch: its outputs (N, C), labels (N,). A label that is not allowed costs infinity."""
        (logits,) = outputs
        return Step(F.cross_entropy(logits, labels), logits, {})

    def forward(self, clips: Tensor, labels: Tensor, items: Items | None = None) -> Step:
        return self.loss(self.outputs(clips, labels), labels, items)


def logits_of_items(cached: Tensor, items: Items, device: torch.device) -> Tensor:
    """The ``cached`` teachers' logits (M, K, V, C) of a batch's samples: (M, N, C)."""
    numbers, videos = zip(*items, strict=True)
    return cached[:, list(numbers), list(videos)].to(device)
