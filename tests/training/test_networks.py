"""From settings and files to networks and objectives: seeds, heads, frozen backbones, checkpoints, classes."""

import json

import pytest
import torch

from dtkd.common.errors import DtkdError
from dtkd.models import backbones
from dtkd.training import networks
from dtkd.training.normalise import Normalise
from dtkd.training.objectives import CrossEntropy, Distillation
from dtkd.training.targets import Targets

CLASSES = ["Archery", "Bowling", "Diving", "Surfing"]  # in label order
SPLIT = {"classes": {"Surfing": {"subset": "static"}, "Diving": {"subset": "dynamic"},
                     "Archery": {"subset": "static"}, "Bowling": {"subset": "dynamic"}}}  # fmt: skip
HEAD = {"blocks.6.proj.weight", "blocks.6.proj.bias"}


def settings(**changes):
    return {"backbone": "slowfast_small", "weights": "none", "dropout": 0.5, "frozen": False, "seed": 0} | changes


def equal(a, b, names=None):
    a, b = a.state_dict(), b.state_dict()
    return all(torch.equal(a[name], b[name]) for name in names or a)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """A checkpoint as training writes it: the selected and the last epoch's weights differ."""
    path = tmp_path_factory.mktemp("run") / "checkpoint.pt"
    model, last = (networks.new_model(settings(seed=seed), 4, None).state_dict() for seed in (7, 8))
    torch.save({"model": model, "last": last, "epoch": 3, "classes": CLASSES}, path)
    return path, model, last


@pytest.mark.parametrize(("backbone", "classes", "published", "trained", "head", "gflops"), [
    ("slowfast_r101_16x8", 101, 53_774_808, 53_085_613, 232_805, 213),
    ("slowfast_r101_8x8", 51, 62_826_968, 62_022_523, 117_555, 126),
    ("slowfast_r50_8x8", 101, 34_566_488, 33_877_293, 232_805, 66),
])  # fmt: skip
def test_sizes_are_the_papers(backbone, classes, published, trained, head, gflops):
    """53.78 M, 62.83 M, 34.57 M with the head of Kinetics-400; frozen, 0.23 M and 0.12 M train (Section 4.2)."""
    frames = 64 if backbone.endswith("16x8") else 32
    given = settings(backbone=backbone, frozen=True, clip={"frames": frames, "rate": 2}, augment={"crop": 256})
    size = networks.size(given, classes, torch.device("cuda"))
    assert size["parameters_published_head"] == published
    assert size["parameters"] == trained
    assert size["trainable"] == head
    assert round(size["multiply_adds"] / 1e9) == gflops


def test_a_new_model_follows_its_seed_and_not_the_random_state():
    torch.manual_seed(1)
    first = networks.new_model(settings(), 4, None)
    torch.manual_seed(2)
    assert equal(first, networks.new_model(settings(), 4, None))
    assert not equal(first, networks.new_model(settings(seed=1), 4, None))


@pytest.mark.parametrize("classes", [4, 5])
def test_pretrained_weights_come_with_a_fresh_head(checkpoint, classes):
    """Also where the class counts coincide; and the head is the one that a run without weights starts with."""
    path, pretrained, _ = checkpoint
    model = networks.new_model(settings(), classes, path)
    state = model.state_dict()
    assert all(torch.equal(state[name], pretrained[name]) for name in state if name not in HEAD)
    assert equal(model, networks.new_model(settings(), classes, None), HEAD)
    assert state["blocks.6.proj.weight"].shape[0] == classes
    assert not torch.equal(state["blocks.6.proj.weight"][:4], pretrained["blocks.6.proj.weight"])


@pytest.mark.parametrize("start", [False, True])
def test_frozen_leaves_the_head_to_train(checkpoint, start):
    path = checkpoint[0] if start else None
    model = networks.new_model(settings(frozen=True), 4, path)
    assert {name for name, p in model.named_parameters() if p.requires_grad} == HEAD
    model.train()
    assert not any(module.training for block in model.blocks[:-1] for module in block.modules())
    assert backbones.head(model).training
    model = networks.new_model(settings(), 4, path)
    assert all(p.requires_grad for p in model.parameters())


def test_a_trained_model_is_its_checkpoints_selected_or_last_epoch(checkpoint):
    path, selected, last = checkpoint
    for part, expected in ((None, selected), ("model", selected), ("last", last)):
        model = networks.trained_model(settings(), 4, path, *([part] if part else []))
        assert all(torch.equal(value, expected[name]) for name, value in model.state_dict().items())


@pytest.mark.parametrize("classes", [3, 5])
def test_a_trained_model_of_other_classes_is_refused(checkpoint, classes):
    path = checkpoint[0]
    with pytest.raises(DtkdError, match=rf"checkpoint\.pt do not fit .* shape .*\(4, \d+\) for \({classes}, ") as said:
        networks.trained_model(settings(), classes, path)
    assert "\n" not in str(said.value)


def test_another_architecture_is_refused_in_one_line(tmp_path):
    path = tmp_path / "checkpoint.pt"
    other = backbones.build("slowfast_small", 4, width=8)
    torch.save({"model": other.state_dict()}, path)
    for load in (lambda: networks.trained_model(settings(), 4, path), lambda: networks.new_model(settings(), 4, path)):
        with pytest.raises(DtkdError, match=r"checkpoint\.pt do not fit the model: of another shape") as said:
            load()
        assert "\n" not in str(said.value)
        assert len(str(said.value)) < 1000


def test_a_checkpoint_without_the_part_is_refused(tmp_path):
    path = tmp_path / "checkpoint.pt"
    torch.save({"model": networks.new_model(settings(), 4, None).state_dict()}, path)
    with pytest.raises(DtkdError, match="holds no network's parameters"):
        networks.trained_model(settings(), 4, path, "last")


@pytest.mark.parametrize(
    ("subset", "names", "mask"),
    [("static", ["Archery", "Surfing"], [True, False, False, True]),
     ("dynamic", ["Bowling", "Diving"], [False, True, True, False])],
)  # fmt: skip
def test_a_subsets_classes_and_mask_follow_the_labels_order(subset, names, mask):
    own = settings(subset=subset)
    assert networks.own_classes(own, CLASSES, SPLIT) == names
    assert networks.allowed(own, CLASSES, SPLIT).tolist() == mask
    full = own | {"teacher_outputs": "full"}
    assert networks.own_classes(full, CLASSES, SPLIT) == names, "it sees its subset's videos"
    assert networks.allowed(full, CLASSES, SPLIT) is None, "and may predict any class"
    assert networks.subset_mask(SPLIT, CLASSES, subset).tolist() == mask
    assert networks.subset_mask(SPLIT, CLASSES[::-1], subset).tolist() == mask[::-1]


def test_a_run_without_a_subset_has_all_classes():
    assert networks.own_classes(settings(), CLASSES, None) is None
    assert networks.allowed(settings(), CLASSES, None) is None


def test_the_objective_of_each_role():
    assert isinstance(networks.objective(settings(), CLASSES, None, None), CrossEntropy)
    assert isinstance(networks.objective(settings(subset="static"), CLASSES, SPLIT, None), CrossEntropy)
    said = Targets(("static", "dynamic"), torch.zeros(2, 1, 1, 4))
    row = {"method": "dtkd", "LT": True, "FT": False, "S_alpha": 0.3, "KD_T": 2, "KD_alpha": 0.4}
    student = networks.objective(settings(student=row, teacher_outputs="full"), CLASSES, SPLIT, said)
    assert isinstance(student, Distillation)
    assert student.method.settings() == {"S_alpha": 0.3, "KD_T": 2, "KD_alpha": 0.4, "weighting": "gated"}
    assert student.groups.tolist() == [0, 1, 1, 0]
    assert student.targets.logits.isfinite().all()
    masked = networks.objective(settings(student=row), CLASSES, SPLIT, said)
    assert torch.equal(masked.targets.logits[0, 0, 0].isinf(), student.groups != 0)
    swapped = Targets(("dynamic", "static"), said.logits)
    with pytest.raises(
        DtkdError, match="targets are of the teachers dynamic, static, and the split's groups are static"
    ):
        networks.objective(settings(student=row), CLASSES, SPLIT, swapped)
    row = {"method": "kd", "KD_T": 2, "KD_alpha": 0.4}
    one = networks.objective(settings(student=row), CLASSES, None, Targets(("teacher",), said.logits[:1]))
    assert (one.method.name, one.groups) == ("kd", None)


def test_normaliser_reads_the_datasets_statistics(tmp_path):
    path = tmp_path / "pixels.json"
    path.write_text(json.dumps({"mean": [0.2, 0.4, 0.6], "std": [0.1, 0.2, 0.3]}))
    clip = torch.tensor([51, 102, 204], dtype=torch.uint8).view(1, 3, 1, 1, 1).expand(2, 3, 4, 5, 5)
    normalise = networks.normaliser({}, path)
    assert isinstance(normalise, Normalise)
    expected = torch.tensor([0, 0, 2 / 3]).view(1, 3, 1, 1, 1).expand(2, 3, 4, 5, 5)
    torch.testing.assert_close(normalise(clip), expected, atol=1e-6, rtol=0)
