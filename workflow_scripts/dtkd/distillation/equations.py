"""Distillation from teachers of groups of classes: Eqs. 2-13 of the paper, one small function each.

Names are the paper's: L_z and L_t are the logits of the student and of a teacher; p, q their distributions; S_alpha,
KD_T, KD_alpha the hyperparameters. N is the number of samples in the batch, C of classes. The paper has two teachers,
the static and the dynamic one (st, dy); here each group of classes has its own, and whatever is one per teacher stands
in the groups' order. Half-precision logits are computed in float32. Where the paper is silent, the docstring says what
is done here.
"""

from collections.abc import Sequence
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from dtkd.common.errors import DtkdError
from dtkd.distillation.divergences import kl

Weighting = Literal["gated", "blend", "partition"]
Outside = Literal["confidence", "zero"]


def mask_logits(logits: Tensor, allowed: Tensor) -> Tensor:
    """Set the logits (N, C) of classes that are not ``allowed`` (C,) bool to -inf; masking twice changes nothing.

    The paper speaks of "logit masking for out-of-subset classes" without a formula. This is one of its two readings;
    in the other, the masks are those of Eqs. 4-6, which say what samples count, and every softmax is over all classes.
    A model has a head over all classes in both. Raises DtkdError if no class is allowed.
    """
    _check_subset(allowed, logits.shape[-1])
    return logits.masked_fill(~allowed, -torch.inf)


def student_log_probabilities(L_z: Tensor, KD_T: float) -> Tensor:
    """Eq. 2: p = log softmax(L_z / KD_T), (N, C) -> (N, C)."""
    return F.log_softmax(at_least_float32(L_z) / KD_T, dim=-1)


def teacher_probabilities(L_t: Tensor, KD_T: float) -> Tensor:
    """Eq. 3: q = softmax(L_t / KD_T), (N, C) -> (N, C), for any teacher; exactly 0 where L_t is -inf."""
    return F.softmax(at_least_float32(L_t) / KD_T, dim=-1)


def responsibility(labels: Tensor, groups: Tensor, teachers: int) -> list[Tensor]:
    """Eq. 4: each teacher's mask, (N,) bool, from labels (N,) and the classes' groups (C,), integers from 0 on."""
    own = groups[labels]
    return [own == group for group in range(teachers)]


def confidence(q: Tensor) -> Tensor:
    """Eq. 5: conf = max over classes of q, (N, C) -> (N,), at temperature KD_T like q itself.

    The paper defines it for a teacher's own samples; for the others see ``teacher_score``.
    """
    return q.amax(dim=-1)


def teacher_loss(L_t: Tensor, labels: Tensor, own: Tensor) -> Tensor:
    """Eq. 6: CE = -log softmax(L_t)[y], (N, C) -> (N,), for the teacher's ``own`` (N,) samples and 0 for the others.

    At temperature 1, as printed, although Eq. 3 uses KD_T.
    """
    CE = -F.log_softmax(at_least_float32(L_t), dim=-1).gather(-1, labels.unsqueeze(-1)).squeeze(-1)
    return torch.where(own, CE, 0.0)


def normalise(CE: Tensor, own: Tensor) -> Tensor:
    """Eq. 7: CE_norm = (CE - min) / (max - min), (N,) -> (N,) in [0, 1].

    Minimum and maximum are over the batch's ``own`` (N,) samples of the teacher. Where the paper's expression is 0/0
    (one own sample, or equal losses) CE_norm is 0. Samples outside the teacher's subset have 1, the worst.
    """
    lowest = torch.where(own, CE, torch.inf).amin()
    highest = torch.where(own, CE, -torch.inf).amax()
    spread = highest - lowest
    scaled = (CE - lowest) / torch.where(spread > 0, spread, 1.0)
    return torch.where(own, torch.where(spread > 0, scaled, 0.0), 1.0)


def hybrid_score(conf: Tensor, CE_norm: Tensor, S_alpha: float) -> Tensor:
    """Eq. 8: s = S_alpha * conf + (1 - S_alpha) * (1 - CE_norm), (N,) -> (N,)."""
    return S_alpha * conf + (1 - S_alpha) * (1 - CE_norm)


def teacher_score(
    q: Tensor, L_t: Tensor, labels: Tensor, own: Tensor, S_alpha: float, outside: Outside = "confidence"
) -> Tensor:
    """Eqs. 5-8 of any teacher: its score of every sample, (N, C) distributions and logits -> (N,).

    The paper defines confidence and loss on the teacher's ``own`` (N,) samples; ``outside`` says what the others score:

    - ``confidence``: CE_norm is 1 there, the worst, and conf as in Eq. 5, so that the score is S_alpha * conf.
    - ``zero``: conf and CE_norm are 0 there, as in tensors that begin as zeros and are filled where the masks of
      Eqs. 5 and 6 say so; the score is then 1 - S_alpha.

    Were the score itself 0, every weight of Eq. 9 would be 1 or 0, and the method the paper's own baseline (BSKD).
    """
    conf, CE_norm = confidence(q), normalise(teacher_loss(L_t, labels, own), own)
    if outside == "zero":
        conf, CE_norm = torch.where(own, conf, 0.0), torch.where(own, CE_norm, 0.0)
    return hybrid_score(conf, CE_norm, S_alpha)


def soft_weights(scores: Sequence[Tensor], own: Sequence[Tensor], weighting: Weighting = "gated") -> list[Tensor]:
    """Eq. 9: w = s / (sum of all teachers' s), from each teacher's scores (N,) and own samples (N,) bool: (N,) each.

    - ``gated``: then, as the text below Eq. 9 asks, a weight outside its teacher's subset is set to 0. The others are
      not renormalised, so that the target of a sample sums to w <= 1 and the sample's KD term is scaled by it.
    - ``blend``: no weight is set to 0; they sum to 1.
    - ``partition``: 1 for the sample's own teacher and 0 for the others, whatever the scores (BSKD).

    Where all scores are 0 (only with S_alpha = 0 and ``outside`` ``confidence``, for the own sample with the largest
    loss) the own teacher's weight is 1, as it then is for every other sample.
    """
    whole = [mask.to(s.dtype) for s, mask in zip(scores, own, strict=True)]
    if weighting == "partition":
        return whole
    total = torch.stack(list(scores)).sum(0)
    scored = total > 0
    divisor = torch.where(scored, total, 1.0)
    weights = [torch.where(scored, s / divisor, one) for s, one in zip(scores, whole, strict=True)]
    if weighting == "gated":
        return [torch.where(mask, w, 0.0) for w, mask in zip(weights, own, strict=True)]
    return weights


def soft_target(weights: Sequence[Tensor], distributions: Sequence[Tensor]) -> Tensor:
    """Eq. 10: q_final = sum over teachers of w * q, with weights (N,) and distributions (N, C) each -> (N, C)."""
    return torch.stack([w.unsqueeze(-1) * q for w, q in zip(weights, distributions, strict=True)]).sum(0)


def hybrid_target(
    teacher_logits: Sequence[Tensor], labels: Tensor, groups: Tensor, *, S_alpha: float, KD_T: float,
    weighting: Weighting = "gated", outside: Outside = "confidence",
) -> tuple[Tensor, list[Tensor]]:  # fmt: skip
    """Eqs. 3-10 for a batch: q_final (N, C) and each teacher's weights (N,).

    Args:
        teacher_logits: each teacher's, (N, C); -inf for classes that it cannot predict (`mask_logits`).
        labels: (N,), integers.
        groups: (C,), integers: the number of each class's teacher.

    Raises:
        DtkdError: shapes disagree, or a teacher has no class.
    """
    check_groups(groups, len(teacher_logits), teacher_logits[0].shape[-1])
    q = [teacher_probabilities(L_t, KD_T) for L_t in teacher_logits]
    own = responsibility(labels, groups, len(q))
    scores = [
        teacher_score(q_t, L_t, labels, mask, S_alpha, outside)
        for q_t, L_t, mask in zip(q, teacher_logits, own, strict=True)
    ]
    weights = soft_weights(scores, own, weighting)
    return soft_target(weights, q), weights


def kd_loss(p: Tensor, q_final: Tensor) -> Tensor:
    """Eq. 11: L_KD = sum over classes of q_final * (log q_final - p), averaged over the batch; (N, C) -> scalar.

    The paper writes KL(p || q_final) in the argument order of ``torch.nn.KLDivLoss``, whose value this is
    (``batchmean``): the divergence of the student from the target. 0 * log 0 = 0.
    """
    return kl(q_final, p).mean()


def student_loss(L_z: Tensor, labels: Tensor, smoothing: float = 0.0, class_weights: Tensor | None = None) -> Tensor:
    """Eq. 12: L_CE = -log softmax(L_z)[y] at temperature 1, averaged over the batch; (N, C) -> scalar.

    Args:
        labels: (N,), integers, or (N, C), shares of a mixture of samples.
        smoothing: the share of each label that all classes divide, but those that the logits exclude (-inf).
        class_weights: (C,), what a sample of each class counts; None: all count 1.
    """
    logits = at_least_float32(L_z)
    if not smoothing and class_weights is None and labels.dim() == 1:
        return F.cross_entropy(logits, labels)
    shares = labels if labels.dim() == 2 else F.one_hot(labels, logits.shape[-1]).to(logits.dtype)
    allowed = (~logits.isneginf()).to(logits.dtype)
    even = allowed / allowed.sum(dim=-1, keepdim=True)
    target = (1 - smoothing) * shares + smoothing * even
    losses = -(target * logits.log_softmax(-1).masked_fill(target == 0, 0.0)).sum(-1)
    return (losses if class_weights is None else losses * (shares @ class_weights.to(shares))).mean()


def total_loss(L_KD: Tensor, L_CE: Tensor, *, KD_T: float, KD_alpha: float) -> Tensor:
    """Eq. 13: L_total = KD_alpha * KD_T^2 * L_KD + (1 - KD_alpha) * L_CE, scalars."""
    return KD_alpha * KD_T**2 * L_KD + (1 - KD_alpha) * L_CE


def at_least_float32(logits: Tensor) -> Tensor:
    return logits.float() if logits.dtype in (torch.float16, torch.bfloat16) else logits


def _check_subset(subset: Tensor, C: int) -> None:
    if subset.dtype != torch.bool or subset.shape != (C,):
        raise DtkdError(
            f"the subset mask must be {C} booleans, one a class of the logits, "
            f"not {subset.dtype} of shape {tuple(subset.shape)}: make the split for the same classes as the model"
        )
    if not subset.any():
        raise DtkdError("a subset has no classes, so its teacher has nothing to say: change the split's threshold")


def check_groups(groups: Tensor, teachers: int, C: int) -> None:
    """Raise DtkdError unless ``groups`` (C,) are integers from 0 on, of which each teacher has at least one."""
    if groups.dtype != torch.long or groups.shape != (C,):
        raise DtkdError(
            f"groups must be {C} integers, one a class of the logits, not {groups.dtype} of shape "
            f"{tuple(groups.shape)}: make the split for the same classes as the model"
        )
    if groups.unique().tolist() != list(range(teachers)):
        raise DtkdError(
            f"groups are {groups.unique().tolist()}, but there are {teachers} teachers, and each has to have a class: "
            "give the logits of one teacher for each group, or change the split's threshold"
        )


def check_shapes(student_logits: Tensor, teacher_logits: Sequence[Tensor], labels: Tensor) -> None:
    """Raise DtkdError unless all logits are (N, C) and the labels (N,), with at least one sample."""
    shapes = {tuple(logits.shape) for logits in (student_logits, *teacher_logits)}
    N = labels.numel()
    if N == 0 or labels.dim() != 1 or student_logits.dim() != 2 or shapes != {(N, student_logits.shape[-1])}:
        said = ", ".join(map(str, (tuple(logits.shape) for logits in teacher_logits)))
        raise DtkdError(
            f"logits must be (samples, classes) for the same samples and classes, at least one: the student's are "
            f"{tuple(student_logits.shape)}, the teachers' {said}, labels {tuple(labels.shape)}: use models with the "
            "same classes on the same batch"
        )
