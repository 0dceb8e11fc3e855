"""The losses of the rival methods against NumPy in float64, written from their equations."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import log_softmax, logsumexp, softmax

from dtkd.common.errors import DtkdError
from dtkd.distillation import divergences, methods
from dtkd.distillation.methods.aekd import least_norm_weights

MIX = {"KD_T": 3.0, "KD_alpha": 0.7}


def kl(q, log_p):
    """Summed over classes, a value a sample; 0 log 0 = 0."""
    terms = np.zeros_like(q)
    positive = q > 0
    terms[positive] = q[positive] * (np.log(q[positive]) - np.broadcast_to(log_p, q.shape)[positive])
    return terms.sum(-1)


def cross_entropy(z, y):
    return -log_softmax(z, -1)[np.arange(len(y)), y]


def mixed(L_KD, z, y, T, alpha):
    return alpha * T**2 * L_KD + (1 - alpha) * cross_entropy(z, y).mean()


def z_scores(x):
    found = np.full_like(x, -np.inf)
    for row, out in zip(x, found, strict=True):
        own = np.isfinite(row)
        std = row[own].std(ddof=1) if own.sum() > 1 else 0.0
        out[own] = (row[own] - row[own].mean()) / (1e-7 + std)
    return found


def average(z, t, y, groups, *, KD_T, KD_alpha, standardise=False):
    z_KD, t = (z_scores(z), [z_scores(each) for each in t]) if standardise else (z, t)
    q = np.mean([softmax(each / KD_T, -1) for each in t], axis=0)
    return mixed(kl(q, log_softmax(z_KD / KD_T, -1)).mean(), z, y, KD_T, KD_alpha)


def weighed(z, t, y, w, T, alpha):
    terms = [kl(softmax(each / T, -1), log_softmax(z / T, -1)) for each in t]
    return mixed((np.array(w) * terms).sum(0).mean(), z, y, T, alpha)


def ebkd(z, t, y, groups, *, KD_T, KD_alpha):
    p = softmax(np.array(t), -1)
    H = -(p * np.log(np.where(p > 0, p, 1))).sum(-1)
    return weighed(z, t, y, (1 - H / H.sum(0)) / (len(t) - 1), KD_T, KD_alpha)


def ca_mkd(z, t, y, groups, *, KD_T, KD_alpha):
    inverse = 1 / np.array([softmax(each, -1)[np.arange(len(y)), y] for each in t])  # exp(CE)
    return weighed(z, t, y, (1 - inverse / inverse.sum(0)) / (len(t) - 1), KD_T, KD_alpha)


def discrepancy(z, t, y, groups, *, KD_T, KD_alpha):
    targets = []
    for row, own in enumerate(z):
        said = np.array([each[row] for each in t])
        scores = []
        for each in said:
            can = np.isfinite(each)
            p, a, b = softmax(each[can]), each[can], own[can]
            doubt = -(p @ np.log(p)) / np.log(can.sum()) if can.sum() > 1 else 0
            scores.append((1 - doubt) * (1 - a @ b / (np.linalg.norm(a) * np.linalg.norm(b))))
        w = np.array(scores) / sum(scores) if sum(scores) > 0 else np.full(len(t), 1 / len(t))
        able = np.isfinite(said)
        shares = np.where(able, w[:, None], 0)
        shares = np.where(shares.sum(0) > 0, shares, able)
        targets.append(softmax((shares * np.where(able, said, 0)).sum(0) / shares.sum(0) / KD_T))
    return mixed(kl(np.array(targets), log_softmax(z / KD_T, -1)).mean(), z, y, KD_T, KD_alpha)


def dkd(z, t, y, groups, *, KD_T=4.0, alpha=1.0, beta=8.0, standardise=False):
    (t,) = t
    z_KD, t = (z_scores(z), z_scores(t)) if standardise else (z, t)
    total = 0.0
    for own, said, label in zip(z_KD / KD_T, t / KD_T, y, strict=True):
        others = np.arange(len(own)) != label
        p, q = softmax(own), softmax(said)
        log_p = np.array([np.log(p[label]), logsumexp(own[others]) - logsumexp(own)])
        total += alpha * kl(np.array([q[label], q[others].sum()]), log_p)
        if np.isfinite(said[others]).any():
            total += beta * kl(softmax(said[others]), log_softmax(own[others]))
    return cross_entropy(z, y).mean() + KD_T**2 * total / len(y)


def dist(z, t, y, groups, *, KD_T=1.0, beta=1.0, gamma=1.0):
    p, q, own = softmax(z / KD_T, -1), softmax(t[0] / KD_T, -1), np.isfinite(t[0])

    def lost(a, b, own):
        found = []
        for row in range(len(a)):
            u, v = a[row][own[row]], b[row][own[row]]
            if len(u):
                u, v = u - u.mean(), v - v.mean()
                found.append(u @ v / (np.linalg.norm(u) * np.linalg.norm(v) + 1e-8))
        return 1 - np.mean(found)

    return cross_entropy(z, y).mean() + KD_T**2 * (beta * lost(p, q, own) + gamma * lost(p.T, q.T, own.T))


def dynamic_temperature(z, t, y, groups, *, KD_T, KD_alpha):
    terms = []
    for own, said in zip(z, t[0], strict=True):
        x, s = said.max(), own.max()
        T_t, T_z = (2 * x / (x + s) * KD_T, 2 * s / (x + s) * KD_T) if x > 0 and s > 0 else (KD_T, KD_T)
        terms.append(T_z * T_t * kl(softmax(said / T_t), log_softmax(own / T_z)))
    return KD_alpha * np.mean(terms) + (1 - KD_alpha) * cross_entropy(z, y).mean()


def mixture(z, t, y, groups, *, KD_T, KD_alpha, gate="generalist"):
    *specialists, generalist = t
    q = np.zeros_like(z)
    for number, said in enumerate(specialists):
        own = groups == number
        p = softmax(generalist / KD_T, -1)[:, own].sum(-1) if gate == "generalist" else groups[y] == number
        q[:, own] = p[:, None] * softmax(said[:, own] / KD_T, -1)
    return mixed(kl(q, log_softmax(z / KD_T, -1)).mean(), z, y, KD_T, KD_alpha)


LOSSES = {
    "kd": (average, (1, 1), [MIX, MIX | {"standardise": True}]),  # a mean of one
    "average": (average, (1, 5), [MIX, MIX | {"standardise": True}]),
    "ebkd": (ebkd, (2, 5), [MIX]),
    "ca_mkd": (ca_mkd, (2, 5), [MIX]),
    "discrepancy": (discrepancy, (2, 5), [MIX]),
    "dkd": (dkd, (1, 1), [{}, {"alpha": 0.5, "beta": 2.0, "KD_T": 1.5, "standardise": True}]),
    "dist": (dist, (1, 1), [{}, {"beta": 2.0, "gamma": 0.5, "KD_T": 4.0}]),
    "dynamic_temperature": (dynamic_temperature, (1, 1), [MIX]),
    "mixture": (mixture, (2, 6), [MIX, MIX | {"gate": "truth"}]),
}  # fmt: skip
CASES = [(name, row) for name, (_, _, rows) in LOSSES.items() for row in range(len(rows))]


def drawn(rng, K, masked):
    """Logits of the student and of K teachers, labels, the classes' groups; masked teachers answer for theirs alone."""
    N, C = int(rng.integers(1, 7)), int(rng.integers(max(K, 2), 9))
    groups = rng.permutation(np.concatenate([np.arange(K), rng.integers(0, K, C - K)]))
    z, t, y = 3 * rng.normal(size=(N, C)), 3 * rng.normal(size=(K, N, C)), rng.integers(0, C, N)
    if masked:
        t[:, :, :] = np.where((groups == np.arange(K)[:, None])[:, None], t, -np.inf)
    return z, t, y, groups


def loss_of(name, row, z, t, y, groups):
    said = {f"t{number}": torch.tensor(each) for number, each in enumerate(t)}
    if name == "mixture":
        said["generalist"] = said.pop(f"t{len(t) - 1}")
    z = torch.tensor(z, requires_grad=True)
    found = methods.build(name, **row).loss(z, said, labels=torch.tensor(y), groups=torch.tensor(groups))
    found.total.backward()
    assert z.grad.isfinite().all()
    return found


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize(("name", "row"), CASES)
@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), data=st.data())
def test_a_loss_is_its_equation(name, row, masked, seed, data):
    reference, (least, most), rows = LOSSES[name]
    K = data.draw(st.integers(least, most))
    rng = np.random.default_rng(seed)
    if name == "mixture":
        z, t, y, groups = drawn(rng, K - 1, masked)
        t = np.concatenate([t, 3 * rng.normal(size=(1, *z.shape))])
    else:
        z, t, y, groups = drawn(rng, K, masked)
        if masked and K == 1 and z.shape[-1] > 2:  # one teacher of some classes
            t[0][:, rng.permutation(z.shape[-1])[: rng.integers(1, z.shape[-1])]] = -np.inf
    if name == "ebkd" and masked and (np.isfinite(t).sum(-1) == 1).all():
        return  # no teacher has any doubt: 0 / 0
    with np.errstate(divide="ignore", invalid="ignore"):
        wanted = reference(z, list(t), y, groups, **rows[row])
    if name == "ca_mkd" and masked and K > 2:
        return  # inf / inf: below
    if np.isnan(wanted):  # the same, of two
        assert (name, masked) == ("ca_mkd", True)
        return
    assert loss_of(name, rows[row], z, t, y, groups).total.item() == pytest.approx(wanted, rel=1e-6, abs=1e-6)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), K=st.integers(2, 5), masked=st.booleans(), C=st.floats(0.5, 1))
def test_aekd_has_the_least_norm(seed, K, masked, C):
    """By the best corner of the feasible weights: no feasible weights do better than by the gap to it."""
    z, t, y, groups = drawn(np.random.default_rng(seed), K, masked)
    row = MIX | {"C": C}
    found = loss_of("aekd", row, z, t, y, groups)
    w = np.array([each.numpy() for each in found.weights.values()])
    assert w.sum(0) == pytest.approx(1)
    assert w.min() >= -1e-12
    assert w.max() <= C + 1e-12
    T = row["KD_T"]
    g = softmax(z / T, -1) - softmax(t / T, -1)
    for n in range(len(z)):
        G = g[:, n] @ g[:, n].T
        slope = G @ w[:, n]
        corner, left = np.zeros(K), 1.0
        for k in np.argsort(slope):
            corner[k] = min(C, left)
            left -= corner[k]
        assert slope @ (w[:, n] - corner) <= 1e-6
    assert found.total.item() == pytest.approx(weighed(z, t, y, w, T, row["KD_alpha"]), rel=1e-6, abs=1e-6)


def test_aekd_of_two_teachers_is_known():
    """Of g = (3, 0) and (0, 1) the least norm is at w = 0.1, 0.9; a bound of 0.6 makes it 0.4, 0.6."""
    G = torch.tensor([[[9.0, 0.0], [0.0, 1.0]]])
    assert least_norm_weights(G, 1.0).tolist() == [pytest.approx([0.1, 0.9])]
    assert least_norm_weights(G, 0.6).tolist() == [pytest.approx([0.4, 0.6])]


def test_teachers_that_know_nothing_of_a_label_share_what_ca_mkd_gives_the_worst():
    """Three teachers of a class each: 1/(K - 1) for the own one, (1 - 1/2) / (K - 1) for the two that cannot say it."""
    t = np.full((3, 3, 3), -np.inf)
    for k in range(3):
        t[k, :, k] = 1.0
    found = loss_of("ca_mkd", MIX, np.zeros((3, 3)), t, np.arange(3), np.arange(3))
    assert torch.stack(list(found.weights.values())).numpy() == pytest.approx(0.25 + 0.25 * np.eye(3))


def test_the_surer_and_the_farther_teacher_is_heard():
    """One that says what the student says weighs nothing, nor does one that has no idea."""
    method, z = methods.build("discrepancy", **MIX), torch.tensor([[2.0, 0.0, 0.0]])
    for same in (z, torch.zeros_like(z)):
        weights = method.weights(torch.stack([same, torch.tensor([[0.0, 3.0, 0.0]])]), z)
        torch.testing.assert_close(weights, torch.tensor([[0.0], [1.0]]))
    torch.testing.assert_close(method.weights(torch.stack([z, z]), z), torch.full((2, 1), 0.5))


def test_sure_teachers_weigh_alike_by_entropy():
    t = np.full((2, 2, 2), -np.inf)
    t[0, :, 0] = t[1, :, 1] = 1.0
    found = loss_of("ebkd", MIX, np.zeros((2, 2)), t, np.arange(2), np.arange(2))
    assert torch.stack(list(found.weights.values())).unique().tolist() == [0.5]


def test_a_mixture_is_a_distribution_and_hears_specialists_within_their_group_alone():
    _, t, y, groups = drawn(np.random.default_rng(0), 3, False)
    said = {f"t{k}": torch.tensor(each) for k, each in enumerate(t)} | {"generalist": torch.tensor(t[0] + 1)}
    arguments = torch.tensor(y), torch.tensor(groups)
    method = methods.build("mixture", **MIX)
    q = method.target(said, *arguments).q
    assert q.sum(-1).numpy() == pytest.approx(1)
    outside = {name: torch.where(torch.tensor(groups == k), logits, 9.0)
               for k, (name, logits) in enumerate(list(said.items())[:3])}  # fmt: skip
    assert torch.equal(method.target(said | outside, *arguments).q, q)


@pytest.mark.parametrize(("name", "row", "teachers", "message"), [
    ("ca_mkd", MIX, ("a",), "method ca_mkd weighs teachers against each other: it takes 2 or more, not 1"),
    ("ebkd", MIX, ("a",), "method ebkd weighs teachers against each other: it takes 2 or more, not 1"),
    ("discrepancy", MIX, ("a",), "method discrepancy weighs teachers against each other: it takes 2 or more, not 1"),
    ("aekd", MIX, ("a",), "method aekd weighs teachers against each other: it takes 2 or more, not 1"),
    ("aekd", MIX | {"C": 0.3}, ("a", "b"), "2 weights of at most C = 0.3 do not sum to 1; set C to 0.5 or more"),
    ("kd", MIX, ("a", "b"), "method kd takes one teacher, not 2; average takes several"),
    ("dist", {}, ("a", "b"), "method dist takes one teacher, not 2; average takes several"),
    ("mixture", MIX, ("a", "b"), "no teacher is a generalist; have both .*, or set gate: truth"),
    ("mixture", MIX, ("a", "b", "c", "generalist"), "but there are 3 teachers"),
])  # fmt: skip
def test_teachers_that_do_not_fit(name, row, teachers, message):
    said = {teacher: torch.zeros(2, 4) for teacher in teachers}
    with pytest.raises(DtkdError, match=message) as error:
        methods.build(name, **row).loss(torch.zeros(2, 4), said, labels=torch.tensor([0, 1]),
                                        groups=torch.tensor([0, 0, 1, 1]))  # fmt: skip
    assert "\n" not in str(error.value)


def test_a_mixture_without_groups_is_refused():
    said = {teacher: torch.zeros(2, 4) for teacher in ("a", "b", "generalist")}
    with pytest.raises(DtkdError, match="but there are 2 teachers"):
        methods.build("mixture", **MIX).loss(torch.zeros(2, 4), said, labels=torch.tensor([0, 1]))


def test_some_compare_the_samples_of_a_batch():
    found = [name for name in methods.names() if methods.METHODS[name].whole_batch]
    assert found == ["dist", "fitnet", "rkd", "sp"]


def test_a_temperature_of_each_sample_follows_the_sharper_one():
    """The largest logits 6 and 2 at T = 4: 6 for the teacher, 2 for the student; at 0 both are 4."""
    method = methods.build("dynamic_temperature", KD_T=4, KD_alpha=1)
    y, x = torch.tensor([[2.0], [0.0]]), torch.tensor([[6.0], [6.0]])
    T_z, T_t = method._temperatures(y, x)
    assert T_z.flatten().tolist() == [2, 4]
    assert T_t.flatten().tolist() == [6, 4]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("name", methods.names())
def test_half_precision_is_computed_in_float32(name, dtype):
    kind = methods.METHODS[name]
    row = {key: 0.5 for key, field in kind.model_fields.items() if field.is_required()}
    names = {"specialists": ("a", "b"), "generalist": ("a",), "both": ("a", "b", "generalist")}[kind.teachers]
    generator = torch.Generator().manual_seed(0)
    z = torch.randn(3, 4, generator=generator).to(dtype)
    said = {teacher: torch.randn(3, 4, generator=generator).to(dtype) for teacher in names}
    arguments = {"labels": torch.tensor([0, 1, 2]), "groups": torch.tensor([0, 0, 1, 1])}
    pooled = torch.randn(2, 3, 5, generator=generator).to(dtype) if kind.needs_features else None
    found, wanted = (
        methods.build(name, **row).loss(
            as_are(z), {key: as_are(each) for key, each in said.items()}, **arguments,
            **({} if pooled is None else {"student_features": as_are(pooled[0]),
                                          "teacher_features": {"a": as_are(pooled[1])}}),
        )
        for as_are in (lambda given: given, torch.Tensor.float)
    )  # fmt: skip
    assert found.total.dtype == torch.float32
    torch.testing.assert_close(found.total, wanted.total)


def test_the_z_score_of_one_class_is_nought():
    x = torch.tensor([[-torch.inf, 3.0, -torch.inf], [1.0, 2.0, 3.0]], dtype=torch.float64)
    found = divergences.standardised(x)
    assert found[0].tolist() == [-torch.inf, 0, -torch.inf]
    assert found[1].tolist() == pytest.approx([-1, 0, 1])
    assert list(itertools.chain(*divergences.standardised(torch.ones(1, 4)).tolist())) == [0] * 4
