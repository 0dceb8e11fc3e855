"""A student with a static and a dynamic teacher, by the paper's method or by BSKD's weighting."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dtkd.common.distributed import Group, Items
from dtkd.config import Student
from dtkd.distillation import equations
from dtkd.distillation.classifier import ALONE, Step, logits_of_items
from dtkd.models.shared_batch_norm import compute_logits


def weighting_of(student: Student) -> dict[str, Any]:
    """What decides Eq. 9's weights; BSKD has no S_alpha, and each sample's own teacher the whole weight."""
    if student.method == "bskd":
        return {"weighting": "partition", "S_alpha": 0.0, "outside": "confidence"}
    return {"weighting": student.weighting, "S_alpha": student.S_alpha, "outside": student.outside}


def teacher_rows_needed(student: Student) -> Literal["own", "all", "none"]:
    """The rows of a batch for which a student's loss needs each teacher's logits (`equations.teachers_needed`)."""
    return equations.teachers_needed(KD_alpha=student.KD_alpha, **weighting_of(student))


class Distilled(nn.Module):
    """A student that learns from a static and a dynamic teacher (Eqs. 2-13).

    With ``FT`` the teachers stay as they are, in eval mode: either as networks, of which only the forward passes that
    the weighting needs are computed, or as their cached logits of every training clip, which all students of the same
    teachers share. Without it, each teacher goes on learning from its own subset's samples
    (``unfrozen: own``), and where the weighting needs its logits of others, they are those of a frozen one. With
    ``joint`` the student's loss reaches it too, through every sample that the weighting reads: then its batch norms see
    them all.

    Args:
        cached_teacher_logits: (2, K, V, C), the static and the dynamic teacher's, of the K clips of each of the V
            training videos; ``forward`` then needs each sample's (clip, video) numbers, and the teachers may be None.
        masked: whether each teacher predicts its own subset's classes only.
    """

    def __init__(
        self,
        model: nn.Module,
        static: nn.Module | None,
        dynamic: nn.Module | None,
        static_classes: Tensor,
        student: Student,
        cached_teacher_logits: Tensor | None = None,
        *,
        masked: bool = False,
    ):
        super().__init__()
        self.model, self.static, self.dynamic = model, static, dynamic
        self.student, self.masked = student, masked
        self.cached_teacher_logits = cached_teacher_logits  # on the CPU: a batch needs a few rows of it
        self.weighting = weighting_of(student)
        self.register_buffer("static_classes", static_classes, persistent=False)
        for teacher in self.teachers:
            teacher.requires_grad_(not student.FT)

    @property
    def teachers(self) -> list[nn.Module]:
        return [teacher for teacher in (self.static, self.dynamic) if teacher is not None]

    def train(self, mode: bool = True) -> Distilled:
        super().train(mode)
        if self.student.FT:
            for teacher in self.teachers:
                teacher.eval()
        return self

    def logits(self, clips: Tensor) -> Tensor:
        """The student's logits of normalised clips (n, 3, T, H, W): (n, C), float32, without the teachers."""
        return compute_logits(self.model, clips).float()

    @property
    def teacher_rows_needed(self) -> Literal["own", "all", "none"]:
        """The rows of a batch that each teacher's network is run on: its "own" subset's, "all" or "none"."""
        return "none" if self.cached_teacher_logits is not None else teacher_rows_needed(self.student)

    @property
    def coupled(self) -> bool:
        """Eq. 7 compares a teacher's losses over the batch; cached logits are at hand for the whole batch at once."""
        return self.teacher_rows_needed != "none" and equations.weighs(**self.weighting)

    def outputs(self, clips: Tensor, labels: Tensor, group: Group = ALONE) -> tuple[Tensor, ...]:
        """The student's logits (n, C), then those of the teachers that are networks, unless nothing reads them.

        Of any part of a batch: clips (n, 3, T, H, W), labels (n,). Every process of ``group`` calls it with its own.
        """
        return self.logits(clips), *self.teacher_logits(clips, self.static_classes[labels], group)

    def together(self, labels: Tensor) -> list[int]:
        """How many of these samples pass together through each network in train mode, a learning teacher's own too."""
        if self.student.FT:
            return [len(labels)]
        if self.student.unfrozen == "joint" and self.teacher_rows_needed == "all":
            return 3 * [len(labels)]
        static = int(self.static_classes[labels].sum())
        return [len(labels), static, len(labels) - static]

    def teacher_logits(self, clips: Tensor, own_static: Tensor, group: Group = ALONE) -> tuple[Tensor, ...]:
        """Both networks' logits (n, C), zeros in rows that nothing reads; none where no row is read."""
        if self.student.FT and self.teacher_rows_needed == "none":
            return ()
        return (
            self._teacher_logits(self.static, clips, own_static, group),
            self._teacher_logits(self.dynamic, clips, ~own_static, group),
        )

    def _teacher_logits(self, teacher: nn.Module, clips: Tensor, own: Tensor, group: Group) -> Tensor:
        """One teacher's logits (n, C): with gradients where it learns from them, elsewhere as if it were frozen.

        To learn, it is run by all processes of the group or by none, on no clip if need be: its batch norms wait for
        all of them, forwards and backwards. Where no process has such a clip it gets no gradient, not zeros.
        """
        read = own | (self.teacher_rows_needed == "all")
        learned = read if self.student.unfrozen == "joint" else own
        if self.student.FT:
            learned = torch.zeros_like(own)
        logits = torch.zeros(len(clips), len(self.static_classes), device=clips.device)
        if (only_read := read & ~learned).any():
            with torch.no_grad(), _in_eval_mode(teacher):
                logits[only_read] = teacher(clips[only_read]).float()
        if not self.student.FT and group.any(learned):
            logits[learned] = compute_logits(teacher, clips[learned]).float()
        return logits

    def loss(self, outputs: Sequence[Tensor], labels: Tensor, items: Items | None = None) -> Step:
        """The step of a whole batch: Eq. 13, and where the teachers go on learning their own losses too.

        Args:
            outputs: of all networks (N, C), as `outputs` gives them; labels (N,).
            items: the (clip, video) numbers of the N samples; only a student with cached teachers' logits needs them.

        Raises:
            DtkdError: shapes disagree, a subset has no classes, or a setting is out of range.
        """
        own_static = self.static_classes[labels]
        logits, *taught = outputs
        if self.cached_teacher_logits is not None:
            taught = logits_of_items(self.cached_teacher_logits, items, labels.device)
        logits_st, logits_dy = taught if len(taught) else (None, None)
        kd = equations.distillation_loss(
            logits, logits_st, logits_dy, labels, self.static_classes,
            KD_T=self.student.KD_T, KD_alpha=self.student.KD_alpha, masked=self.masked, **self.weighting,
            detach=self.student.FT or self.student.unfrozen == "own",
        )  # fmt: skip
        weights = {"w_st": _mean(kd.w_st, own_static), "w_dy": _mean(kd.w_dy, ~own_static)}
        scalars = {"L_total": kd.loss, "L_KD": kd.L_KD, "L_CE": kd.L_CE, **weights}
        loss = kd.loss
        if not self.student.FT:
            teachers = self._own_loss(logits_st, labels, self.static_classes) + self._own_loss(
                logits_dy, labels, ~self.static_classes
            )
            scalars["L_teachers"] = teachers
            loss = loss + teachers
        return Step(loss, logits, scalars)

    def forward(self, clips: Tensor, labels: Tensor, items: Items | None = None) -> Step:
        return self.loss(self.outputs(clips, labels), labels, items)

    def _own_loss(self, logits: Tensor, labels: Tensor, subset: Tensor) -> Tensor:
        """A teacher's cross-entropy over its own samples, as in its own training; zero in a batch that has none."""
        own = subset[labels]
        if not own.any():
            return logits.sum() * 0.0
        own_logits = equations.mask_logits(logits[own], subset) if self.masked else logits[own]
        return F.cross_entropy(own_logits, labels[own])


@contextmanager
def _in_eval_mode(network: nn.Module) -> Iterator[None]:
    before = network.training
    network.eval()
    try:
        yield
    finally:
        network.train(before)


def _mean(weights: Tensor, own: Tensor) -> Tensor:
    """Mean weight over a teacher's own samples; NaN in a batch that has none (left out of the epoch's mean)."""
    return weights[own].float().mean() if own.any() else weights.new_full((), float("nan"), dtype=torch.float32)
