"""A student by plain distillation, from one teacher of all classes."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from dtkd.common.distributed import Items
from dtkd.config import Student
from dtkd.distillation import equations
from dtkd.distillation.classifier import Classifier, Step, logits_of_items


class VanillaKD(Classifier):
    """A student by plain distillation: one frozen teacher of all classes, by its cached logits.

    Args:
        cached_teacher_logits: (1, K, V, C), of the K clips of each of the V training videos; ``forward`` needs each
            sample's (clip, video) numbers.
    """

    def __init__(self, model: nn.Module, student: Student, cached_teacher_logits: Tensor):
        super().__init__(model)
        self.student, self.cached_teacher_logits = student, cached_teacher_logits

    def loss(self, outputs: Sequence[Tensor], labels: Tensor, items: Items) -> Step:
        """The step of a whole batch, Eq. 13; ``items`` are the (clip, video) numbers of its N samples."""
        (logits,), (taught,) = outputs, logits_of_items(self.cached_teacher_logits, items, labels.device)
        kd = equations.vanilla_kd_loss(logits, taught, labels, KD_T=self.student.KD_T, KD_alpha=self.student.KD_alpha)
        return Step(kd.loss, logits, {"L_total": kd.loss, "L_KD": kd.L_KD, "L_CE": kd.L_CE})
