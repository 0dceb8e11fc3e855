"""Checkpoints of other projects, by their published code's names: they load into the same networks, or are refused."""

import re
from importlib.util import find_spec

import pytest
import torch

from dtkd import models
from dtkd.common.errors import DtkdError
from dtkd.models import backbones

torch.set_num_threads(1)


def pyslowfast(own, pathways):
    """A name of pytorchvideo's residual networks as PySlowFast's resnet_helper and its neighbours have it."""
    block, rest = re.match(r"blocks\.(\d)\.(.*)", own).groups()
    stage, pathway = f"s{int(block) + 1}", "0"
    if pathways == 2:
        rest = re.sub(r"^multipathway_fusion\.conv_fast_to_slow\.", f"{stage}_fuse.conv_f2s.", rest)
        rest = re.sub(r"^multipathway_fusion\.norm\.", f"{stage}_fuse.bn.", rest)
        if rest.startswith(stage):
            return rest
        if found := re.match(r"multipathway_blocks\.(\d)\.", rest):
            pathway, rest = found[1], rest[found.end() :]
    rest = re.sub(r"branch2\.(conv|norm)_([abc])\.", lambda m: f"branch2.{m[2]}{'_bn' * (m[1] == 'norm')}.", rest)
    rest = rest.replace("branch1_conv.", "branch1.").replace("branch1_norm.", "branch1_bn.")
    if rest.startswith("proj."):
        return rest.replace("proj.", "head.projection.")
    if rest.startswith("res_blocks."):
        return re.sub(r"^res_blocks\.(\d+)\.", rf"{stage}.pathway{pathway}_res\1.", rest)
    return f"s1.pathway{pathway}_stem.{rest.replace('norm.', 'bn.')}"


def with_pool(own):
    """PySlowFast's C2D and I3D: the stages after the pooling have one number more in pytorchvideo."""
    number = int(own.split(".")[1])
    return pyslowfast(own if number < 2 else own.replace(f"blocks.{number}", f"blocks.{number - 1}", 1), 1)


def mvit_v1(own):
    own = own.replace("patch_embed.patch_model.", "patch_embed.proj.").replace("cls_positional_encoding.", "")
    return own.replace("norm_embed.", "norm.").replace("head.proj.", "head.projection.")


def mvit_v2(own):
    own = own.replace("conv_proj.", "patch_embed.proj.").replace("pos_encoding.class_token", "cls_token")
    own = (
        own.replace("attn.project.0.", "attn.proj.")
        .replace(".project.", ".proj.")
        .replace("head.1.", "head.projection.")
    )
    own = re.sub(r"pool_([qkv])\.norm_act\.0\.", r"norm_\1.", own)
    return re.sub(r"pool_([qkv])\.pool\.", r"pool_\1.", own).replace("mlp.0.", "mlp.fc1.").replace("mlp.3.", "mlp.fc2.")


def slowonly(own):
    block, rest = re.match(r"blocks\.(\d)\.(.*)", own).groups()
    if block == "0":
        return "backbone.conv1." + rest.replace("norm.", "bn.")
    if rest.startswith("proj."):
        return rest.replace("proj.", "cls_head.fc_cls.")
    rest = re.sub(r"branch2\.(conv|norm)_([abc])\.",
                  lambda m: f"conv{'abc'.index(m[2]) + 1}.{'conv' if m[1] == 'conv' else 'bn'}.", rest)  # fmt: skip
    rest = rest.replace("branch1_conv.", "downsample.conv.").replace("branch1_norm.", "downsample.bn.")
    return f"backbone.layer{block}." + rest.removeprefix("res_blocks.")


def swin(own):
    own = re.sub(
        r"^features\.(\d)\.", lambda m: f"layers.{int(m[1]) // 2}.{('blocks', 'downsample')[int(m[1]) % 2]}.", own
    )
    own = own.replace("mlp.0.", "mlp.fc1.").replace("mlp.3.", "mlp.fc2.")
    own = re.sub(r"^norm\.", "norm3.", own)
    return own.replace("head.", "cls_head.fc_cls.") if own.startswith("head.") else f"backbone.{own}"


def resnet(own, shifted=False):
    if own.startswith("fc."):
        return own.replace("fc.", "cls_head.fc_cls.")
    own = re.sub(r"\bconv(\d)\.", r"conv\1.conv.", own)
    own = re.sub(r"\bbn(\d)\.", r"conv\1.bn.", own)
    own = own.replace("downsample.0.", "downsample.conv.").replace("downsample.1.", "downsample.bn.")
    if shifted and own.startswith("layer"):
        own = own.replace("conv1.conv.", "conv1.conv.net.")
    return f"backbone.{own}"


CASES = {
    "slowfast_r50_8x8": (lambda own: pyslowfast(own, 2), [
        "s1.pathway1_stem.conv.weight", "s1.pathway0_stem.bn.running_var", "s1_fuse.conv_f2s.weight", "s4_fuse.bn.bias",
        "s2.pathway0_res0.branch1.weight", "s2.pathway0_res0.branch1_bn.weight", "s5.pathway1_res2.branch2.c_bn.bias",
        "s3.pathway0_res3.branch2.a.weight", "head.projection.bias",
    ]),
    "slow_r50": (lambda own: pyslowfast(own, 1), ["s1.pathway0_stem.conv.weight", "s4.pathway0_res5.branch2.b.weight"]),
    "i3d_r50": (with_pool, ["s2.pathway0_res0.branch1.weight", "s3.pathway0_res0.branch1.weight",
                            "s5.pathway0_res2.branch2.c.weight", "head.projection.bias"]),
    "c2d_r50": (with_pool, ["s4.pathway0_res5.branch2.a_bn.running_mean"]),
    "mvit_base_16x4": (mvit_v1, ["patch_embed.proj.weight", "cls_token", "pos_embed_spatial", "norm.bias",
                                 "blocks.1.attn.pool_q.weight", "blocks.0.proj.weight", "head.projection.weight"]),
    "mvit_v2_s": (mvit_v2, ["patch_embed.proj.bias", "cls_token", "blocks.0.attn.qkv.weight", "blocks.0.attn.rel_pos_h",
                            "blocks.3.attn.norm_k.weight", "blocks.1.proj.weight", "blocks.1.attn.proj.weight",
                            "blocks.15.mlp.fc2.bias", "head.projection.weight"]),
    "slow_r50 of mmaction2": (slowonly, [
        "backbone.conv1.conv.weight", "backbone.conv1.bn.weight", "backbone.layer3.5.conv1.conv.weight",
        "backbone.layer1.0.downsample.bn.running_mean", "backbone.layer4.2.conv3.bn.bias", "cls_head.fc_cls.weight",
    ]),
    "swin3d_t": (swin, [
        "backbone.patch_embed.proj.weight", "backbone.layers.0.blocks.1.attn.relative_position_bias_table",
        "backbone.layers.2.downsample.reduction.weight", "backbone.layers.3.blocks.0.mlp.fc2.bias",
        "cls_head.fc_cls.bias", "backbone.norm3.bias",
    ]),
    "tsn-resnet50": (resnet, ["backbone.conv1.conv.weight", "backbone.layer1.0.conv2.bn.weight", "cls_head.fc_cls.bias",
                              "backbone.layer2.0.downsample.conv.weight", "backbone.layer4.2.conv3.conv.weight"]),
    "tsm-resnet50": (lambda own: resnet(own, 1), ["backbone.layer4.2.conv1.conv.net.weight", "backbone.conv1.bn.bias"]),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_names_of_other_projects(case):
    """As their modules call them: every tensor comes to its place."""
    theirs_of, known = CASES[case]
    name = case.split()[0]
    with torch.device("meta"):
        model = models.build(name, 400)
    theirs = {}
    for number, (own, value) in enumerate(model.state_dict().items()):
        shape = (1, 1, *value.shape) if own.endswith("class_token") else value.shape
        theirs[theirs_of(own)] = torch.full(shape, number, dtype=torch.int32)
    assert len(theirs) == len(model.state_dict())
    assert set(known) <= set(theirs)
    (found,) = [names for names in backbones.resolved(models.entry(name).other_names) if names.fit(theirs)]
    translated = found.translated(theirs, model.state_dict().keys())
    assert {own: int(value.flatten()[0]) for own, value in translated.items()} == {
        own: number for number, own in enumerate(model.state_dict())
    }
    assert all(translated[own].shape == value.shape for own, value in model.state_dict().items())


def test_queries_keys_and_values_of_one_layer():
    """As later PySlowFast has them of MViT, unless SEPARATE_QKV."""
    with torch.device("meta"):
        model = models.build("mvit_base_16x4", 5)
    (names,) = backbones.resolved(models.entry("mvit_base_16x4").other_names)
    joint = names.translated({"blocks.0.attn.qkv.bias": torch.arange(6), "patch_embed.proj.bias": torch.ones(1)},
                             model.state_dict().keys())  # fmt: skip
    assert [joint[f"blocks.0.attn.{kind}.bias"].tolist() for kind in "qkv"] == [[0, 1], [2, 3], [4, 5]]


def test_a_translated_checkpoint_loads():
    source = models.build("slow_r50", 5)
    theirs = {pyslowfast(own, 1): value for own, value in source.state_dict().items()}
    model = models.build("slow_r50", 5)
    assert backbones.load_weights(model, theirs, new_head=False) == []
    assert all(torch.equal(value, source.state_dict()[own]) for own, value in model.state_dict().items())
    assert backbones.load_weights(models.build("slow_r50", 4), theirs) == ["blocks.5.proj.weight", "blocks.5.proj.bias"]


@pytest.mark.parametrize(("name", "state", "project"), [
    ("x3d_s", {"s1.pathway0_stem.conv_xy.weight": torch.ones(1), "head.projection.bias": torch.ones(1)}, "PySlowFast"),
    ("i3d_r50", {"backbone.conv1.conv.weight": torch.ones(1), "cls_head.fc_cls.bias": torch.ones(1)}, "mmaction2"),
    ("slowfast_r50_8x8", {"backbone.slow_path.conv1.conv.weight": torch.ones(1)}, "mmaction2"),
])  # fmt: skip
def test_checkpoints_of_networks_that_only_look_alike_are_refused(name, state, project):
    with torch.device("meta"):
        model = models.build(name, 5)
    with pytest.raises(DtkdError) as caught:
        backbones.load_weights(model, state, source="x.pyth")
    assert f"x.pyth have the names of {project}, and nothing is known of those for this network: of {project}" in str(
        caught.value
    )
    assert "slow_r50" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_s3ds_classifier_is_a_convolution_where_it_is_published():
    model = models.build("s3d", 5)
    state = model.state_dict() | {"classifier.1.weight": torch.rand(5, 1024, 1, 1, 1)}
    assert backbones.load_weights(model, state, new_head=False) == []
    assert torch.equal(model.classifier[1].weight, state["classifier.1.weight"].flatten(1))


@pytest.mark.skipif(find_spec("transformers") is None, reason="needs pip install '.[transformers]'")
@pytest.mark.parametrize(("name", "old"), [
    ("videomae_base", (("attention.query.bias", "attention.q_bias"), ("attention.value.bias", "attention.v_bias"))),
    ("vivit_base", ((".mlp.fc1.", ".intermediate.dense."), (".mlp.fc2.", ".output.dense."), ("vivit.layers.",
     "vivit.encoder.layer."), ("attention.o_proj.", "attention.output.dense."), ("attention.q_proj.",
     "attention.attention.query."), ("attention.k_proj.", "attention.attention.key."), ("attention.v_proj.",
     "attention.attention.value."))),
])  # fmt: skip
def test_what_older_transformers_saved(tmp_path, name, old):
    """As transformers itself reads it."""
    from safetensors.torch import save_file

    from dtkd.models import weights

    source = models.build(name, 5, layers=1)
    theirs = source.state_dict()
    for new, before in old:
        theirs = {key.replace(new, before): value for key, value in theirs.items()}
    assert theirs.keys() != source.state_dict().keys()
    save_file(theirs, tmp_path / "model.safetensors", {"format": "pt"})
    source.config.to_json_file(tmp_path / "config.json")
    own = next(kind for kind in type(source).__mro__ if kind.__module__.startswith("transformers.models"))
    official, said = own.from_pretrained(tmp_path, output_loading_info=True)
    assert not said["missing_keys"]
    model = models.build(name, 5, layers=1)
    assert backbones.load_weights(model, weights.load_state_dict(tmp_path), new_head=False) == []
    assert all(torch.equal(value, official.state_dict()[key]) for key, value in model.state_dict().items())
