"""Every network by the same tests: it builds, freezes to its head, trains, keeps its weights, and is counted."""

import copy
import re
import subprocess
import sys
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec

import pytest
import torch
from imports import PROJECT
from torch import nn
from torchvision.models import video

from dtkd import models
from dtkd.common.errors import DtkdError
from dtkd.config import Train
from dtkd.models import backbones, reference
from dtkd.training.optimisation import OPTIMISERS

torch.set_num_threads(1)

TRANSFORMERS = pytest.mark.skipif(find_spec("transformers") is None, reason="needs pip install '.[transformers]'")
IMAGES = ["tsn-test_vit", "tsn-test_convnext", "tsn-test_efficientnet", "tsm-resnet10t", "tsm-mobilenetv3_small_050"]
EVERY = [
    pytest.param(name, marks=TRANSFORMERS if models.entry(name).needs else ()) for name in [*models.names(), *IMAGES]
]
SMALL = ["slowfast_small", "slowfast_tiny", "x3d_xs", *IMAGES]  # what a core computes in no time
HEADS = [  # one for each kind of head
    each for each in EVERY
    if each.values[0] in [*SMALL, "r3d_18", "s3d", "slow_r50", "mvit_v1_b", "mvit_base_16x4", "swin3d_t", "vivit_base"]
]  # fmt: skip
CROP = 32
PAGE = (PROJECT / "docs" / "reference" / reference.PAGE).read_text(encoding="utf-8")


def frames_of(name):
    return max(4, models.entry(name).input.smallest)


def crop_of(name):
    takes = models.entry(name).input
    return takes.crop if takes.one_crop else CROP


def clip_of(name, N=2, device=None):
    if models.entry(name).input.features:
        return torch.rand(N, 256, frames_of(name), device=device)
    return torch.rand(N, 3, frames_of(name), crop_of(name), crop_of(name), device=device)


@contextmanager
def quick_start(low=-0.05, high=0.05):
    """Parameters of any values: careful ones take longer than all else."""

    def filled(tensor, *args, **options):
        with torch.no_grad():
            return tensor.uniform_(low, high)

    with pytest.MonkeyPatch.context() as patch:
        for how in ("kaiming_normal_", "kaiming_uniform_", "trunc_normal_", "normal_"):
            patch.setattr(nn.init, how, filled)
        yield


@cache
def on_meta(name, num_classes=400):
    """Shapes alone; a test that changes something of it copies it."""
    with torch.device("meta"), quick_start():
        return models.build(name, num_classes)


def built(name, dropout=0.0):
    """With 3 classes; of transformers, one layer."""
    return models.build(name, 3, dropout, **({"layers": 1} if models.entry(name).needs else {}))


@pytest.mark.parametrize("name", EVERY)
def test_clips_give_logits(name):
    """By shapes alone, of its smallest clip and of its published one, and in train mode."""
    model, takes = copy.copy(on_meta(name)), models.entry(name).input
    for frames, crop in ((takes.smallest, crop_of(name)), (takes.frames or 8, takes.crop or 64)):
        assert takes.takes(frames)
        assert model.eval()(backbones.example(model, 1, frames, crop)).shape == (1, 400)
    assert model.train()(clip_of(name, device="meta")).shape == (2, 400)


@pytest.mark.parametrize("name", EVERY)
def test_the_head_is_what_trains_when_the_backbone_is_frozen(name):
    model = copy.deepcopy(on_meta(name))
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


@pytest.mark.parametrize("name", EVERY)
def test_a_linear_head_has_parameters_in_its_projection_alone(name):
    model = on_meta(name)
    own, projection = ({id(p) for p in part(model).parameters()} for part in (backbones.head, backbones.projection))
    assert models.entry(name).head.linear == (own == projection)


@pytest.mark.parametrize("name", HEADS)
def test_a_network_with_a_linear_head_is_its_features_and_its_projection(name):
    if not models.entry(name).head.linear:
        return
    with quick_start():
        model = built(name, dropout=0.9).eval()
    pooled, state = backbones.PooledFeatures(model), list(model.state_dict())
    with torch.no_grad():
        backbones.projection(model).bias.zero_()
        wanted = model(clip_of(name))
        unit, features = wanted.abs().max(), pooled.take()
        assert features.shape == backbones.example(backbones.on_features(model), 2, 8, 32).shape
        torch.testing.assert_close(model(features) / unit, wanted / unit, rtol=1e-4, atol=1e-4)
        assert ((model.train()(features) - wanted) / unit).abs().max() > 0.1, "dropout is of features"
    assert list(model.state_dict()) == state


@pytest.mark.parametrize("name", HEADS)
def test_classes_change_the_projection_alone(name):
    """As tables and plans count on."""
    many, nine = on_meta(name), on_meta(name, 9)
    shapes, others = ({key: value.shape for key, value in model.state_dict().items()} for model in (many, nine))
    projection = models.entry(name).head.projection
    assert {key for key in shapes if shapes[key] != others[key]} == {f"{projection}.weight", f"{projection}.bias"}
    width = backbones.projection(many).in_features
    frames, crop = frames_of(name), crop_of(name)
    assert backbones.parameter_counts(many)[0] - backbones.parameter_counts(nine)[0] == 391 * (width + 1)
    assert backbones.flops(many, frames, crop) - backbones.flops(nine, frames, crop) == 391 * width


@pytest.mark.parametrize("name", models.names())
def test_computed_it_counts_as_many_operations_as_followed_by_shapes(name):
    model = built(name)
    followed = backbones.flops(model, frames_of(name), CROP)
    assert backbones.flops(model, frames_of(name), CROP, "cpu") == followed > 0


@pytest.mark.parametrize("name", SMALL)
def test_steps_train_it(name):
    torch.manual_seed(0)
    model, clip, labels = built(name), clip_of(name), torch.tensor([0, 2])
    optimiser = OPTIMISERS["adamw"](backbones.parameter_groups(model), Train(epochs=1, batch_size=2, lr=1e-3))
    losses = []
    for _ in range(3):
        optimiser.zero_grad()
        loss = nn.functional.cross_entropy(model.train()(clip), labels)
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("name", EVERY)
def test_a_step_moves_it_and_its_weights_load_again(name):
    torch.manual_seed(0)
    with quick_start():
        model, clip = built(name).train(), clip_of(name)
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            nn.init.ones_(module.weight)  # a new residual block ends with a zero: let all layers matter
    nn.functional.cross_entropy(model(clip), torch.tensor([0, 2])).backward()
    moved = [p for p in model.parameters() if p.grad is not None and p.grad.any()]
    assert len(moved) > 0.8 * len(list(model.parameters()))
    assert {id(p) for p in backbones.projection(model).parameters()} <= set(map(id, moved))
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    torch.optim.SGD(model.parameters(), lr=1e-2).step()
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            nn.init.constant_(module.weight, 0.1)  # so that nothing explodes with the statistics of one step
    state = {key: value.clone() for key, value in model.state_dict().items()}
    with torch.no_grad():
        logits = model.eval()(clip)
        assert logits.isfinite().all()
        assert not torch.allclose(logits.sum(1), torch.ones(2), atol=1e-3), "logits, no softmax"
        for p in model.parameters():
            p.zero_()
        assert backbones.load_weights(model, state, new_head=False) == []
        torch.testing.assert_close(model(clip[:1]), logits[:1], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", HEADS)
def test_dropout_is_the_heads_and_logits_are_float32(name):
    torch.manual_seed(0)
    with quick_start():
        frozen, clip = backbones.freeze_backbone(built(name, 0.9)), clip_of(name)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        for module in backbones.head(frozen).modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm):  # X3D's has one, which is not what is looked at
                module.eval()
        assert frozen(clip).dtype == torch.float32
        assert not torch.equal(frozen(clip), frozen(clip))
        frozen.eval()
        assert torch.equal(frozen(clip), frozen(clip))


@pytest.mark.parametrize("name", EVERY)
def test_layers_go_from_the_input_to_the_head(name):
    """As `train.layer_decay` counts them."""
    model = on_meta(name)
    number = backbones.layers(model)
    names = {id(p): key for key, p in model.named_parameters()}
    assert set(number) == set(names)
    assert number[next(iter(names))] == 0
    assert {number[id(p)] for p in backbones.projection(model).parameters()} == {max(number.values())}
    assert sorted(set(number.values())) == list(range(max(number.values()) + 1))
    assert max(number.values()) >= 4 or models.entry(name).input.features
    groups = backbones.parameter_groups(model, 0.5)
    assert sum(p.numel() for group in groups for p in group["params"]) == backbones.parameter_counts(model)[0]


@pytest.mark.parametrize(("name", "expected"), [
    ("videomae_base", {"videomae.embeddings.patch_embeddings.projection.weight": 0,
                       "videomae.encoder.layer.0.layernorm_before.weight": 1,
                       "videomae.encoder.layer.11.output.dense.bias": 12, "fc_norm.weight": 13,
                       "classifier.weight": 14}),
    ("vivit_base", {"vivit.embeddings.cls_token": 0, "vivit.layers.3.mlp.fc1.weight": 4, "vivit.layernorm.bias": 13}),
    ("tsn-test_vit", {"cls_token": 0, "pos_embed": 0, "patch_embed.proj.weight": 0, "blocks.0.norm1.weight": 1}),
    ("tsm-resnet10t", {"conv1.0.weight": 0, "layer1.0.conv1.weight": 6, "fc.bias": 10}),
    ("mvit_v2_s", {"conv_proj.weight": 0, "pos_encoding.class_token": 1, "blocks.15.norm1.weight": 17}),
])  # fmt: skip
def test_the_layers_of_networks_within_networks(name, expected):
    if models.entry(name).needs:
        pytest.importorskip(models.entry(name).needs)
    model = on_meta(name)
    number = backbones.layers(model)
    assert {key: number[id(model.get_parameter(key))] for key in expected} == expected


# What is published


@pytest.mark.parametrize("name", [each for each in EVERY if models.entry(each.values[0]).zoo])
def test_sizes_are_the_published_ones(name):
    """Parameters with 400 classes and multiply-adds of the published clip, as the source counts them: within 1 %; and
    what the reference says of both."""
    entry, model = models.entry(name), on_meta(name)
    parameters, counted = backbones.parameter_counts(model)[0], reference.as_counted(model, entry)
    assert parameters / 1e6 == pytest.approx(entry.zoo.parameters, rel=0.01)
    assert float(counted.split()[0]) == pytest.approx(entry.zoo.gflops, rel=0.01)
    (row,) = re.findall(rf"^\| `{name}` \| [\d.]+ \|.*$", PAGE, flags=re.M)
    cells = [cell.strip() for cell in row.strip("| ").split("|")]
    assert [cells[1], cells[4]] == [f"{parameters / 1e6:.2f}", counted], "out of date: run `make networks`"


def test_the_reference_has_every_network():
    for name in models.names():
        assert reference.input_row(name) in PAGE, "out of date: run `make networks`"
        sized = f"\n| `{name}` | " in PAGE.partition("{ #sizes }")[2]
        assert sized != models.entry(name).input.features, "of those on features the data says how large they are"


WEIGHTS = {
    "r3d_18": video.R3D_18_Weights, "mc3_18": video.MC3_18_Weights, "r2plus1d_18": video.R2Plus1D_18_Weights,
    "s3d": video.S3D_Weights, "mvit_v1_b": video.MViT_V1_B_Weights, "mvit_v2_s": video.MViT_V2_S_Weights,
    "swin3d_t": video.Swin3D_T_Weights, "swin3d_s": video.Swin3D_S_Weights, "swin3d_b": video.Swin3D_B_Weights,
}  # fmt: skip


@pytest.mark.parametrize(("name", "weights"), WEIGHTS.items())
def test_entries_are_torchvisions(name, weights):
    """The address, checksum, clip and sizes, as torchvision's own lists of weights have them."""
    entry, published = models.entry(name), weights.KINETICS400_V1
    prepare, said = published.transforms(), published.meta["_docs"]
    assert entry.kinetics400.url == published.url
    assert published.url.endswith(f"-{entry.kinetics400.sha256}.pth")
    assert (list(entry.input.mean), list(entry.input.std)) == (prepare.mean, prepare.std)
    assert prepare.crop_size == [entry.input.crop] * 2
    assert entry.input.frames == int(re.search(r"clip_len=(\d+)", said)[1])
    assert entry.input.rate == 30 / float(re.search(r"frame_rate=([\d.]+)", said)[1])
    assert (
        entry.zoo.parameters == published.meta["num_params"] / 1e6 == backbones.parameter_counts(on_meta(name))[0] / 1e6
    )
    assert entry.zoo.gflops == published.meta["_ops"]
    assert entry.zoo.top1 == published.meta["_metrics"]["Kinetics-400"]["acc@1"]
    with torch.device("meta"):
        state = getattr(video, name)().state_dict()
    own = {key: tuple(value.shape) for key, value in on_meta(name).state_dict().items()}
    assert own == {key: tuple(value.shape)[: len(own[key])] for key, value in state.items()}
    assert [key for key in state if state[key].dim() != len(own[key])] == ["classifier.1.weight"] * (name == "s3d")


@pytest.mark.parametrize(
    "name",
    ["slow_r50", "c2d_r50", "i3d_r50", "csn_r101", "r2plus1d_r50", "x3d_xs", "x3d_s", "x3d_m", "x3d_l",
     "mvit_base_16x4", "mvit_base_32x3"],
)  # fmt: skip
def test_entries_are_pytorchvideos(name):
    """The address, and the accuracy that the hub's docstring gives; names and shapes of parameters."""
    from dtkd.models.mvit import _NumbersOnTheCPU
    from dtkd.models.pytorchvideo_models import hub

    make, entry = getattr(hub, name), models.entry(name)
    module = sys.modules[make.__module__]
    assert entry.kinetics400.url == module.checkpoint_paths[name]
    said = float(re.search(r"top1\s+accuracy of (\d+\.\d+)", make.__doc__)[1])
    assert entry.zoo.top1 == pytest.approx(said, abs=0.051)
    with torch.device("meta"), _NumbersOnTheCPU():
        state = make().state_dict()
    assert {key: value.shape for key, value in on_meta(name).state_dict().items()} == {
        key: value.shape for key, value in state.items()
    }


@pytest.mark.parametrize("name", ["swin3d_t", "mvit_v2_s", "mvit_base_16x4", "tsn-test_vit"])
def test_norms_and_positions_have_no_weight_decay(name):
    model = copy.deepcopy(on_meta(name))
    names = {id(p): key for key, p in model.named_parameters()}
    usual, free = backbones.parameter_groups(model)
    assert free["weight_decay"] == 0.0
    assert sum(p.numel() for group in (usual, free) for p in group["params"]) == backbones.parameter_counts(model)[0]
    assert not [names[id(p)] for p in usual["params"] if p.dim() < 2 or re.search("pos|token", names[id(p)])]
    assert not [names[id(p)] for p in free["params"] if p.dim() > 1 and not re.search("pos|token", names[id(p)])]
    backbones.freeze_backbone(model)
    usual, free = backbones.parameter_groups(model)
    assert [len(group["params"]) for group in (usual, free)] == [1, 1], "of the projection, weight and bias"


def test_others_have_one_group():
    model = backbones.freeze_backbone(copy.deepcopy(on_meta("slowfast_tiny")))
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
