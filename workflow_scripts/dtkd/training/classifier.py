"""A network, and the classes that it may predict."""

from __future__ import annotations

from torch import Tensor, nn

from dtkd.distillation import equations


class Classifier(nn.Module):
    """A video network whose logits are float32, and -inf for classes that are not ``allowed`` (None: all are).

    Args:
        allowed: (C,) bool, of a masked teacher.
    """

    def __init__(self, model: nn.Module, allowed: Tensor | None = None):
        super().__init__()
        self.model = model
        self.register_buffer("allowed", allowed, persistent=False)

    def forward(self, clips: Tensor) -> Tensor:
        """Logits (n, C) of normalised clips (n, 3, T, H, W).

        Raises DtkdError if the mask is not one of C classes, or allows none.
        """
        logits = self.model(clips).float()
        return logits if self.allowed is None else equations.mask_logits(logits, self.allowed)
