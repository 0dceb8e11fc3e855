"""What a step minimises: of any part of a batch, and what a student is taught of the whole of it."""

import pytest
import torch
from torch.nn import functional as F

from dtkd.common.errors import DtkdError
from dtkd.data.groups import weight_name
from dtkd.distillation import methods
from dtkd.training.objectives import CrossEntropy, Distillation
from dtkd.training.targets import Targets

GROUPS = torch.tensor([0, 1, 0, 1, 1])
LABELS = torch.tensor([0, 1, 4, 2, 3])
ITEMS = [(1, 6), (0, 0), (1, 0), (0, 3), (1, 2)]
SAID = torch.randn(2, 2, 7, 5, generator=torch.Generator().manual_seed(3))
HYPER = {"KD_T": 2, "KD_alpha": 0.4}


def student(name="dtkd", said=SAID, groups=GROUPS, **settings):
    names = ("static", "dynamic", "third")[: len(said)] if groups is not None else ("teacher",)
    return Distillation(methods.build(name, **HYPER, **settings), Targets(names, said), groups)


def logits(N=5):
    return torch.randn(N, 5, generator=torch.Generator().manual_seed(1)).requires_grad_()


def test_cross_entropy_is_that_of_the_samples():
    rows, whole = torch.tensor([3, 1]), logits()
    loss, scalars = CrossEntropy().loss(whole[rows], LABELS, None, rows)
    torch.testing.assert_close(loss, F.cross_entropy(whole[rows], LABELS[rows]))
    assert scalars == {}
    assert CrossEntropy().weights(None, LABELS) == {}


@pytest.mark.parametrize(("name", "settings"), [("dtkd", {"S_alpha": 0.3}), ("bskd", {})])
def test_a_student_learns_what_was_said_to_its_clips(name, settings):
    """Row k, v of the targets is what a teacher said to clip k of video v."""
    objective, z = student(name, **settings), logits()
    target = objective.target(ITEMS, LABELS)
    loss, scalars = objective.loss(z, LABELS, target, torch.arange(5))
    said = {key: torch.stack([SAID[t, k, v] for k, v in ITEMS]) for t, key in enumerate(("static", "dynamic"))}
    wanted = methods.build(name, **HYPER, **settings).loss(z, said, labels=LABELS, groups=GROUPS)
    assert torch.equal(loss, wanted.total)
    assert {key: value.item() for key, value in scalars.items()} == {
        "L_total": wanted.total.item(), "L_KD": wanted.kd.item(), "L_CE": wanted.ce.item()
    }  # fmt: skip
    own = GROUPS[LABELS] == 0
    weights = objective.weights(target, LABELS)
    assert weights == {"w_st": pytest.approx(wanted.weights["static"][own].mean().item()),
                       "w_dy": pytest.approx(wanted.weights["dynamic"][~own].mean().item())}  # fmt: skip


def test_a_student_of_one_teacher_needs_no_groups():
    objective, z = student("kd", said=SAID[:1], groups=None), logits()
    target = objective.target(ITEMS, LABELS)
    loss, _ = objective.loss(z, LABELS, target, torch.arange(5))
    said = torch.stack([SAID[0, k, v] for k, v in ITEMS])
    assert torch.equal(loss, methods.build("kd", **HYPER).loss(z, {"teacher": said}, labels=LABELS).total)
    assert objective.weights(target, LABELS) == {}


def test_parts_of_a_batch_have_the_weights_of_the_whole():
    """Eq. 7 looks for the least and the greatest loss of the batch: of a part alone it would be another loss."""
    objective, z = student(S_alpha=0.3), logits()
    whole = objective.target(ITEMS, LABELS)
    expected, _ = objective.loss(z, LABELS, whole, torch.arange(5))
    parts = [torch.tensor([0, 1]), torch.tensor([2, 3, 4])]
    found = sum(objective.loss(z[rows], LABELS, whole, rows).loss * len(rows) / 5 for rows in parts)
    torch.testing.assert_close(found, expected)
    alone = [objective.target([ITEMS[row] for row in rows], LABELS[rows]) for rows in parts]
    other = sum(
        objective.loss(z[rows], LABELS[rows], target, torch.arange(len(rows))).loss * len(rows) / 5
        for rows, target in zip(parts, alone, strict=True)
    )
    assert (other - expected).abs() > 1e-3


def test_a_teacher_without_own_samples_in_a_batch_has_no_mean_weight():
    labels = torch.tensor([1, 3, 4])
    objective = student("bskd")
    assert objective.weights(objective.target(ITEMS[:3], labels), labels) == {"w_dy": 1.0}


def test_three_teachers():
    groups = torch.tensor([0, 1, 2, 1, 2])
    objective = student(said=torch.cat([SAID, SAID[:1] + 1]), groups=groups, S_alpha=0.3)
    target = objective.target(ITEMS, LABELS)
    assert objective.loss(logits(), LABELS, target, torch.arange(5)).loss.isfinite()
    assert set(objective.weights(target, LABELS)) == {"w_st", "w_dy", "w_third"}
    assert [weight_name(name) for name in ("static", "dynamic", "slow")] == ["w_st", "w_dy", "w_slow"]


def test_a_mixture_hears_specialists_of_their_groups_and_a_generalist():
    """They are in two files, of which the second is a baseline's; it is not masked with the specialists."""
    said = Targets.joined([Targets(("static", "dynamic"), SAID), Targets(("teacher",), SAID[:1] + 1)])
    assert said.teachers == ("static", "dynamic", "generalist")
    masked = said.masked(GROUPS)
    assert torch.equal(masked.logits[2], said.logits[2])
    assert torch.equal(masked.logits[1].isinf(), (GROUPS != 1).expand_as(SAID[1]))
    losses = []
    for targets in (said, masked):
        objective = Distillation(methods.build("mixture", **HYPER), targets, GROUPS)
        target = objective.target(ITEMS, LABELS)
        losses.append(objective.loss(logits(), LABELS, target, torch.arange(5)).loss)
        assert 0 < objective.weights(target, LABELS)["w_st"] < 1
    assert torch.equal(*losses), "it asks them for their own group alone"


def test_several_baselines_are_numbered():
    said = Targets.joined([Targets(("teacher",), SAID[:1]), Targets(("teacher",), SAID[1:])])
    assert said.teachers == ("baseline1", "baseline2")
    assert torch.equal(said.logits, SAID)


def test_a_student_of_too_few_teachers_is_refused():
    with pytest.raises(DtkdError, match="method ebkd weighs teachers against each other: it takes 2 or more, not 1"):
        Distillation(methods.build("ebkd", **HYPER), Targets(("teacher",), SAID[:1]))
