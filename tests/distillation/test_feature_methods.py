"""Methods that compare pooled features, against float64 NumPy."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dtkd.common.errors import DtkdError
from dtkd.distillation import methods

ROWS = {"fitnet": {"weight": 7.0}, "rkd": {"distance": 3.0, "angle": 5.0}, "sp": {"gamma": 11.0}}


def cross_entropy(z, y):
    shifted = z - z.max(-1, keepdims=True)
    return float(np.mean(np.log(np.exp(shifted).sum(-1)) - shifted[np.arange(len(y)), y]))


def huber(a, b):
    gap = np.abs(a - b)
    return float(np.where(gap < 1, 0.5 * gap**2, gap - 0.5).mean())


def unit(x):
    return x / np.maximum(np.linalg.norm(x, axis=-1, keepdims=True), 1e-12)


def distances(f):
    found = np.linalg.norm(f[:, None] - f[None], axis=-1)
    return found / found[found > 0].mean()


def angles(f):
    """At sample i the cosine between the directions to j and to k, written out."""
    N = len(f)
    found = np.zeros((N, N, N))
    for i in range(N):
        for j in range(N):
            for k in range(N):
                found[i, j, k] = unit(f[j] - f[i]) @ unit(f[k] - f[i])
    return found


EXPECTED = {
    "fitnet": lambda own, theirs: 7 * float(((own - theirs) ** 2).mean()),
    "rkd": lambda own, theirs: 3 * huber(distances(own), distances(theirs)) + 5 * huber(angles(own), angles(theirs)),
    "sp": lambda own, theirs: 11 * float(((unit(own @ own.T) - unit(theirs @ theirs.T)) ** 2).mean()),
}


def asked(name, z, y, own, theirs):
    said = {teacher: torch.zeros(z.shape, dtype=torch.float64) for teacher in theirs}
    return methods.build(name, **ROWS[name]).loss(
        torch.tensor(z), said, labels=torch.tensor(y), student_features=own, teacher_features=theirs
    )


@pytest.mark.parametrize("name", ROWS)
@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), K=st.integers(1, 5), N=st.integers(2, 6))
def test_a_loss_is_that_of_its_paper(name, seed, K, N):
    random = np.random.default_rng(seed)
    z, y = random.normal(size=(N, 4)), random.integers(0, 4, N)
    widths = random.integers(3, 8, K)
    theirs = {f"t{k}": random.normal(size=(N, width)) for k, width in enumerate(widths)}
    alone = random.normal(size=(N, 5))
    own = {f"t{k}": random.normal(size=(N, width)) for k, width in enumerate(widths)}  # as regressors make them
    given = own if name == "fitnet" else dict.fromkeys(theirs, alone)
    found = asked(name, z, y, {key: torch.tensor(value) for key, value in given.items()} if name == "fitnet"
                  else torch.tensor(alone), {key: torch.tensor(value) for key, value in theirs.items()})  # fmt: skip
    L_KD = np.mean([EXPECTED[name](given[key], value) for key, value in theirs.items()])
    assert found.kd.item() == pytest.approx(L_KD, rel=1e-4, abs=1e-5), "in float32, as training has it"
    assert found.total.item() == pytest.approx(cross_entropy(z, y) + L_KD, rel=1e-4, abs=1e-5)
    assert found.ce.item() == pytest.approx(cross_entropy(z, y), rel=1e-6)


@pytest.mark.parametrize("name", ["rkd", "sp"])
def test_what_is_alike_up_to_its_scale_costs_nothing(name):
    """Turned and scaled features have the same distances, angles and similarities."""
    random = np.random.default_rng(0)
    theirs = random.normal(size=(5, 4))
    turned = 3 * theirs @ np.linalg.qr(random.normal(size=(4, 4)))[0]
    found = asked(name, np.zeros((5, 4)), np.arange(5) % 4, torch.tensor(turned), {"t": torch.tensor(theirs)})
    assert found.kd.item() == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("name", ROWS)
def test_gradients_are_finite_where_samples_are_the_same(name):
    """Two are one and the same, one is 0, for the student alone: what it has to undo has no direction."""
    own = torch.tensor([[1.0, 2, 3], [1, 2, 3], [0, 0, 0], [2, -1, 0]], requires_grad=True)
    theirs = torch.randn(4, 3, generator=torch.Generator().manual_seed(0))
    found = asked(name, np.zeros((4, 4)), np.arange(4), own, {"t": theirs})
    found.total.backward()
    assert own.grad.isfinite().all()
    assert own.grad.abs().max() < 1e3


@pytest.mark.parametrize("name", ROWS)
def test_features_that_are_missing_are_one_line(name):
    z, y = np.zeros((2, 4)), np.array([0, 1])
    for own, theirs, where in ((None, {"t": torch.zeros(2, 3)}, "student_features"), (torch.zeros(2, 3), {}, "")):
        said = {"t": torch.zeros(2, 4)}
        with pytest.raises(DtkdError, match=f"method {name} compares features: {where or 'teacher_features'} has none"):
            methods.build(name).loss(
                torch.tensor(z), said, labels=torch.tensor(y), student_features=own, teacher_features=theirs
            )


def test_a_regressor_for_each_teacher():
    found = methods.build("fitnet").regressors(3, {"a": 5, "b": 7})
    assert {name: (each.in_features, each.out_features) for name, each in found.items()} == {"a": (3, 5), "b": (3, 7)}
    assert methods.build("rkd").regressors(3, {"a": 5}) is None


@pytest.mark.parametrize("name", ROWS)
def test_its_gradient_leads_to_the_teacher(name):
    generator = torch.Generator().manual_seed(0)
    own, theirs = torch.randn(2, 6, 4, generator=generator)
    own.requires_grad_()
    optimiser, seen = torch.optim.Adam([own], 0.05), []
    for _ in range(200):
        found = methods.build(name, **ROWS[name]).loss(
            torch.zeros(6, 4), {"t": torch.zeros(6, 4)}, labels=torch.zeros(6, dtype=torch.long),
            student_features=own, teacher_features={"t": theirs},
        )  # fmt: skip
        optimiser.zero_grad()
        found.kd.backward()
        optimiser.step()
        seen.append(found.kd.item())
    assert seen[-1] < seen[0] / 10
