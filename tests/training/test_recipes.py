"""What recipes besides the paper's do to a training: numbers, and that an interrupted run ends as a whole one."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pytest
import test_loop as loops
import torch
from torch.nn import functional as F
from torch.optim.swa_utils import AveragedModel

from dtkd.config import Train
from dtkd.config.training import RandAugment
from dtkd.distillation import equations, methods
from dtkd.distillation.methods import Labels
from dtkd.models import backbones
from dtkd.training import changes, optimisation, sampling, targets
from dtkd.training.labels import labels_of
from dtkd.training.objectives import CrossEntropy, Distillation
from dtkd.training.parallel import Group

RECIPES = {
    "label smoothing": {"label_smoothing": 0.1},
    "class weights": {"class_balance": "weights"},
    "class sampling": {"class_balance": "sampling"},
    "mixup": {"mixup": 0.5},
    "mixup or cutmix": {"mixup": 0.5, "cutmix": 1.0},
    "rand_augment": {"rand_augment": {"operations": 3, "magnitude": 15}},
    "clip_grad_norm": {"clip_grad_norm": 0.01},
    "ema": {"ema": 0.5},
    "step": {"schedule": "step", "milestones": [1, 2], "gamma": 0.5},
    "layer_decay": {"layer_decay": 0.5},
}


def train(toy, folder, objective=None, **recipe):
    """Two epochs, taking labels as the recipe says."""
    settings = Train(epochs=2, batch_size=4, lr=0.02, **recipe)
    how = labels_of(settings, loops.first(toy[0], 7).labels, 4)
    return loops.train(toy, folder, objective=objective or CrossEntropy(how), epochs=2, **recipe)


@pytest.fixture(scope="module")
def plain(toy, tmp_path_factory):
    return train(toy, tmp_path_factory.mktemp("plain"))


@pytest.mark.parametrize("name", RECIPES)
def test_each_changes_the_result_and_resumes_bit_for_bit(toy, tmp_path, plain, name):
    recipe = RECIPES[name]
    whole = train(toy, tmp_path / "whole", **recipe)
    assert loops.differ(whole[0]["last"], plain[0]["last"])
    how = labels_of(Train(epochs=2, batch_size=4, lr=1, **recipe), loops.first(toy[0], 7).labels, 4)
    with pytest.raises(KeyboardInterrupt):
        train(toy, tmp_path / "again", loops.interrupt_after(3, CrossEntropy(how)), **recipe)
    torch.manual_seed(99)
    again = train(toy, tmp_path / "again", **recipe)
    loops.assert_same((*whole[:2], torch.nn.Module()), (*again[:2], torch.nn.Module()))


# Labels


def logits(N=6, C=4):
    return 2 * torch.randn(N, C, generator=torch.Generator().manual_seed(2), dtype=torch.float64)


LABELS = torch.tensor([0, 1, 1, 2, 3, 3])


def test_label_smoothing_is_torchs():
    found = equations.student_loss(logits(), LABELS, 0.1)
    torch.testing.assert_close(found, F.cross_entropy(logits(), LABELS, label_smoothing=0.1))


def test_a_masked_teacher_spreads_labels_over_its_own_classes():
    own = torch.tensor([True, True, False, False])
    z, labels = logits().masked_fill(~own, -torch.inf).requires_grad_(), torch.tensor([0, 1, 1, 0, 0, 1])
    found = equations.student_loss(z, labels, 0.1)
    torch.testing.assert_close(found, F.cross_entropy(z[:, :2], labels, label_smoothing=0.1))
    found.backward()
    assert z.grad.isfinite().all()
    assert equations.student_loss(z, LABELS, 0.1).isinf()


def test_shares_of_a_mixture():
    shares = 0.3 * F.one_hot(LABELS, 4) + 0.7 * F.one_hot(LABELS.roll(1), 4).double()
    expected = 0.3 * F.cross_entropy(logits(), LABELS) + 0.7 * F.cross_entropy(logits(), LABELS.roll(1))
    torch.testing.assert_close(equations.student_loss(logits(), shares), expected)


def test_class_weights():
    """Six videos of four classes: those of a class with two count half."""
    how = labels_of(Train(epochs=1, batch_size=1, lr=1, class_balance="weights"), LABELS.tolist(), 5)
    torch.testing.assert_close(how.class_weights, torch.tensor([1.5, 0.75, 1.5, 0.75, 0.0]))
    weights = how.class_weights[:4]
    losses = F.cross_entropy(logits(), LABELS, reduction="none")
    expected = (losses * weights[LABELS]).mean()
    torch.testing.assert_close(equations.student_loss(logits(), LABELS, 0.0, weights), expected)
    parts = [equations.student_loss(logits()[rows], LABELS[rows], 0.0, weights) for rows in ([0, 1, 2], [3, 4, 5])]
    torch.testing.assert_close(sum(parts) / 2, expected, msg="micro-batches have the gradient of the whole")


@pytest.mark.parametrize("name", ["dtkd", "dkd", "dist"])
def test_a_students_labels_are_smoothed_beside_its_distillation(name):
    z, groups = logits().float(), torch.tensor([0, 1, 0, 1])
    kind = methods.METHODS[name]
    said = torch.randn(1 + (kind.teachers == "specialists"), 1, 6, 4, generator=torch.Generator().manual_seed(1))
    names = ("static", "dynamic") if len(said) == 2 else ("teacher",)
    settings = {key: 0.5 for key, field in kind.model_fields.items() if field.is_required()}
    items, found = [(0, v) for v in range(6)], []
    for how in (Labels(), Labels(0.1)):
        objective = Distillation(
            kind(**settings), targets.Targets(names, said), groups if len(said) == 2 else None, how
        )
        found.append(objective.loss(z, LABELS, objective.target(items, LABELS), torch.arange(6)).scalars)
    assert found[0]["L_KD"] == found[1]["L_KD"]
    torch.testing.assert_close(found[1]["L_CE"], F.cross_entropy(z, LABELS, label_smoothing=0.1))
    share = 0.5 if "KD_alpha" in kind.model_fields else 1.0
    torch.testing.assert_close(found[1]["L_total"] - found[0]["L_total"], share * (found[1]["L_CE"] - found[0]["L_CE"]))


# Clips


def test_sampling_draws_classes_alike():
    videos = loops.Videos(tuple(map(str, range(100))), (), (0,) * 90 + (1,) * 10)
    settings = Train(epochs=1, batch_size=10, lr=1, class_balance="sampling")
    batches = sampling.EpochBatches.of(videos, settings, 0)
    drawn = Counter()
    for batches.epoch in range(10):
        items = [item for batch in batches for item in batch]
        assert len(items) == 100
        assert {clip for clip, _ in items} == {batches.epoch}
        drawn.update(videos.labels[video] for _, video in items)
    assert 450 < drawn[0] < 550
    usual = sampling.EpochBatches.of(videos, Train(epochs=1, batch_size=10, lr=1), 0)
    assert list(usual) == list(sampling.EpochBatches(0, 100, 1, 10))


def test_rand_augment_changes_all_frames_alike_and_is_drawn_with_the_clip(toy):
    settings = RandAugment(operations=2, magnitude=20)
    change = changes.ClipRandAugment(settings, (1, 2, 3))
    still = torch.randint(256, (3, 1, 32, 32), dtype=torch.uint8).expand(-1, 6, -1, -1)
    seen = []
    for seed in range(20):
        changed = change(still, torch.Generator().manual_seed(seed))
        assert (changed.dtype, changed.shape) == (torch.uint8, still.shape)
        assert torch.equal(changed, changed[:, :1].expand_as(changed))
        state = torch.get_rng_state()
        assert torch.equal(change(still, torch.Generator().manual_seed(seed)), changed)
        assert torch.equal(torch.get_rng_state(), state), "nothing is drawn from torch's global state"
        seen.append(changed)
    assert sum(not torch.equal(changed, still) for changed in seen) > 15
    clips = sampling.TrainingClips(toy[0], loops.CLIP, loops.AUGMENT, 0, changes=settings)
    assert torch.equal(clips[3, 5][0], clips[3, 5][0])
    assert not torch.equal(clips[3, 5][0], sampling.TrainingClips(toy[0], loops.CLIP, loops.AUGMENT, 0)[3, 5][0])


@pytest.mark.parametrize("rand_augment", [None, {"magnitude": 20}])
def test_teachers_are_asked_about_the_clips_that_students_see(toy, tmp_path, rand_augment):
    """A frozen teacher that says what the sum of a clip is."""

    class Sum(torch.nn.Module):
        def forward(self, clips):
            return clips.flatten(1).sum(1, keepdim=True).expand(-1, 4)

    videos = loops.first(toy[0], 7)
    settings = Train(epochs=1, batch_size=4, lr=0.02, rand_augment=rand_augment)
    options = {"clip": loops.CLIP, "augment": loops.AUGMENT, "settings": settings, "seed": 0, "hardware": loops.CPU}
    said = targets.frozen({"teacher": Sum()}, loops.normalise(), videos, **options).logits[0, 0, :, 0]
    learner, seen = loops.classifier(), []
    learner.register_forward_pre_hook(lambda module, args: seen.append(args[0]) if module.training else None)
    loops.train(toy, tmp_path, learner, epochs=1, rand_augment=rand_augment)
    found = torch.cat([clips.flatten(1).sum(1) for clips in seen])
    assert sorted(found.tolist()) == pytest.approx(sorted(said.tolist()), rel=1e-4)


@pytest.mark.parametrize(("mixup", "cutmix"), [(0.5, 0), (0, 1.0), (0.5, 1.0)])
def test_mixtures_are_of_clips_and_labels_alike(mixup, cutmix):
    mixing = changes.Mixing(Train(epochs=1, batch_size=1, lr=1, mixup=mixup, cutmix=cutmix), 4)
    clips = torch.tensor([0, 100, 200], dtype=torch.uint8)[:, None, None, None, None].expand(-1, 3, 4, 32, 32)
    labels = torch.tensor([0, 1, 3])
    state = torch.get_rng_state()
    for seed in range(5):
        mixed, shares = mixing(clips, labels, seed)
        again, _ = mixing(clips, labels, seed)
        assert torch.equal(mixed, again)
        torch.testing.assert_close(shares.sum(1), torch.ones(3))
        torch.testing.assert_close(mixed.mean((1, 2, 3, 4)), shares @ torch.tensor([0.0, 100, 0, 200]))
        assert torch.equal(mixed, mixed[:, :, :1].expand_as(mixed)), "all frames alike"
    assert torch.equal(torch.get_rng_state(), state)


def test_mixed_clips_train_with_mixed_labels(toy, tmp_path):
    objective = CrossEntropy()
    seen, loss = [], objective.loss
    objective.loss = lambda said, labels, *rest: seen.append(labels) or loss(said, labels, *rest)
    loops.train(toy, tmp_path, objective=objective, epochs=1, mixup=1.0, micro_batch=2)
    for labels in seen:
        assert labels.shape[1] == 4
        torch.testing.assert_close(labels.sum(1), torch.ones(len(labels)))
    assert any(0.01 < value < 0.99 for labels in seen for value in labels.flatten().tolist())


# Steps


def linear(**settings):
    network = torch.nn.Linear(2, 1, bias=False)
    torch.nn.init.zeros_(network.weight)
    settings = Train(**({"epochs": 1, "batch_size": 1, "lr": 1.0, "momentum": 0.0} | settings))
    return network, optimisation.Optimiser(network, settings, torch.device("cpu"))


@pytest.mark.parametrize(("most", "moved"), [(None, [-3, -4]), (1.0, [-0.6, -0.8]), (10.0, [-3, -4])])
def test_gradients_are_clipped_by_their_norm(most, moved):
    network, optimiser = linear(clip_grad_norm=most)
    optimiser.backward(network(torch.tensor([[3.0, 4.0]])).sum())
    optimiser.step()
    torch.testing.assert_close(network.weight.data, torch.tensor([moved], dtype=torch.float32), atol=1e-5, rtol=1e-5)


def test_a_rate_that_falls_in_steps():
    settings = Train(epochs=9, batch_size=1, lr=0.8, schedule="step", milestones=[2, 5.5], gamma=0.5, warmup_epochs=1)
    rates = [optimisation.learning_rate(settings, at) for at in (0.5, 1, 1.99, 2, 5.4, 5.5, 8)]
    assert rates == pytest.approx([0.8 * 0.55, 0.8, 0.8, 0.4, 0.4, 0.2, 0.2])


def test_the_average_is_tested_and_kept(toy, tmp_path, monkeypatch):
    states, update = [], AveragedModel.update_parameters

    def noted(self, model):
        states.append(model.model.state_dict()["blocks.0.multipathway_blocks.0.conv.weight"].clone())
        update(self, model)

    monkeypatch.setattr(AveragedModel, "update_parameters", noted)
    checkpoint, _, learner = loops.train(toy, tmp_path, epochs=2, ema=0.75, selection="last")
    assert len(states) == 4, "once a step"
    average = states[0]
    for state in states[1:]:
        average = 0.75 * average + 0.25 * state
    name = "blocks.0.multipathway_blocks.0.conv.weight"
    torch.testing.assert_close(checkpoint["last"][name], average)
    assert not torch.equal(checkpoint["last"][name], learner.model.state_dict()[name])
    kept = backbones.build("slowfast_small", 4, width=8)
    kept.load_state_dict(checkpoint["last"])
    tests = sampling.TestClips(loops.first(toy[1], 4), loops.CLIP, loops.AUGMENT)
    said, _ = loops.evaluation.predict(loops.Classifier(kept), loops.normalise(), tests,
                                       Train(epochs=1, batch_size=4, lr=1), loops.CPU)  # fmt: skip
    assert np.allclose(said, np.stack(checkpoint["predictions"]["logits_last"]), atol=1e-5)


def test_layers_further_from_the_head_learn_less():
    model = loops.classifier()
    found = optimisation.Optimiser(model, Train(epochs=1, batch_size=1, lr=0.4, layer_decay=0.5), torch.device("cpu"))
    found.set_progress(0)
    rates = {id(parameter): group["lr"] for group in found.optimiser.param_groups for parameter in group["params"]}
    by_name = {name: rates[id(parameter)] for name, parameter in model.named_parameters()}
    assert len(by_name) == len(rates), "each parameter is in one group"
    block = {name: int(name.split(".")[2]) for name in by_name}
    order = sorted(set(block.values()))
    for name, rate in by_name.items():
        assert rate == pytest.approx(0.4 * 0.5 ** (len(order) - 1 - order.index(block[name])))
    assert len(order) > 3
    assert found.rate == 0.4


def test_groups_of_a_network_are_kept_within_layers():
    model = backbones.build("swin3d_t", 3)
    groups = backbones.parameter_groups(model, 0.5)
    assert sum(len(group["params"]) for group in groups) == len(list(model.parameters()))
    free = {id(parameter) for group in groups if group.get("weight_decay") == 0 for parameter in group["params"]}
    assert free == {id(p) for p in backbones.parameter_groups(model)[1]["params"]}
    scale = {id(parameter): group["lr_scale"] for group in groups for parameter in group["params"]}
    assert scale[id(backbones.projection(model).weight)] == 1
    assert scale[id(next(model.patch_embed.parameters()))] == min(scale.values())


@dataclass(frozen=True)
class Second(Group):
    """The second of three processes, by word alone."""

    rank: int = 1
    size: int = 3

    def wrap(self, network, device):
        return network

    def mean(self, sums, count):
        return sums / count


def test_a_process_mixes_its_own_share(toy):
    """Of a batch of four it has the second clip, and the first once more as a filler."""
    settings = Train(epochs=1, batch_size=4, lr=0.02, mixup=1.0)
    objective = CrossEntropy()
    seen, loss = [], objective.loss
    objective.loss = lambda *given: seen.append(given) or loss(*given)
    videos = loops.first(toy[0], 4)
    run = loops.loop.build(loops.classifier(), objective, loops.normalise(), videos, loops.CLIP, loops.AUGMENT,
                           settings, 0, loops.CPU, "run", Second())  # fmt: skip
    items = [(0, video) for video in (3, 1, 0, 2)]
    loops.loop.train_step(run, torch.zeros(2, 3, 8, 32, 32, dtype=torch.uint8), items)
    ((_, labels, _, rows),) = seen
    assert rows.tolist() == [1]
    first, second = videos.labels[3], videos.labels[1]
    assert labels[1].sum() == pytest.approx(1)
    assert labels[1][[first, second]].sum() == pytest.approx(1)
    assert 0 < labels[1][first] < 1
    assert not labels[[0, 2, 3]].any(), "of the others' samples it needs no labels"
