"""Eqs. 2-13, by the methods, against a plain per-sample computation written from the paper and not from the modules."""

import math
from typing import NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dtkd.common.errors import DtkdError
from dtkd.distillation import equations, methods

WEIGHTINGS = ("gated", "blend", "partition")
OUTSIDE = ("confidence", "zero")
OUTPUTS = {"full": False, "masked": True}
INFINITY = math.inf


def softmax(values):
    """Of a list of floats, any of them minus infinity."""
    top = max(values)
    powers = [math.exp(v - top) for v in values]
    return [power / sum(powers) for power in powers]


def log_softmax(values):
    top = max(values)
    log_sum = top + math.log(sum(math.exp(v - top) for v in values))
    return [v - log_sum for v in values]


def by_hand(
    L_z, L_st, L_dy, labels, static, S_alpha, KD_T, KD_alpha, weighting="gated", outside="confidence", masked=False
):
    """Eqs. 2-13, sample by sample. Returns L_total, L_KD, L_CE, w_st, w_dy."""
    N, C = L_z.shape
    teachers = {}
    for name, L, subset in (("st", L_st, static), ("dy", L_dy, ~static)):
        outputs = [[-INFINITY if masked and not subset[c] else L[i, c] for c in range(C)] for i in range(N)]
        q = [softmax([v / KD_T for v in row]) for row in outputs]  # Eq. 3
        conf = [max(row) for row in q]  # Eq. 5
        own = [bool(subset[labels[i]]) for i in range(N)]  # Eq. 4
        CE = {i: -log_softmax(outputs[i])[labels[i]] for i in range(N) if own[i]}  # Eq. 6
        s = []
        for i in range(N):  # Eqs. 7 and 8
            if not own[i] and outside == "zero":  # as conf and CE_norm were before anything was put into them
                conf[i] = CE_norm = 0.0
            elif not own[i]:
                CE_norm = 1.0
            elif max(CE.values()) == min(CE.values()):
                CE_norm = 0.0
            else:
                CE_norm = (CE[i] - min(CE.values())) / (max(CE.values()) - min(CE.values()))
            s.append(S_alpha * conf[i] + (1 - S_alpha) * (1 - CE_norm))
        teachers[name] = (q, own, s)
    (q_st, own_st, s_st), (q_dy, own_dy, s_dy) = teachers["st"], teachers["dy"]
    w_st, w_dy, L_KD, L_CE = [], [], 0.0, 0.0
    for i in range(N):
        if weighting == "partition" or s_st[i] + s_dy[i] == 0:
            a, b = float(own_st[i]), float(own_dy[i])
        else:
            a, b = s_st[i] / (s_st[i] + s_dy[i]), s_dy[i] / (s_st[i] + s_dy[i])  # Eq. 9
            if weighting == "gated":
                a, b = (a, 0.0) if own_st[i] else (0.0, b)
        w_st.append(a)
        w_dy.append(b)
        p = log_softmax([v / KD_T for v in L_z[i]])  # Eq. 2
        for c in range(C):
            q_final = a * q_st[i][c] + b * q_dy[i][c]  # Eq. 10
            if q_final > 0:
                L_KD += q_final * (math.log(q_final) - p[c]) / N  # Eq. 11
        L_CE -= log_softmax(list(L_z[i]))[labels[i]] / N  # Eq. 12
    return KD_alpha * KD_T**2 * L_KD + (1 - KD_alpha) * L_CE, L_KD, L_CE, w_st, w_dy  # Eq. 13


def batch(seed, N=6, C=7, scale=3.0, side="both"):
    """Random float64 logits of student and teachers, labels, and a static subset with 1 to C - 1 classes."""
    rng = np.random.default_rng(seed)
    static = np.zeros(C, dtype=bool)
    static[rng.permutation(C)[: rng.integers(1, C)]] = True
    of_side = {"static": np.flatnonzero(static), "dynamic": np.flatnonzero(~static), "both": np.arange(C)}
    labels = rng.choice(of_side["static" if side == "static" else "dynamic" if side in ("dynamic", "one") else side], N)
    if side == "one":
        labels[rng.integers(N)] = of_side["static"][0]
    logits = [rng.normal(scale=scale, size=(N, C)) for _ in range(3)]
    return (*logits, labels, static)


def tensors(case, dtype=torch.float64):
    *logits, labels, static = case
    return (*(torch.tensor(x, dtype=dtype) for x in logits), torch.tensor(labels), torch.tensor(static))


class Computed(NamedTuple):
    loss: torch.Tensor
    L_KD: torch.Tensor
    L_CE: torch.Tensor
    w_st: torch.Tensor
    w_dy: torch.Tensor


def dtkd(L_z, L_st, L_dy, labels, static, *, masked=False, **hyper):
    """The paper's method on tensors."""
    if masked:
        L_st, L_dy = equations.mask_logits(L_st, static), equations.mask_logits(L_dy, ~static)
    said = {"static": L_st, "dynamic": L_dy}
    got = methods.build("dtkd", **hyper).loss(L_z, said, labels=labels, groups=(~static).long())
    return Computed(got.total, got.kd, got.ce, got.weights["static"], got.weights["dynamic"])


def assert_agrees(case, tolerance=1e-9, dtype=torch.float64, **hyper):
    got = dtkd(*tensors(case, dtype), **hyper)
    for name, value, wanted in zip(got._fields, got, by_hand(*case, **hyper), strict=True):
        np.testing.assert_allclose(value.numpy(), wanted, rtol=tolerance, atol=tolerance, err_msg=name)
    return got


@pytest.mark.parametrize("masked", OUTPUTS.values(), ids=OUTPUTS)
@pytest.mark.parametrize("outside", OUTSIDE)
@pytest.mark.parametrize("weighting", WEIGHTINGS)
@pytest.mark.parametrize("side", ["both", "static", "dynamic", "one"])
@pytest.mark.parametrize("S_alpha", [0.0, 0.3, 0.7, 1.0])
def test_the_loss_is_the_papers(weighting, side, S_alpha, outside, masked):
    for seed, (KD_T, KD_alpha) in enumerate([(1.0, 0.5), (2.0, 0.4), (4.0, 1.0), (0.5, 0.0), (10.0, 0.9)]):
        case = batch(seed, side=side)
        assert_agrees(case, weighting=weighting, outside=outside, masked=masked, S_alpha=S_alpha, KD_T=KD_T,
                      KD_alpha=KD_alpha)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    N=st.integers(1, 9),
    C=st.integers(2, 12),
    scale=st.sampled_from([0.0, 0.1, 3.0, 30.0]),
    weighting=st.sampled_from(WEIGHTINGS),
    outside=st.sampled_from(OUTSIDE),
    masked=st.booleans(),
    S_alpha=st.floats(0, 1),
    KD_T=st.floats(0.5, 20),
    KD_alpha=st.floats(0, 1),
)
def test_the_loss_is_the_papers_for_any_batch(seed, N, C, scale, **hyper):
    assert_agrees(batch(seed, N, C, scale), 1e-6, **hyper)


@pytest.mark.parametrize("weighting", WEIGHTINGS)
def test_single_precision_agrees_with_double(weighting):
    for seed in range(10):
        assert_agrees(batch(seed), 2e-5, torch.float32, weighting=weighting, S_alpha=0.3, KD_T=2.0, KD_alpha=0.4)


def test_half_precision_is_computed_in_single():
    case = tensors(batch(3), torch.bfloat16)
    hyper = dict(S_alpha=0.3, KD_T=2.0, KD_alpha=0.4)
    got = dtkd(*case, **hyper)
    wanted = dtkd(*(x.float() for x in case[:3]), *case[3:], **hyper)
    assert got.loss.dtype == torch.float32
    assert all(torch.equal(a, b) for a, b in zip(got, wanted, strict=True))


@pytest.mark.parametrize(("masked", "classes"), [(True, 2), (False, 4)])
def test_a_case_worked_on_paper(masked, classes):
    """Two classes a subset, one static sample, uniform teachers, masked: conf = 1/2, CE_norm = 0, s_st = 0.15 + 0.7."""
    zeros = torch.zeros(1, 4, dtype=torch.float64)
    static = torch.tensor([True, True, False, False])
    got = dtkd(zeros, zeros, zeros, torch.tensor([0]), static, S_alpha=0.3, KD_T=2, KD_alpha=0.4,
                                    masked=masked)  # fmt: skip
    conf = 1 / classes
    w = (0.3 * conf + 0.7) / (0.3 * conf + 0.7 + 0.3 * conf)
    L_KD = w * (math.log(w / classes) - math.log(1 / 4))
    assert got.w_st.item() == pytest.approx(w)
    assert got.w_dy.item() == 0
    assert got.L_KD.item() == pytest.approx(L_KD)
    assert got.loss.item() == pytest.approx(0.4 * 4 * L_KD + 0.6 * math.log(4))


def test_equal_losses_and_zero_scores():
    """Eq. 7's 0/0 is 0; where both scores are 0 (S_alpha = 0, largest loss) the own teacher counts."""
    own = torch.tensor([True, True, False])
    assert equations.normalise(torch.tensor([2.0, 2.0, 5.0]), own).tolist() == [0, 0, 1]
    assert equations.normalise(torch.tensor([2.0, 4.0, 5.0]), own).tolist() == [0, 1, 1]
    assert equations.normalise(torch.tensor([2.0, 4.0, 5.0]), ~own & False).tolist() == [1, 1, 1]
    zero = torch.zeros(2)
    for weighting in WEIGHTINGS:
        own = torch.tensor([True, False])
        w_st, w_dy = equations.soft_weights([zero, zero], [own, ~own], weighting)
        assert (w_st.tolist(), w_dy.tolist()) == ([1, 0], [0, 1])


def test_a_teacher_that_scores_by_its_share_of_the_loss_outside_its_subset():
    """`zero`: of tensors that begin as zeros, the other teacher's score is 1 - S_alpha, whatever it says."""
    L_z, L_st, L_dy, labels, static = tensors(batch(5))
    own, S_alpha, KD_T = static[labels], 0.3, 2.0
    q = equations.teacher_probabilities(L_st, KD_T)
    score = equations.teacher_score(q, L_st, labels, own, S_alpha, "zero")
    torch.testing.assert_close(score[~own], torch.full_like(score[~own], 1 - S_alpha))
    torch.testing.assert_close(score[own], equations.teacher_score(q, L_st, labels, own, S_alpha)[own])
    got = dtkd(L_z, L_st, L_dy, labels, static, S_alpha=S_alpha, KD_T=KD_T, KD_alpha=0.5,
                                    outside="zero")  # fmt: skip
    torch.testing.assert_close(got.w_st[own], score[own] / (score[own] + 1 - S_alpha))


@pytest.mark.parametrize("masked", OUTPUTS.values(), ids=OUTPUTS)
@pytest.mark.parametrize("outside", OUTSIDE)
def test_bskd_differs_from_gated_by_a_factor_on_the_same_target(outside, masked):
    """In every reading: per sample q_final is w times that of `partition`, with w in (0, 1]."""
    L_z, L_st, L_dy, labels, static = tensors(batch(6))
    own, weights = static[labels], {}
    for weighting in ("gated", "partition"):
        got = dtkd(L_z, L_st, L_dy, labels, static, S_alpha=0.3, KD_T=2, KD_alpha=0.4,
                                        weighting=weighting, outside=outside, masked=masked)  # fmt: skip
        weights[weighting] = torch.stack([got.w_st, got.w_dy])
    w = torch.where(own, *weights["gated"])
    assert (w > 0).all()
    assert (w <= 1).all()
    assert w.min() < 0.9, "a factor that can be told from 1"
    torch.testing.assert_close(weights["gated"], w * weights["partition"])


@pytest.mark.parametrize("weighting", WEIGHTINGS)
def test_what_each_weighting_sums_to(weighting):
    got = dtkd(*tensors(batch(5)), S_alpha=0.5, KD_T=2, KD_alpha=0.5, weighting=weighting)
    mask_st = tensors(batch(5))[4][tensors(batch(5))[3]]
    total = got.w_st + got.w_dy
    assert total.allclose(torch.ones_like(total)) == (weighting != "gated")
    if weighting != "blend":
        assert (got.w_st[~mask_st] == 0).all()
        assert (got.w_dy[mask_st] == 0).all()


@pytest.mark.parametrize("weighting", WEIGHTINGS)
def test_swapping_the_subsets_swaps_the_weights(weighting):
    L_z, L_st, L_dy, labels, static = tensors(batch(8))
    hyper = dict(S_alpha=0.3, KD_T=2, KD_alpha=0.4, weighting=weighting)
    one = dtkd(L_z, L_st, L_dy, labels, static, **hyper)
    other = dtkd(L_z, L_dy, L_st, labels, ~static, **hyper)
    assert torch.equal(one.w_st, other.w_dy)
    assert torch.equal(one.w_dy, other.w_st)
    torch.testing.assert_close(one.loss, other.loss)


@pytest.mark.parametrize(("KD_T", "KD_alpha"), [(1, 0.5), (2, 0.4), (4, 1), (2, 0)])
def test_one_teachers_loss_is_hintons(KD_T, KD_alpha):
    """T squared times the divergence of softened distributions, and cross-entropy; the teacher gets no gradient."""
    rng = np.random.default_rng(2)
    L_z, L_t, labels = rng.normal(scale=3, size=(6, 7)), rng.normal(scale=3, size=(6, 7)), rng.integers(0, 7, 6)
    KL = CE = 0.0
    for i in range(6):
        p, q = (log_softmax([v / KD_T for v in L[i]]) for L in (L_z, L_t))
        KL += sum(math.exp(b) * (b - a) for a, b in zip(p, q, strict=True)) / 6
        CE -= log_softmax(list(L_z[i]))[labels[i]] / 6
    student, teacher = (torch.tensor(L, requires_grad=True) for L in (L_z, L_t))
    kd = methods.build("kd", KD_T=KD_T, KD_alpha=KD_alpha).loss(
        student, {"teacher": teacher}, labels=torch.tensor(labels)
    )
    assert (kd.kd.item(), kd.ce.item(), kd.weights) == (pytest.approx(KL), pytest.approx(CE), {})
    assert kd.total.item() == pytest.approx(KD_alpha * KD_T**2 * KL + (1 - KD_alpha) * CE)
    kd.total.backward()
    assert teacher.grad is None
    assert student.grad.abs().max() > 0


@pytest.mark.parametrize("masked", OUTPUTS.values(), ids=OUTPUTS)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
@pytest.mark.parametrize("weighting", WEIGHTINGS)
@pytest.mark.parametrize("side", ["both", "static", "dynamic", "one"])
def test_values_and_gradients_stay_finite(dtype, weighting, side, masked):
    """Logits of +-80, equal logits, -inf outside the subset already, one sample."""
    for S_alpha in (0.0, 0.4, 1.0):
        for N, scale in ((5, 0.0), (1, 3.0), (5, 80.0)):
            L_z, L_st, L_dy, labels, static = batch(11, N=N, scale=scale, side=side)
            if scale == 80:
                L_z, L_st, L_dy = (np.sign(x) * 80 for x in (L_z, L_st, L_dy))
            L_z, L_st, L_dy, labels, static = tensors((L_z, L_st, L_dy, labels, static), dtype)
            if masked:
                L_st = equations.mask_logits(L_st, static)
            L_z.requires_grad_()
            got = dtkd(L_z, L_st, L_dy, labels, static, S_alpha=S_alpha, KD_T=2, KD_alpha=0.5, weighting=weighting,
                       masked=masked)  # fmt: skip
            got.loss.backward()
            assert all(value.isfinite().all() for value in got)
            assert L_z.grad.isfinite().all()


@pytest.mark.parametrize("weighting", WEIGHTINGS)
@pytest.mark.parametrize("S_alpha", [0.0, 0.3])
@pytest.mark.parametrize("outside", OUTSIDE)
@pytest.mark.parametrize("masked", OUTPUTS.values(), ids=OUTPUTS)
def test_gradients_are_those_of_finite_differences(weighting, S_alpha, outside, masked):
    L_z, L_st, L_dy, labels, static = tensors(batch(2, N=4, C=5))
    hyper = dict(S_alpha=S_alpha, KD_T=2.0, KD_alpha=0.4, weighting=weighting, outside=outside, masked=masked)

    def loss(z):
        return dtkd(z, L_st, L_dy, labels, static, **hyper).loss

    assert torch.autograd.gradcheck(loss, (L_z.clone().requires_grad_(),))


def test_only_the_student_learns():
    *logits, labels, static = tensors(batch(4))
    leaves = [x.clone().requires_grad_() for x in logits]
    dtkd(*leaves, labels, static, S_alpha=0.3, KD_T=2, KD_alpha=0.4).loss.backward()
    assert leaves[0].grad.abs().sum() > 0
    assert all(x.grad is None for x in leaves[1:])


def test_masking():
    logits, allowed = (
        torch.randn(3, 4, dtype=torch.float64, requires_grad=True),
        torch.tensor([True, False, True, False]),
    )
    masked = equations.mask_logits(logits, allowed)
    assert torch.equal(masked.isinf().any(0), ~allowed)
    assert torch.equal(equations.mask_logits(masked, allowed), masked)
    q = equations.teacher_probabilities(masked, 2.0)
    assert (q[:, ~allowed] == 0).all()
    torch.nn.functional.cross_entropy(masked, torch.tensor([0, 2, 0])).backward()
    assert (logits.grad[:, ~allowed] == 0).all()
    assert logits.grad.isfinite().all()


def test_a_teacher_that_diverged_shows_in_the_loss():
    L_z, L_st, L_dy, labels, static = tensors(batch(3))
    L_st = L_st.index_fill(0, torch.tensor([0]), math.nan)
    assert dtkd(L_z, L_st, L_dy, labels, static, S_alpha=0.3, KD_T=2, KD_alpha=0.4, weighting="blend").loss.isnan()


@pytest.mark.parametrize("count", [2, 3, 5])
@pytest.mark.parametrize("weighting", WEIGHTINGS)
def test_any_number_of_groups_has_its_teachers(count, weighting):
    """Eqs. 4 to 10 sample by sample, with a score of each group's teacher."""
    rng = np.random.default_rng(count)
    N, C, S_alpha, KD_T = 8, 11, 0.3, 2.0
    groups = torch.tensor(rng.permutation(np.arange(C) % count))
    labels = torch.tensor(rng.integers(0, C, N))
    said = [torch.tensor(rng.normal(scale=3, size=(N, C))) for _ in range(count)]
    q_final, weights = equations.hybrid_target(said, labels, groups, S_alpha=S_alpha, KD_T=KD_T, weighting=weighting)
    scores = np.zeros((count, N))
    for number, logits in enumerate(said):
        own = [i for i in range(N) if groups[labels[i]] == number]
        CE = {i: -log_softmax(logits[i].tolist())[labels[i]] for i in own}
        for i in range(N):
            spread = max(CE.values()) - min(CE.values()) if own else 0.0
            norm = 1.0 if i not in CE else (CE[i] - min(CE.values())) / spread if spread else 0.0
            conf = max(softmax([v / KD_T for v in logits[i].tolist()]))
            scores[number, i] = S_alpha * conf + (1 - S_alpha) * (1 - norm)
    for i in range(N):
        own = int(groups[labels[i]])
        w = scores[:, i] / scores[:, i].sum()
        if weighting == "gated":
            w = np.where(np.arange(count) == own, w, 0.0)
        if weighting == "partition":
            w = (np.arange(count) == own).astype(float)
        np.testing.assert_allclose([each[i].item() for each in weights], w)
        q = np.array([softmax([v / KD_T for v in logits[i].tolist()]) for logits in said])
        np.testing.assert_allclose(q_final[i], w @ q)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"S_alpha": 1.5}, "S_alpha"),
        ({"KD_alpha": -0.1}, "KD_alpha"),
        ({"KD_alpha": math.nan}, "KD_alpha"),
        ({"KD_T": 0}, "KD_T"),
        ({"weighting": "half"}, "'gated', 'blend' or 'partition'"),
        ({"outside": "one"}, "'confidence' or 'zero'"),
        ({"T": 2.0}, "T: "),
        ({"groups": torch.zeros(7, dtype=torch.long)}, "threshold"),
        ({"groups": torch.arange(7) % 3}, "2 teachers"),
        ({"groups": torch.zeros(6, dtype=torch.long)}, "split"),
        ({"groups": torch.zeros(7)}, "integers"),
        ({"logits_st": torch.zeros(6, 8)}, "same classes"),
        ({"student_logits": torch.zeros(6)}, "same classes"),
        ({"labels": torch.zeros(0, dtype=torch.long)}, "at least one"),
    ],
)
def test_errors_say_what_is_wrong(change, word):
    names = ("student_logits", "logits_st", "logits_dy", "labels", "static")
    case = dict(zip(names, tensors(batch(0)), strict=True)) | {"S_alpha": 0.3, "KD_T": 2.0, "KD_alpha": 0.4}
    case = case | {"groups": (~case.pop("static")).long()} | change
    logits, said = case.pop("student_logits"), {name: case.pop(f"logits_{name}") for name in ("st", "dy")}
    batch_ = {name: case.pop(name) for name in ("labels", "groups")}
    with pytest.raises(DtkdError, match=word) as caught:
        methods.build("dtkd", **case).loss(logits, said, **batch_)
    assert "\n" not in str(caught.value)
