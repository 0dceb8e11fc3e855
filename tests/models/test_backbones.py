"""SlowFast networks: the published architectures, clips of any size, frozen backbones, weights that fit or do not."""

import math
import warnings

import pytest
import torch
from torch import nn

from dtkd import models
from dtkd.common.errors import DtkdError
from dtkd.models import backbones, slowfast

torch.set_num_threads(1)

PUBLISHED = {  # parameters with 400 (as the paper prints them, in millions), 101 and 51 classes
    "slowfast_r101_16x8": {400: 53_774_808, 101: 53_085_613, 51: 52_970_363},
    "slowfast_r101_8x8": {400: 62_826_968, 101: 62_137_773, 51: 62_022_523},
    "slowfast_r50_8x8": {400: 34_566_488, 101: 33_877_293, 51: 33_762_043},
}
FROZEN = {400: 922_000, 101: 232_805, 51: 117_555}  # those of them that train when the backbone is frozen
HEAD = ["blocks.6.proj.weight", "blocks.6.proj.bias"]


@pytest.fixture
def small():
    torch.manual_seed(0)
    model = backbones.build("slowfast_small", 5)
    for module in model.modules():  # a new residual block ends with a zero: let all layers matter
        if isinstance(module, nn.BatchNorm3d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
    return model


def clips(N=2, T=8, size=32):
    return torch.randn(N, 3, T, size, size, generator=torch.Generator().manual_seed(1))


def on_meta(name, num_classes):
    with torch.device("meta"):
        return backbones.build(name, num_classes)


@pytest.mark.parametrize("name", PUBLISHED)
def test_parameters_are_the_papers(name):
    model = on_meta(name, 400)
    for num_classes, count in PUBLISHED[name].items():
        layer = backbones.projection(model)
        layer.weight, layer.bias = (nn.Parameter(p[:num_classes]) for p in (layer.weight, layer.bias))
        assert backbones.parameter_counts(model.requires_grad_(True)) == (count, count)
        backbones.freeze_backbone(model)
        assert backbones.parameter_counts(model) == (count, FROZEN[num_classes])


@pytest.mark.parametrize("name", PUBLISHED)
def test_names_and_address_are_pytorchvideos(name):
    """What the hub builds and where it finds its weights, by pytorchvideo's own names."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pytorchvideo.models.hub import slowfast as hub
    hub_name = {"slowfast_r101_16x8": "slowfast_16x8_r101_50_50"}.get(name, name.removesuffix("_8x8"))
    with torch.device("meta"):
        hub_model = getattr(hub, hub_name)()
    shapes = {key: value.shape for key, value in hub_model.state_dict().items()}
    assert {key: value.shape for key, value in on_meta(name, 400).state_dict().items()} == shapes
    assert models.entry(name).kinetics400.url == hub.checkpoint_paths[hub_name]


@pytest.mark.parametrize(("T", "size"), [(4, 32), (8, 64), (16, 48), (12, 33)])
def test_any_length_and_size_in_both_modes(small, T, size):
    clip = clips(T=T, size=size)
    before = clip.clone()
    for mode in (True, False):
        logits = small.train(mode)(clip)
        assert logits.shape == (2, 5)
        assert logits.isfinite().all()
        assert not torch.allclose(logits.sum(1), torch.ones(2))  # no softmax
    assert torch.equal(clip, before)
    assert torch.equal(small(clip), small(clip))


def test_adaptive_pooling_is_the_fixed_pooling_at_the_published_size(small):
    """The same network with the hub's fixed head pool, at the clip size that this pool is made for."""
    fixed = slowfast.create_slowfast(
        model_depth=18,
        stem_dim_outs=(16, 2),
        stem_conv_kernel_sizes=((1, 7, 7), (3, 5, 5)),
        model_num_class=5,
        head_pool_kernel_sizes=((2, 2, 2), (8, 2, 2)),
    )
    fixed.load_state_dict(small.state_dict())
    clip = clips(T=8, size=64)
    fixed_logits = fixed.eval()(slowfast.pathways(clip, 4))
    torch.testing.assert_close(small.eval()(clip), fixed_logits)


def test_the_pathways_are_pytorchvideos():
    clip = torch.arange(32.0).view(1, 1, 32, 1, 1)
    slow, fast = slowfast.pathways(clip, 4)
    assert fast is clip
    assert all(models.entry(name).input.multiple == slowfast.ALPHA for name in models.names() if "slowfast" in name)
    assert slow.flatten().tolist() == torch.linspace(0, 31, 8).long().tolist() == [0, 4, 8, 13, 17, 22, 26, 31]
    for T in (0, 2, 6):
        with pytest.raises(DtkdError, match="multiple of alpha = 4"):
            slowfast.pathways(clip[:, :, :T], 4)


def test_a_frozen_backbone_stays_as_it_is(small):
    small.train()
    assert backbones.freeze_backbone(small) is small
    before = {name: value.clone() for name, value in small.state_dict().items()}
    optimiser = torch.optim.SGD([p for p in small.parameters() if p.requires_grad], lr=0.1)
    for _ in range(2):
        small.eval()
        small.train()
        assert small.training
        assert backbones.head(small).training
        assert not any(module.training for block in small.blocks[:-1] for module in block.modules())
        optimiser.zero_grad()
        nn.functional.cross_entropy(small(clips()), torch.tensor([0, 1])).backward()
        optimiser.step()
    changed = [name for name, value in small.state_dict().items() if not torch.equal(value, before[name])]
    assert changed == HEAD
    small.eval()
    assert not backbones.head(small).training


def test_a_free_backbone_trains(small):
    before = small.blocks[0].multipathway_blocks[0].norm.running_mean.clone()
    small.train()(clips()).sum().backward()
    assert all(p.grad is not None for p in small.parameters())
    assert not torch.equal(small.blocks[0].multipathway_blocks[0].norm.running_mean, before)


def test_weights_for_other_classes_keep_the_new_head(small):
    other = backbones.build("slowfast_small", 9)
    head = other.state_dict()[HEAD[0]].clone()
    assert backbones.load_weights(other, small.state_dict()) == HEAD
    assert torch.equal(other.state_dict()[HEAD[0]], head)
    assert all(torch.equal(v, other.state_dict()[k]) for k, v in small.state_dict().items() if k not in HEAD)
    same = backbones.build("slowfast_small", 5)
    assert backbones.load_weights(same, small.state_dict()) == []
    assert torch.equal(same.eval()(clips()), small.eval()(clips()))


def test_weights_that_do_not_fit_change_nothing(small):
    state = small.state_dict()
    first = next(iter(state))
    cases = [
        ({k: v for k, v in state.items() if k != first}, rf"missing \(1\): {first}"),
        (state | {"extra.weight": torch.zeros(1)}, r"unexpected \(1\): extra.weight"),
        (state | {first: torch.zeros(2, 2)}, rf"of another shape \(1\): {first} \(2, 2\) for"),
        ({k: v for k, v in state.items() if k not in HEAD}, r"missing \(2\)"),
        (backbones.build("slowfast_small", 5, width=32).state_dict(), "and [0-9]+ more"),
    ]
    model = backbones.build("slowfast_small", 5)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    for wrong, message in cases:
        with pytest.raises(DtkdError, match=message) as caught:
            backbones.load_weights(model, wrong, source="weights.pyth")
        assert str(caught.value).startswith("weights.pyth")
        assert "\n" not in str(caught.value)
    with pytest.raises(DtkdError, match=r"blocks.6.proj.weight \(5, 576\) for \(9, 576\)"):
        backbones.load_weights(backbones.build("slowfast_small", 9), state, new_head=False)
    assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items())


def test_flops_agree_with_fvcore(small):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from fvcore.nn import FlopCountAnalysis

    count = FlopCountAnalysis(small.eval(), clips(N=1, T=8, size=64))
    by_operator = count.unsupported_ops_warnings(False).uncalled_modules_warnings(False).by_operator()
    small.train()
    assert backbones.flops(small, 8, 64) == by_operator["conv"] + by_operator["linear"]
    assert small.training
    assert next(small.parameters()).device.type == "cpu"


def test_flops_are_the_published_ones():
    assert backbones.flops(on_meta("slowfast_r50_8x8", 400), 32, 256) / 1e9 == pytest.approx(65.71, abs=0.005)


def test_new_weights_follow_the_seed():
    states = []
    for seed in (3, 3, 4):
        torch.manual_seed(seed)
        states.append(backbones.build("slowfast_small", 5).state_dict())
    assert all(torch.equal(v, states[1][k]) for k, v in states[0].items())
    assert not torch.equal(states[2][HEAD[0]], states[0][HEAD[0]])


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (("resnet", 5), {}, "choose one of slowfast_r101_16x8"),
        (("slowfast_small", 0), {}, "num_classes"),
        (("slowfast_small", 5, 1.0), {}, "dropout"),
        (("slowfast_small", 5, math.nan), {}, "dropout"),
        (("slowfast_small", 5), {"width": 12}, "width"),
        (("slowfast_small", 5), {"depth": 3}, "it has width"),
        (("slowfast_r50_8x8", 5), {"width": 16}, "it has none"),
    ],
)
def test_errors_say_what_to_choose(arguments, options, message):
    with pytest.raises(DtkdError, match=message) as caught:
        backbones.build(*arguments, **options)
    assert "\n" not in str(caught.value)


def test_dropout_is_the_heads(small):
    assert backbones.head(small).dropout.p == 0.5
    assert backbones.head(backbones.build("slowfast_small", 5, dropout=0.0)).dropout is None


@pytest.mark.parametrize(("frames", "size", "fewest"), [(4, 32, 1), (4, 33, 4), (8, 32, 2), (8, 48, 8)])
def test_the_fewest_values_of_a_batch_norm(small, frames, size, fewest):
    assert backbones.fewest_values(small, frames, size) == fewest
    small.train()
    if fewest > 1:
        small(clips(1, frames, size))
    else:
        with pytest.raises(ValueError, match="Expected more than 1 value per channel"):
            small(clips(1, frames, size))
    assert backbones.fewest_values(backbones.freeze_backbone(small), frames, size) is None
    small(clips(1, frames, size))
