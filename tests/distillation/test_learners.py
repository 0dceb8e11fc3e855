"""Learners: who may predict what, who learns from what, and which forward passes are paid."""

import copy

import pytest
import torch
from torch.nn import functional as F

from dtkd.config import Student
from dtkd.distillation import equations
from dtkd.distillation.classifier import Classifier
from dtkd.distillation.dual_teacher import Distilled
from dtkd.distillation.vanilla_kd import VanillaKD
from dtkd.models import backbones

STATIC = torch.tensor([True, False, True, False, False])
LABELS = torch.tensor([0, 1, 4, 2, 3])  # two static, three dynamic
OWN = STATIC[LABELS]


def network(seed, classes=5):
    torch.manual_seed(seed)
    model = backbones.build("slowfast_small", classes, 0.5, width=8)
    for module in model.modules():  # a new residual block ends with a zero: let all layers matter
        if isinstance(module, torch.nn.BatchNorm3d):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
    return model


def clips(N=5):
    return torch.randn(N, 3, 8, 32, 32, generator=torch.Generator().manual_seed(1))


def student(**changes):
    return Student(**({"S_alpha": 0.3, "KD_T": 2, "KD_alpha": 0.4} | changes))


def distilled(masked=False, **changes):
    return Distilled(network(0), network(1), network(2), STATIC, student(**changes), masked=masked)


def state(module):
    return {name: value.clone() for name, value in module.state_dict().items()}


def same(module, before):
    return all(torch.equal(value, before[name]) for name, value in module.state_dict().items())


def gradients(module):
    """The largest gradient of each parameter that has one."""
    return [p.grad.abs().max().item() for p in module.parameters() if p.grad is not None]


def update(learner, steps=2, labels=LABELS, optimiser=torch.optim.SGD):
    optimiser = optimiser([p for p in learner.parameters() if p.requires_grad], 0.1)
    learner.train()
    for _ in range(steps):
        optimiser.zero_grad()
        learner(clips(len(labels)), labels).loss.backward()
        optimiser.step()


@pytest.fixture
def rows():
    """Count the rows of each forward pass of the networks that are given to it."""

    def count(**networks):
        seen = {name: [] for name in networks}
        for name, net in networks.items():
            net.register_forward_pre_hook(lambda _, args, name=name: seen[name].append(len(args[0])))
        return seen

    return count


# Classifier


def test_a_plain_classifiers_loss_is_cross_entropy():
    learner = Classifier(network(0)).eval()
    step = learner(clips(), LABELS)
    assert torch.equal(step.logits, learner.model(clips()))
    torch.testing.assert_close(step.loss, F.cross_entropy(learner.model(clips()), LABELS))
    assert step.scalars == {}


def test_a_masked_classifier_answers_and_learns_within_its_subset_only():
    learner = Classifier(network(0), STATIC).eval()
    backbones.projection(learner.model).bias.data[~STATIC] = 100.0  # would win everywhere
    labels = torch.tensor([0, 2, 2, 0, 0])
    step = learner(clips(), labels)
    assert (step.logits[:, ~STATIC] == -torch.inf).all()
    assert STATIC[step.logits.argmax(1)].all()
    torch.testing.assert_close(step.logits[:, STATIC], learner.model(clips())[:, STATIC])
    torch.testing.assert_close(step.loss, F.cross_entropy(learner.model(clips())[:, STATIC], labels // 2))
    step.loss.backward()
    proj = backbones.projection(learner.model)
    for grad in (proj.weight.grad, proj.bias.grad):
        assert (grad[~STATIC] == 0).all()
        assert (grad[STATIC] != 0).any()
        assert grad.isfinite().all()


def test_what_a_masked_classifier_saves_is_its_network_alone():
    """The mask is the split's, not the checkpoint's."""
    assert set(Classifier(network(0), STATIC).state_dict()) == {f"model.{name}" for name in network(0).state_dict()}


def test_a_frozen_backbone_keeps_its_batch_norm_statistics():
    learner = Classifier(backbones.freeze_backbone(network(0)), STATIC)
    before = state(learner.model)
    update(learner, labels=torch.tensor([0, 2, 2, 0, 0]))
    changed = {name for name, value in learner.model.state_dict().items() if not torch.equal(value, before[name])}
    assert changed == {"blocks.6.proj.weight", "blocks.6.proj.bias"}


# Distilled


@pytest.mark.parametrize("weighting", ["gated", "blend", "partition"])
@pytest.mark.parametrize("FT", [True, False])
@pytest.mark.parametrize("masked", [True, False])
def test_the_loss_is_the_papers_on_the_same_logits(weighting, FT, masked):
    learner = distilled(weighting=weighting, FT=FT, masked=masked).eval()
    step = learner(clips(), LABELS)
    networks = (learner.model, learner.static, learner.dynamic)
    with torch.no_grad():
        L_z, L_st, L_dy = (net(clips()) for net in networks)
    kd = equations.distillation_loss(L_z, L_st, L_dy, LABELS, STATIC, S_alpha=0.3, KD_T=2, KD_alpha=0.4,
                                   weighting=weighting, masked=masked)  # fmt: skip
    teachers = torch.tensor(0.0)
    if not FT:
        for logits, own, subset in ((L_st, OWN, STATIC), (L_dy, ~OWN, ~STATIC)):
            own_logits = logits[own].masked_fill(~subset, -torch.inf) if masked else logits[own]
            teachers = teachers + F.cross_entropy(own_logits, LABELS[own])
        torch.testing.assert_close(step.scalars["L_teachers"].detach(), teachers)
    torch.testing.assert_close(step.loss.detach(), kd.loss + teachers)
    torch.testing.assert_close(step.scalars["L_total"].detach(), kd.loss)
    torch.testing.assert_close(step.logits.detach(), L_z)
    torch.testing.assert_close(step.scalars["L_KD"].detach(), kd.L_KD)
    torch.testing.assert_close(step.scalars["L_CE"].detach(), kd.L_CE)
    torch.testing.assert_close(step.scalars["w_st"], kd.w_st[OWN].mean())
    torch.testing.assert_close(step.scalars["w_dy"], kd.w_dy[~OWN].mean())


def test_bskd_is_the_partition_weighting():
    bskd = distilled(method="bskd", S_alpha=None).eval()
    dtkd = distilled(weighting="partition").eval()
    assert torch.equal(bskd(clips(), LABELS).loss, dtkd(clips(), LABELS).loss)
    assert not torch.equal(bskd(clips(), LABELS).loss, distilled().eval()(clips(), LABELS).loss)


@pytest.mark.parametrize("optimiser", [torch.optim.SGD, torch.optim.AdamW])
def test_frozen_teachers_do_not_change_by_a_bit(optimiser):
    learner = distilled()
    before = {name: state(net) for name, net in learner.named_children()}
    update(learner, optimiser=optimiser)
    assert same(learner.static, before["static"])
    assert same(learner.dynamic, before["dynamic"])
    assert not same(learner.model, before["model"])
    trainable = {name for name, p in learner.named_parameters() if p.requires_grad}
    assert trainable == {f"model.{name}" for name, _ in learner.model.named_parameters()}  # the optimiser's, no more


def test_frozen_teachers_stay_in_eval_mode_and_the_student_does_not():
    learner = distilled()
    learner.eval()
    learner.train()
    assert not any(module.training for net in (learner.static, learner.dynamic) for module in net.modules())
    assert all(module.training for module in learner.model.modules())
    learner.eval()
    assert not any(module.training for module in learner.modules())
    unfrozen = distilled(FT=False)
    unfrozen.train()
    assert all(module.training for module in unfrozen.modules())


@pytest.mark.parametrize(
    ("changes", "paid"),
    [
        ({}, ([5], [5])),
        ({"weighting": "blend"}, ([5], [5])),
        ({"S_alpha": 0}, ([2], [3])),
        ({"weighting": "partition"}, ([2], [3])),
        ({"outside": "zero"}, ([2], [3])),
        ({"outside": "zero", "weighting": "blend"}, ([5], [5])),
        ({"FT": False, "outside": "zero"}, ([2], [3])),
        ({"method": "bskd", "S_alpha": None}, ([2], [3])),
        ({"KD_alpha": 0}, ([], [])),
        ({"FT": False}, ([3, 2], [2, 3])),  # the other's samples, its own
        ({"FT": False, "weighting": "blend"}, ([3, 2], [2, 3])),
        ({"FT": False, "unfrozen": "joint"}, ([5], [5])),
        ({"FT": False, "S_alpha": 0}, ([2], [3])),
        ({"FT": False, "weighting": "partition"}, ([2], [3])),
        ({"FT": False, "weighting": "partition", "unfrozen": "joint"}, ([2], [3])),
        ({"FT": False, "method": "bskd", "S_alpha": None}, ([2], [3])),
        ({"FT": False, "KD_alpha": 0}, ([2], [3])),
    ],
    ids=str,
)
def test_only_the_forward_passes_that_are_needed_are_paid(changes, paid, rows):
    learner = distilled(**changes).train()
    seen = rows(model=learner.model, static=learner.static, dynamic=learner.dynamic)
    learner(clips(), LABELS)
    assert seen == {"model": [5], "static": paid[0], "dynamic": paid[1]}
    learner.logits(clips())
    assert seen == {"model": [5, 5], "static": paid[0], "dynamic": paid[1]}  # testing never asks a teacher


@pytest.mark.parametrize("FT", [True, False])
@pytest.mark.parametrize("unfrozen", ["own", "joint"])
@pytest.mark.parametrize("changes", [{"S_alpha": 0}, {"weighting": "partition"}, {"outside": "zero"}], ids=str)
def test_sparing_a_forward_pass_changes_neither_loss_nor_gradients(changes, unfrozen, FT):
    """In eval mode, as in train mode batch norms see other samples."""
    frugal, full = (distilled(FT=FT, unfrozen=unfrozen, **changes).eval() for _ in range(2))
    full.teacher_logits = lambda clips, *_: (full.static(clips), full.dynamic(clips))
    losses = [learner(clips(), LABELS).loss for learner in (frugal, full)]
    torch.testing.assert_close(*losses)
    for loss in losses:
        loss.backward()
    for (name, p), q in zip(frugal.named_parameters(), full.parameters(), strict=True):
        if p.requires_grad:
            torch.testing.assert_close(p.grad, q.grad, msg=name, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("FT", [True, False])
def test_a_batch_of_one_subset_asks_one_teacher_and_has_one_mean_weight(FT, rows):
    learner = distilled(weighting="partition", FT=FT).train()
    seen = rows(static=learner.static, dynamic=learner.dynamic)
    step = learner(clips(3), torch.tensor([1, 3, 4]))
    assert seen == {"static": [], "dynamic": [3]}
    assert step.scalars["w_st"].isnan()
    assert step.scalars["w_dy"] == 1
    assert step.loss.isfinite()


def test_without_distillation_its_records_are_zero():
    """KD_alpha 0: no teacher was run, so there is neither L_KD nor a weight."""
    step = distilled(KD_alpha=0).eval()(clips(), LABELS)
    assert step.loss == step.scalars["L_CE"]
    assert [float(step.scalars[name]) for name in ("L_KD", "w_st", "w_dy")] == [0, 0, 0]


def test_unfrozen_teachers_change_and_all_their_parts_learn():
    learner = distilled(FT=False)
    before = {name: state(net) for name, net in learner.named_children()}
    update(learner)
    assert not any(same(net, before[name]) for name, net in learner.named_children())
    assert all(p.requires_grad for p in learner.parameters())


@pytest.mark.parametrize("labels", [[0, 2, 2, 0, 0], [1, 3, 4, 4, 1]], ids=["static", "dynamic"])
def test_own_a_teacher_without_own_samples_gets_no_gradient(labels):
    learner = distilled(FT=False).train()
    learner(clips(), torch.tensor(labels)).loss.backward()
    used, idle = learner.static, learner.dynamic
    if not STATIC[labels[0]]:
        used, idle = idle, used
    assert max(gradients(used)) > 0
    assert max(gradients(idle), default=0) == 0
    assert max(gradients(learner.model)) > 0


@pytest.mark.parametrize(("masked", "KD_alpha"), [(True, 0.4), (True, 1.0), (False, 0.4)])
def test_own_a_teachers_gradient_is_that_of_its_own_cross_entropy(masked, KD_alpha):
    """Over its subset's classes where it is masked, else over all."""
    learner = distilled(masked, FT=False, KD_alpha=KD_alpha).eval()  # eval: the reference may run on the own samples
    learner(clips(), LABELS).loss.backward()
    for net, own, subset in ((learner.static, OWN, STATIC), (learner.dynamic, ~OWN, ~STATIC)):
        reference = copy.deepcopy(net)
        reference.zero_grad()
        logits, labels = reference(clips()[own]), LABELS[own]
        if masked:
            logits, labels = logits[:, subset], subset.cumsum(0)[labels] - 1
        F.cross_entropy(logits, labels).backward()
        for (name, p), q in zip(net.named_parameters(), reference.parameters(), strict=True):
            torch.testing.assert_close(p.grad, q.grad, msg=name, rtol=1e-3, atol=1e-6)


def test_own_a_teacher_is_run_on_other_samples_as_if_it_were_frozen():
    """Its batch norms know nothing of them, there is no dropout in what it says, and it goes on learning."""
    learner = distilled(FT=False).train()
    run, before = copy.deepcopy(learner), copy.deepcopy(learner)
    _, L_st, L_dy = run.outputs(clips(), LABELS)
    assert all(module.training for module in run.modules())
    for name, logits, own in (("static", L_st, OWN), ("dynamic", L_dy, ~OWN)):
        frozen = getattr(before, name)
        with torch.no_grad():
            torch.testing.assert_close(logits[~own], frozen.eval()(clips()[~own]))
        frozen.train()(clips()[own])  # statistics of its own samples alone
        for (key, value), buffer in zip(frozen.named_buffers(), getattr(run, name).buffers(), strict=True):
            assert torch.equal(value, buffer), key


def test_own_a_teacher_that_was_run_without_gradients_still_gets_them_in_mixed_precision():
    """Autocast keeps the rounded weights of the first forward pass for the second."""
    learner = distilled(FT=False).train()
    with torch.autocast("cpu", torch.bfloat16):
        loss = learner(clips(), LABELS).loss
    loss.backward()
    assert all(p.grad is not None for p in learner.parameters())


@pytest.mark.parametrize("unfrozen", ["own", "joint"])
def test_the_students_loss_reaches_the_teachers_in_joint_only(unfrozen):
    learner = distilled(FT=False, unfrozen=unfrozen).train()
    step = learner(clips(), LABELS)
    (step.loss - step.scalars["L_teachers"]).backward()
    assert max(gradients(learner.model)) > 0
    for teacher in (learner.static, learner.dynamic):
        assert (max(gradients(teacher), default=0) > 1e-6) == (unfrozen == "joint")


@pytest.mark.parametrize("FT", [True, False])
def test_the_student_learns_the_same_whether_its_teachers_do(FT):
    """The teachers' own loss sends nothing to the student: its gradient is that of Eq. 13."""
    learner = distilled(FT=FT).eval()
    learner(clips(), LABELS).loss.backward()
    reference = distilled().eval()
    with torch.no_grad():
        L_st, L_dy = reference.static(clips()), reference.dynamic(clips())
    equations.distillation_loss(reference.model(clips()), L_st, L_dy, LABELS, STATIC, S_alpha=0.3, KD_T=2,
                              KD_alpha=0.4).loss.backward()  # fmt: skip
    for p, q in zip(learner.model.parameters(), reference.model.parameters(), strict=True):
        torch.testing.assert_close(p.grad, q.grad)


# VanillaKD


def test_by_one_teacher_a_student_learns_its_cached_logits_of_each_clip():
    """Row k, v of them is what it said to clip k of video v."""
    cached = torch.randn(1, 2, 7, 5, generator=torch.Generator().manual_seed(3))
    items = [(1, 6), (0, 0), (1, 0), (0, 3), (1, 2)]
    learner = VanillaKD(network(0), Student(method="kd", KD_T=2, KD_alpha=0.4), cached).eval()
    step = learner(clips(), LABELS, items)
    taught = torch.stack([cached[0, k, v] for k, v in items])
    with torch.no_grad():
        logits = network(0).eval()(clips())
        loss, L_KD, L_CE, *_ = equations.vanilla_kd_loss(logits, taught, LABELS, KD_T=2, KD_alpha=0.4)
    torch.testing.assert_close(step.logits.detach(), logits)
    torch.testing.assert_close(step.loss.detach(), loss)
    told = {name: value.detach() for name, value in step.scalars.items()}
    torch.testing.assert_close(told, {"L_total": loss, "L_KD": L_KD, "L_CE": L_CE})
    step.loss.backward()
    assert max(gradients(learner.model)) > 0
    assert set(learner.state_dict()) == {f"model.{name}" for name in network(0).state_dict()}, "no teacher is saved"


def test_teachers_do_not_touch_each_others_clips():
    """Each network gets the clips as they were: pytorchvideo's SlowFast changes the list that it is given."""
    batch = clips()
    for FT in (True, False):
        distilled(FT=FT).train()(batch, LABELS)
    assert torch.equal(batch, clips())
