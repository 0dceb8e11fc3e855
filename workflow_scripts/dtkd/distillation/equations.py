"""Distillation from a static and a dynamic teacher: Eqs. 2-13 of the paper, one small function each; its rival, plain.

Names are the paper's: L_z, L_st, L_dy are the logits of the student, the static and the dynamic teacher; p, q_st, q_dy
their distributions; S_alpha, KD_T, KD_alpha the hyperparameters. N is the number of samples in the batch, C of classes.
Half-precision logits are computed in float32. Where the paper is silent, the docstring says what is done here.
"""

from typing import Literal, NamedTuple, get_args

import torch
import torch.nn.functional as F
from torch import Tensor

from dtkd.common.errors import DtkdError

Weighting = Literal["gated", "blend", "partition"]
Outside = Literal["confidence", "zero"]


class Distillation(NamedTuple):
    """What one batch gives: scalars with gradients, and the weights as plain numbers for the records."""

    loss: Tensor  # scalar, Eq. 13
    L_KD: Tensor  # scalar, Eq. 11
    L_CE: Tensor  # scalar, Eq. 12
    w_st: Tensor | None = None  # (N,), Eq. 9, detached; None of one teacher
    w_dy: Tensor | None = None  # (N,), Eq. 9, detached; None of one teacher


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
    return F.log_softmax(_at_least_float32(L_z) / KD_T, dim=-1)


def teacher_probabilities(L_t: Tensor, KD_T: float) -> Tensor:
    """Eq. 3: q = softmax(L_t / KD_T), (N, C) -> (N, C), for either teacher; exactly 0 where L_t is -inf."""
    return F.softmax(_at_least_float32(L_t) / KD_T, dim=-1)


def responsibility(labels: Tensor, static_classes: Tensor) -> tuple[Tensor, Tensor]:
    """Eq. 4: mask_st and mask_dy, (N,) bool each, from labels (N,) and the static subset (C,) bool."""
    mask_st = static_classes[labels]
    return mask_st, ~mask_st


def confidence(q: Tensor) -> Tensor:
    """Eq. 5: conf = max over classes of q, (N, C) -> (N,), at temperature KD_T like q itself.

    The paper defines it for a teacher's own samples; for the others see ``teacher_score``.
    """
    return q.amax(dim=-1)


def teacher_loss(L_t: Tensor, labels: Tensor, own: Tensor) -> Tensor:
    """Eq. 6: CE = -log softmax(L_t)[y], (N, C) -> (N,), for the teacher's ``own`` (N,) samples and 0 for the others.

    At temperature 1, as printed, although Eq. 3 uses KD_T.
    """
    CE = -F.log_softmax(_at_least_float32(L_t), dim=-1).gather(-1, labels.unsqueeze(-1)).squeeze(-1)
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
    """Eqs. 5-8 of either teacher: its score of every sample, (N, C) distributions and logits -> (N,).

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


def soft_weights(s_st: Tensor, s_dy: Tensor, mask_st: Tensor, weighting: Weighting = "gated") -> tuple[Tensor, Tensor]:
    """Eq. 9: w_st = s_st / (s_st + s_dy), w_dy = s_dy / (s_st + s_dy), (N,) each; mask_st (N,) bool is True
    for static samples.

    - ``gated``: then, as the text below Eq. 9 asks, a weight outside its teacher's subset is set to 0. The other is not
      renormalised, so that the target of a sample sums to w <= 1 and the sample's KD term is scaled by it.
    - ``blend``: no weight is set to 0; the two sum to 1.
    - ``partition``: 1 for the sample's own teacher and 0 for the other, whatever the scores (BSKD).

    Where both scores are 0 (only with S_alpha = 0 and ``outside`` ``confidence``, for the own sample with the largest
    loss) the own teacher's weight is 1, as it then is for every other sample.
    """
    own_st, own_dy = mask_st.to(s_st.dtype), (~mask_st).to(s_dy.dtype)
    if weighting == "partition":
        return own_st, own_dy
    total = s_st + s_dy
    scored = total > 0
    divisor = torch.where(scored, total, 1.0)
    w_st = torch.where(scored, s_st / divisor, own_st)
    w_dy = torch.where(scored, s_dy / divisor, own_dy)
    if weighting == "gated":
        return torch.where(mask_st, w_st, 0.0), torch.where(mask_st, 0.0, w_dy)
    return w_st, w_dy


def soft_target(w_st: Tensor, q_st: Tensor, w_dy: Tensor, q_dy: Tensor) -> Tensor:
    """Eq. 10: q_final = w_st * q_st + w_dy * q_dy, with weights (N,) and distributions (N, C) -> (N, C)."""
    return w_st.unsqueeze(-1) * q_st + w_dy.unsqueeze(-1) * q_dy


def kd_loss(p: Tensor, q_final: Tensor) -> Tensor:
    """Eq. 11: L_KD = sum over classes of q_final * (log q_final - p), averaged over the batch; (N, C) -> scalar.

    The paper writes KL(p || q_final) in the argument order of ``torch.nn.KLDivLoss``, whose value this is
    (``batchmean``): the divergence of the student from the target. 0 * log 0 = 0.
    """
    positive = q_final > 0
    log_q = torch.where(positive, q_final, 1.0).log()  # the inner `where` keeps log 0 out of the gradient too
    return torch.where(positive, q_final * (log_q - p), 0.0).sum(dim=-1).mean()


def student_loss(L_z: Tensor, labels: Tensor) -> Tensor:
    """Eq. 12: L_CE = -log softmax(L_z)[y] at temperature 1, averaged over the batch; (N, C) -> scalar."""
    return F.cross_entropy(_at_least_float32(L_z), labels)


def total_loss(L_KD: Tensor, L_CE: Tensor, *, KD_T: float, KD_alpha: float) -> Tensor:
    """Eq. 13: L_total = KD_alpha * KD_T^2 * L_KD + (1 - KD_alpha) * L_CE, scalars."""
    return KD_alpha * KD_T**2 * L_KD + (1 - KD_alpha) * L_CE


def distillation_loss(
    student_logits: Tensor,
    logits_st: Tensor | None,
    logits_dy: Tensor | None,
    labels: Tensor,
    static_classes: Tensor,
    *,
    S_alpha: float,
    KD_T: float,
    KD_alpha: float,
    weighting: Weighting = "gated",
    outside: Outside = "confidence",
    masked: bool = False,
    detach: bool = True,
) -> Distillation:
    """Eqs. 2-13 for one batch: logits (N, C), labels (N,) integers, static_classes (C,) bool.

    With ``masked`` a teacher's softmax, in Eqs. 3 and 6 and so in Eqs. 5 and 10, is over its own subset's classes
    (`mask_logits`; its logits may be masked already), else over all. Where ``teachers_needed`` says "own", a
    teacher's row for a sample outside its subset may hold any finite filler; where it says "none", both teachers may be
    None, and L_KD and the weights are then 0. ``detach`` keeps gradients from the teachers, as the text of Eq. 2 asks;
    with False they receive those of the whole loss, through the weights as well.

    Raises DtkdError for a hyperparameter out of range, an empty subset, or tensors whose shapes disagree.
    """
    check_settings(weighting=weighting, S_alpha=S_alpha, KD_T=KD_T, KD_alpha=KD_alpha, outside=outside)
    N = _check_shapes(student_logits, logits_st, logits_dy, labels)
    L_CE = student_loss(student_logits, labels)
    if logits_st is None or logits_dy is None:
        if teachers_needed(weighting, S_alpha, KD_alpha, outside) != "none":
            raise DtkdError(f"with KD_alpha {KD_alpha} both teachers' logits are needed: give them, or set KD_alpha 0")
        zero = L_CE.new_zeros(())
        return Distillation(total_loss(zero, L_CE, KD_T=KD_T, KD_alpha=KD_alpha), zero, L_CE, *zero.expand(2, N))

    L_st, L_dy = (L.detach() if detach else L for L in (logits_st, logits_dy))
    _check_subset(static_classes, student_logits.shape[-1])
    _check_subset(~static_classes, student_logits.shape[-1])
    if masked:
        L_st, L_dy = mask_logits(L_st, static_classes), mask_logits(L_dy, ~static_classes)
    p = student_log_probabilities(student_logits, KD_T)
    q_st, q_dy = teacher_probabilities(L_st, KD_T), teacher_probabilities(L_dy, KD_T)
    mask_st, mask_dy = responsibility(labels, static_classes)
    s_st = teacher_score(q_st, L_st, labels, mask_st, S_alpha, outside)
    s_dy = teacher_score(q_dy, L_dy, labels, mask_dy, S_alpha, outside)
    w_st, w_dy = soft_weights(s_st, s_dy, mask_st, weighting)
    L_KD = kd_loss(p, soft_target(w_st, q_st, w_dy, q_dy))
    loss = total_loss(L_KD, L_CE, KD_T=KD_T, KD_alpha=KD_alpha)
    return Distillation(loss, L_KD, L_CE, w_st.detach(), w_dy.detach())


def vanilla_kd_loss(
    student_logits: Tensor, teacher_logits: Tensor, labels: Tensor, *, KD_T: float, KD_alpha: float
) -> Distillation:
    """Plain distillation (Hinton et al., 2015), for comparison: Eqs. 2, 3 and 11-13 with q_final = q, one teacher's.

    Logits (N, C), labels (N,) integers; the teacher's send no gradient.
    Raises DtkdError for a hyperparameter out of range or tensors whose shapes disagree.
    """
    check_settings(weighting="partition", S_alpha=0.0, KD_T=KD_T, KD_alpha=KD_alpha)
    _check_shapes(student_logits, teacher_logits, teacher_logits, labels)
    q = teacher_probabilities(teacher_logits.detach(), KD_T)
    L_KD = kd_loss(student_log_probabilities(student_logits, KD_T), q)
    L_CE = student_loss(student_logits, labels)
    return Distillation(total_loss(L_KD, L_CE, KD_T=KD_T, KD_alpha=KD_alpha), L_KD, L_CE)


def teachers_needed(
    weighting: Weighting, S_alpha: float, KD_alpha: float, outside: Outside = "confidence"
) -> Literal["own", "all", "none"]:
    """Say on which samples each teacher's logits change the loss: those of its "own" subset, "all", or "none".

    "own" where the own teacher's weight is always 1 (``weighs``), and for ``gated`` with ``zero`` outside, as then
    neither a score nor a target is read from the other teacher. "none" with KD_alpha = 0.
    """
    check_settings(weighting=weighting, S_alpha=S_alpha, KD_alpha=KD_alpha, outside=outside)
    if KD_alpha == 0:
        return "none"
    spared = not weighs(weighting, S_alpha, outside) or (weighting, outside) == ("gated", "zero")
    return "own" if spared else "all"


def weighs(weighting: Weighting, S_alpha: float, outside: Outside = "confidence") -> bool:
    """Whether Eq. 9's weights are other numbers than 1 and 0, which then depend on the whole batch (Eq. 7).

    They are not with ``partition``, nor where the other teacher's score is always exactly 0.
    """
    never = {"confidence": 0, "zero": 1}[outside]
    return weighting != "partition" and S_alpha != never


def check_settings(
    *, weighting: str, S_alpha: float, KD_alpha: float, KD_T: float = 1.0, outside: str = "confidence"
) -> None:
    """Raise DtkdError unless S_alpha and KD_alpha are in [0, 1], KD_T is above 0 and the two words are known."""
    for name, word, words in (("weighting", weighting, get_args(Weighting)), ("outside", outside, get_args(Outside))):
        if word not in words:
            raise DtkdError(f"{name}: {word!r} is unknown: choose one of {', '.join(words)}")
    for name, share in (("S_alpha", S_alpha), ("KD_alpha", KD_alpha)):
        if not 0 <= share <= 1:
            raise DtkdError(f"{name}: {share} is not between 0 and 1: choose a share")
    if not 0 < KD_T < float("inf"):
        raise DtkdError(f"KD_T: {KD_T} is not a temperature: choose a finite number above 0")


def _at_least_float32(logits: Tensor) -> Tensor:
    return logits.float() if logits.dtype in (torch.float16, torch.bfloat16) else logits


def _check_subset(subset: Tensor, C: int) -> None:
    if subset.dtype != torch.bool or subset.shape != (C,):
        raise DtkdError(
            f"the subset mask must be {C} booleans, one a class of the logits, "
            f"not {subset.dtype} of shape {tuple(subset.shape)}: make the split for the same classes as the model"
        )
    if not subset.any():
        raise DtkdError("a subset has no classes, so its teacher has nothing to say: change the split's threshold")


def _check_shapes(student_logits: Tensor, logits_st: Tensor | None, logits_dy: Tensor | None, labels: Tensor) -> int:
    """Return N, the batch size, once all logits are seen to be (N, C) and labels (N,)."""
    named = {"student": student_logits, "static teacher": logits_st, "dynamic teacher": logits_dy}
    shapes = {name: tuple(logits.shape) for name, logits in named.items() if logits is not None}
    N = labels.numel()
    matching = len(shapes["student"]) == 2 and set(shapes.values()) == {(N, *shapes["student"][1:])}
    if N == 0 or labels.dim() != 1 or not matching:
        said = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
        raise DtkdError(
            f"logits must be (samples, classes) for the same samples and classes, at least one: {said}, "
            f"labels {tuple(labels.shape)}: use models with the same classes on the same batch"
        )
    return N
