"""Every network by the same tests: it builds, freezes to its head, trains, keeps its weights, and is counted."""

import subprocess
import sys

import pytest
import torch
from torch import nn
from torchvision.models import video

from dtkd import models
from dtkd.common.errors import DtkdError
from dtkd.config import Train
from dtkd.models import backbones
from dtkd.training.optimisation import OPTIMISERS

torch.set_num_threads(1)

SMALL = [name for name in models.names() if not name.startswith("slowfast_r")]  # what a core computes in a second
CROP = 32


def frames_of(name):
    return max(4, models.entry(name).input.smallest)


def clip_of(name, N=2, device=None):
    if models.entry(name).input.features:
        return torch.rand(N, 256, frames_of(name), device=device)
    return torch.rand(N, 3, frames_of(name), CROP, CROP, device=device)


def on_meta(name, num_classes=7):
    with torch.device("meta"):
        return models.build(name, num_classes)


@pytest.mark.parametrize("name", models.names())
def test_clips_give_logits(name):
    """By shapes alone, in both modes, of its smallest clip and of a longer one."""
    model, takes = on_meta(name), models.entry(name).input
    for frames in (takes.smallest, 8 * takes.multiple):
        clip = backbones.example(model, 2, frames, 64)
        for mode in (True, False):
            assert model.train(mode)(clip).shape == (2, 7)


@pytest.mark.parametrize("name", models.names())
def test_the_head_is_what_trains_when_the_backbone_is_frozen(name):
    model = on_meta(name)
    every, trainable = backbones.parameter_counts(model)
    assert every == trainable == sum(p.numel() for p in model.parameters())
    own = {id(p) for p in backbones.head(model).parameters()}
    assert {id(p) for p in backbones.projection(model).parameters()} <= own
    backbones.freeze_backbone(model)
    assert {id(p) for p in model.parameters() if p.requires_grad} == own
    assert backbones.parameter_counts(model) == (every, sum(p.numel() for p in backbones.head(model).parameters()))
    in_head = set(backbones.head(model).modules())
    for _ in range(2):
        assert {module for module in model.train().modules() if module.training} >= in_head
        layers = [module for module in model.modules() if not list(module.children()) and module not in in_head]
        assert layers
        assert not any(module.training for module in layers)


@pytest.mark.parametrize("name", models.names())
def test_classes_change_the_projection_alone(name):
    """As tables and plans count on."""
    seven, nine = on_meta(name, 7), on_meta(name, 9)
    shapes, others = ({key: value.shape for key, value in model.state_dict().items()} for model in (seven, nine))
    projection = models.entry(name).head.projection
    assert {key for key in shapes if shapes[key] != others[key]} == {f"{projection}.weight", f"{projection}.bias"}
    width = backbones.projection(seven).in_features
    frames = frames_of(name)
    assert backbones.parameter_counts(nine)[0] - backbones.parameter_counts(seven)[0] == 2 * (width + 1)
    assert backbones.flops(nine, frames, CROP) - backbones.flops(seven, frames, CROP) == 2 * width


@pytest.mark.parametrize("name", SMALL)
def test_a_step_trains_it_and_its_weights_load_again(name):
    torch.manual_seed(0)
    model, clip, labels = models.build(name, 3, 0.0), clip_of(name), torch.tensor([0, 2])
    before = {key: value.clone() for key, value in model.state_dict().items()}
    optimiser = OPTIMISERS["adamw"](backbones.parameter_groups(model), Train(epochs=1, batch_size=2, lr=1e-3))
    losses = []
    for _ in range(2):
        optimiser.zero_grad()
        loss = nn.functional.cross_entropy(model.train()(clip), labels)
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[1] < losses[0]
    assert all(not torch.equal(p, before[key]) for key, p in model.named_parameters() if p.grad is not None)
    other = models.build(name, 3)
    assert backbones.load_weights(other, model.state_dict(), new_head=False) == []
    with torch.no_grad():
        assert torch.equal(other.eval()(clip), model.eval()(clip))
        assert not torch.allclose(model(clip).sum(1), torch.ones(2), atol=1e-3), "logits, no softmax"
        alone = model(clip[:1])
    torch.testing.assert_close(alone, model(clip)[:1].detach(), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", SMALL)
def test_dropout_is_the_heads_and_logits_are_float32(name):
    torch.manual_seed(0)
    frozen, clip = backbones.freeze_backbone(models.build(name, 3, 0.9)), clip_of(name)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        for module in backbones.head(frozen).modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm):  # X3D's has one, which is not what is looked at
                module.eval()
        assert frozen(clip).dtype == torch.float32
        assert not torch.equal(frozen(clip), frozen(clip))
        frozen.eval()
        assert torch.equal(frozen(clip), frozen(clip))


@pytest.mark.parametrize(("name", "weights", "millions", "gflops"), [
    ("r3d_18", video.R3D_18_Weights.DEFAULT, 33.37, 40.70),
    ("r2plus1d_18", video.R2Plus1D_18_Weights.DEFAULT, 31.51, 40.52),
    ("swin3d_t", video.Swin3D_T_Weights.DEFAULT, 28.16, None),  # torchvision counts half of its published clip
    ("x3d_s", None, 3.79, 2.72),
])  # fmt: skip
def test_sizes_and_weights_are_the_published_ones(name, weights, millions, gflops):
    """Parameters with 400 classes, and multiply-adds of the published clip; X3D's are its paper's."""
    entry, model = models.entry(name), on_meta(name, 400)
    assert backbones.parameter_counts(model)[0] / 1e6 == pytest.approx(millions, abs=0.005)
    if gflops:
        assert backbones.flops(model, entry.input.frames, entry.input.crop) / 1e9 == pytest.approx(gflops, abs=0.01)
    if weights:
        prepare = weights.transforms()
        assert entry.kinetics400.url == weights.url
        assert weights.url.endswith(f"-{entry.kinetics400.sha256}.pth")
        assert (list(entry.input.mean), list(entry.input.std)) == (prepare.mean, prepare.std)
        assert prepare.crop_size == [entry.input.crop] * 2
        with torch.device("meta"):
            state = getattr(video, name)().state_dict()
        assert {key: value.shape for key, value in model.state_dict().items()} == {k: v.shape for k, v in state.items()}


def test_swins_norms_have_no_weight_decay():
    model = on_meta("swin3d_t")
    usual, free = backbones.parameter_groups(model)
    assert free["weight_decay"] == 0.0
    assert sum(p.numel() for group in (usual, free) for p in group["params"]) == backbones.parameter_counts(model)[0]
    assert {p.dim() for p in usual["params"]} >= {2, 5}
    backbones.freeze_backbone(model)
    usual, free = backbones.parameter_groups(model)
    assert [len(group["params"]) for group in (usual, free)] == [1, 1], "of the projection, weight and bias"


def test_others_have_one_group():
    model = backbones.freeze_backbone(on_meta("slowfast_tiny"))
    assert [id(p) for p in backbones.parameter_groups(model)] == [id(p) for p in backbones.head(model).parameters()]


@pytest.mark.parametrize(
    ("name", "fewest"), [("slowfast_tiny", 12), ("slowfast_r50_8x8", 12), ("r3d_18", 17), ("x3d_s", 5)]
)
def test_frames_at_which_no_convolution_is_longer_than_what_it_sees(name, fewest):
    assert backbones.frames_for_convolutions(on_meta(name), 64) == fewest


def test_frames_at_which_a_clip_can_pass_alone():
    assert backbones.frames_for_batch_norms(on_meta("slowfast_tiny"), 4, 32) == 8
    assert backbones.frames_for_batch_norms(on_meta("r3d_18"), 4, 16) == 16, "a quarter and an eighth are too few"


@pytest.mark.parametrize(("takes", "frames", "nearest", "said"), [
    (models.Input(multiple=4, least=4), 6, [4, 8], "multiples of 4"),
    (models.Input(multiple=4), 1, [4], "multiples of 4"),
    (models.Input(least=5), 3, [5], "5 or more"),
    (models.Input(multiple=4, least=9), 10, [12], "multiples of 4 from 12 on"),
    (models.Input(multiple=2), 7, [6, 8], "multiples of 2"),
])  # fmt: skip
def test_the_frames_that_a_network_takes(takes, frames, nearest, said):
    assert not takes.takes(frames)
    assert takes.nearest(frames) == nearest
    assert all(map(takes.takes, nearest))
    assert str(takes) == said


def test_names_and_entries_need_no_torch():
    code = "import sys; from dtkd import config, models; models.entry('x3d_s'); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_network_of_ones_own(monkeypatch):
    monkeypatch.setattr(models.NETWORKS, "_entries", dict(models.NETWORKS._entries))

    def flat(num_classes, dropout, *, width=4):
        layers = nn.Conv3d(3, width, 1), nn.AdaptiveAvgPool3d(1), nn.Flatten(), nn.Linear(width, num_classes)
        return nn.Sequential(*layers)

    models.register("flat", models.Network(flat, models.Head("3", "3"), models.Input(prepare=lambda clip: clip * 2)))
    model = models.build("flat", 3, width=6)
    clip = torch.rand(2, 3, 4, 8, 8)
    with torch.no_grad():
        expected = model[3](model[2](model[1](model[0](clip * 2))))
    assert torch.equal(model(clip), expected)
    with pytest.raises(DtkdError, match="backbone 'flat' is registered already: choose another name"):
        models.register("flat", models.entry("flat"))
    models.register("headless", models.Network(flat, models.Head("3", "3.proj")))
    with pytest.raises(DtkdError, match=r"backbone headless: its entry names a head that it does not have: .*proj"):
        models.build("headless", 3)
