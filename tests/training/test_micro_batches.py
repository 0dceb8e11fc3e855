"""Micro-batches and shares of several processes: their gradients add up to that of the whole batch."""

import copy
from contextlib import nullcontext

import pytest
import torch
from torch import nn

from dtkd.common.distributed import DistributedBatchSampler, Group
from dtkd.config import Student
from dtkd.distillation.classifier import Classifier
from dtkd.distillation.dual_teacher import Distilled
from dtkd.distillation.vanilla_kd import VanillaKD
from dtkd.training.micro_batches import gradient, together

STATIC = torch.tensor([True, False, True, False])
LABELS = torch.tensor([0, 1, 3, 2, 0, 1, 1])
ITEMS = [(0, v) for v in (3, 1, 0, 6, 5, 2, 4)]
WEIGHTINGS = ["gated", "blend", "partition"]


class Tiny(nn.Module):
    """A small network; with ``frozen`` its batch norm stays in eval mode, with random statistics."""

    def __init__(self, seed, frozen=True, dropout=0.0):
        super().__init__()
        torch.manual_seed(seed)
        self.frozen = frozen
        self.conv, self.norm, self.head = nn.Conv3d(3, 8, 3), nn.BatchNorm3d(8), nn.Linear(8, 4)
        self.dropout = nn.Dropout(dropout)
        nn.init.normal_(self.norm.running_mean)
        nn.init.uniform_(self.norm.running_var, 0.5, 2)

    def train(self, mode=True):
        super().train(mode)
        if self.frozen:
            self.norm.eval()
        return self

    def forward(self, clips):
        return self.head(self.dropout(self.norm(self.conv(clips)).relu().mean((2, 3, 4)))) * 2


def clips(seed=0):
    return torch.randn(len(LABELS), 3, 4, 5, 5, generator=torch.Generator().manual_seed(seed))


def distilled(weighting="gated", cached=False, **changes):
    options = {"S_alpha": 0.3, "KD_T": 2, "KD_alpha": 0.6, "FT": True, "weighting": weighting}
    student = Student(**(options | changes))
    if cached:
        logits = 2 * torch.randn(2, 1, len(LABELS), 4, generator=torch.Generator().manual_seed(5))
        return Distilled(Tiny(0), None, None, STATIC, student, logits)
    return Distilled(Tiny(0), Tiny(1), Tiny(2), STATIC, student)


def one_teacher():
    logits = 2 * torch.randn(1, 1, len(LABELS), 4, generator=torch.Generator().manual_seed(5))
    return VanillaKD(Tiny(0), Student(method="kd", KD_T=2, KD_alpha=0.6), logits)


LEARNERS = {"classifier": lambda: Classifier(Tiny(0)), "subset": lambda: Classifier(Tiny(0), STATIC),
            "one teacher": one_teacher} | {
    f"{weighting} {name}": lambda weighting=weighting, changes=changes: distilled(weighting, **changes)
    for weighting in WEIGHTINGS
    for name, changes in {
        "cached": {"cached": True}, "FT": {}, "own": {"FT": False}, "joint": {"FT": False, "unfrozen": "joint"},
        "S0": {"FT": False, "unfrozen": "joint", "S_alpha": 0}, "zero own": {"FT": False, "outside": "zero"},
    }.items()
}  # fmt: skip


def step(learner, most, batch, labels=LABELS, items=ITEMS, group=Group()):  # noqa: B008
    return gradient(learner, nn.Identity(), batch, labels, items, most=most, cast=nullcontext(),
                    scaler=torch.amp.GradScaler("cpu", enabled=False), group=group)  # fmt: skip


def trained(learner, most, labels):
    """Three steps with momentum; what each of them gives."""
    optimiser = torch.optim.SGD([p for p in learner.parameters() if p.requires_grad], 0.05, 0.9)
    learner.train()
    results = []
    for number in range(3):
        optimiser.zero_grad()
        results.append(step(learner, most, clips(number), labels))
        optimiser.step()
    return learner, results


@pytest.mark.parametrize("kind", LEARNERS)
@pytest.mark.parametrize("most", [1, 3])
def test_micro_batches_learn_what_the_batch_does(kind, most):
    labels = torch.tensor([0, 2, 2, 0, 0, 2, 0]) if kind == "subset" else LABELS
    whole, expected = trained(LEARNERS[kind](), 7, labels)
    split, found = trained(LEARNERS[kind](), most, labels)
    for (name, p), q in zip(split.named_parameters(), whole.parameters(), strict=True):
        torch.testing.assert_close(p, q, rtol=0, atol=1e-6, msg=lambda said, name=name: f"{name}: {said}")
    assert not torch.equal(whole.model.conv.weight, LEARNERS[kind]().model.conv.weight)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one.loss, other.loss.detach(), rtol=1e-5, atol=1e-6)
        torch.testing.assert_close(one.logits, other.logits.detach(), rtol=1e-5, atol=1e-5)
        assert one.scalars.keys() == other.scalars.keys()
        for name in one.scalars:
            torch.testing.assert_close(one.scalars[name].detach(), other.scalars[name].detach(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", ["gated cached", "gated FT", "blend cached", "blend own", "gated joint",
                                  "gated zero own"])  # fmt: skip
def test_weights_of_each_micro_batch_alone_would_be_others(kind):
    """Eq. 7 looks for the least and the greatest loss of the batch: what the test above proves is no accident."""
    whole, alone = (LEARNERS[kind]().train() for _ in range(2))
    step(whole, 7, clips())
    for rows in (slice(0, 4), slice(4, 7)):
        part = alone(clips()[rows], LABELS[rows], ITEMS[rows])
        (part.loss * len(part.logits) / 7).backward()
    pairs = zip(whole.model.parameters(), alone.model.parameters(), strict=True)
    assert max((p.grad - q.grad).abs().max() for p, q in pairs) > 1e-3


@pytest.mark.parametrize(("kind", "passes"), [("classifier", 1), ("gated cached", 1), ("partition own", 1),
                                              ("gated own", 2), ("gated joint", 2), ("gated zero own", 2)])  # fmt: skip
def test_no_more_clips_pass_at_a_time_and_only_coupled_learners_are_asked_twice(kind, passes):
    learner, seen = LEARNERS[kind](), []
    learner.model.register_forward_pre_hook(lambda _, args: seen.append(len(args[0])))
    step(learner, 3, clips())
    assert seen == [3, 2, 2] * passes  # as even as they can be
    step(learner, 7, clips())
    assert seen[3 * passes :] == [7]


def test_every_part_is_scaled_as_the_batch_is():
    """fp16's gradients are scaled against underflow; the optimiser's step takes that back."""
    plain, scaled = (LEARNERS["blend own"]().train() for _ in range(2))
    step(plain, 7, clips())
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    gradient(scaled, nn.Identity(), clips(), LABELS, ITEMS, most=3, cast=nullcontext(), scaler=scaler, group=Group())
    for p, q in zip(scaled.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(p.grad / 1024, q.grad, rtol=1e-4, atol=1e-6)


def test_a_second_look_is_at_the_same_network():
    """Dropout drops the same units, and batch norms count a step once."""
    learner = Distilled(*(Tiny(seed, frozen=False, dropout=0.5) for seed in range(3)), STATIC,
                        Student(S_alpha=0.3, KD_T=2, KD_alpha=0.6, FT=False)).train()  # fmt: skip
    once = copy.deepcopy(learner)
    seen = []
    learner.model.register_forward_hook(lambda *args: seen.append(args[2].detach()))
    result = step(learner, 4, clips())
    assert len(seen) == 4
    assert torch.equal(seen[0], seen[2])
    assert torch.equal(seen[1], seen[3])
    assert not torch.equal(torch.cat(seen[:2]), once.eval().model(clips()))
    torch.testing.assert_close(result.logits, torch.cat(seen[2:]))
    once.train()
    for part in clips().tensor_split(2):
        once.outputs(part, LABELS[: len(part)])
    for (name, buffer), expected in zip(learner.named_buffers(), once.buffers(), strict=True):
        torch.testing.assert_close(buffer, expected, msg=name)


@pytest.mark.parametrize(("most", "processes", "rows"), [
    (7, 1, [[0, 1, 2, 3, 4, 5, 6]]), (3, 1, [[0, 1, 2], [3, 4], [5, 6]]), (2, 1, [[0, 1], [2, 3], [4, 5], [6]]),
    (4, 2, [[0, 2, 4, 6, 1, 3, 5]]), (2, 2, [[0, 2, 1, 3], [4, 6, 5]]), (1, 4, [[0, 1, 2, 3], [4, 5, 6]]),
])  # fmt: skip
def test_which_rows_pass_together(most, processes, rows):
    assert [part.tolist() for part in together(7, most, processes)] == rows


@pytest.mark.parametrize("most", [1, 2, 3, 7])
@pytest.mark.parametrize("changes", [{}, {"FT": False}, {"FT": False, "unfrozen": "joint"},
                                     {"FT": False, "unfrozen": "joint", "weighting": "partition"}])  # fmt: skip
def test_what_passes_together_is_what_networks_in_train_mode_see(changes, most):
    learner = distilled(**changes).train()
    seen = []

    def note(network, given, _):
        if network.training and torch.is_grad_enabled():
            seen.append(len(given[0]))

    for network in (learner.model, *learner.teachers):
        network.register_forward_hook(note)
    gradient(learner, nn.Identity(), clips(), LABELS, ITEMS, most=most, cast=nullcontext(),
             scaler=torch.amp.GradScaler("cpu", enabled=False), group=Group())  # fmt: skip
    foreseen = [count for rows in together(len(ITEMS), most, 1) for count in learner.together(LABELS[rows])]
    assert sorted(seen) == sorted(count for count in foreseen if count)


def test_a_share_of_every_batch():
    batches = [[(0, v) for v in range(5)], [(1, 0), (1, 1)]]
    shares = [list(DistributedBatchSampler(batches, Group(rank, 3))) for rank in range(3)]
    assert shares[0] == [[(0, 0), (0, 3)], [(1, 0)]]
    assert shares[1] == [[(0, 1), (0, 4)], [(1, 1)]]
    assert shares[2] == [[(0, 2)], [(1, 0)]]  # it has none of the second; a loader needs one
    assert list(DistributedBatchSampler(batches, Group())) == batches
