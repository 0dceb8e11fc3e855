"""A classifier: what it may predict, what it learns, what of it is saved."""

import torch
from torch.nn import functional as F

from dtkd.models import backbones
from dtkd.training.classifier import Classifier

ALLOWED = torch.tensor([True, False, True, False, False])
LABELS = torch.tensor([0, 2, 2, 0, 0])


def network(seed, classes=5):
    torch.manual_seed(seed)
    return backbones.build("slowfast_small", classes, 0.5, width=8)


def clips(N=5):
    return torch.randn(N, 3, 8, 32, 32, generator=torch.Generator().manual_seed(1))


def test_a_plain_classifiers_logits_are_its_networks():
    learner = Classifier(network(0)).eval()
    assert torch.equal(learner(clips()), learner.model(clips()))


def test_a_masked_classifier_answers_and_learns_within_its_subset_only():
    learner = Classifier(network(0), ALLOWED).eval()
    backbones.projection(learner.model).bias.data[~ALLOWED] = 100.0  # would win everywhere
    logits = learner(clips())
    assert (logits[:, ~ALLOWED] == -torch.inf).all()
    torch.testing.assert_close(logits[:, ALLOWED], learner.model(clips())[:, ALLOWED])
    loss = F.cross_entropy(logits, LABELS)
    torch.testing.assert_close(loss, F.cross_entropy(learner.model(clips())[:, ALLOWED], LABELS // 2))
    loss.backward()
    proj = backbones.projection(learner.model)
    for grad in (proj.weight.grad, proj.bias.grad):
        assert (grad[~ALLOWED] == 0).all()
        assert (grad[ALLOWED] != 0).any()
        assert grad.isfinite().all()


def test_what_a_masked_classifier_saves_is_its_network_alone():
    """The mask is the split's, not the checkpoint's."""
    assert set(Classifier(network(0), ALLOWED).state_dict()) == {f"model.{name}" for name in network(0).state_dict()}


def test_a_frozen_backbone_keeps_its_batch_norm_statistics():
    learner = Classifier(backbones.freeze_backbone(network(0)), ALLOWED)
    before = {name: value.clone() for name, value in learner.model.state_dict().items()}
    optimiser = torch.optim.SGD([p for p in learner.parameters() if p.requires_grad], 0.1)
    learner.train()
    F.cross_entropy(learner(clips()), LABELS).backward()
    optimiser.step()
    changed = {name for name, value in learner.model.state_dict().items() if not torch.equal(value, before[name])}
    assert changed == {"blocks.6.proj.weight", "blocks.6.proj.bias"}
