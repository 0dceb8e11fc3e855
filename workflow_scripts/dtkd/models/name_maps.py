"""How other projects call the parameters of the same networks: name maps, by which their checkpoints load here.

There is a map where both projects' modules were compared, name by name and layer by layer. What looks like a project's
checkpoint and has no map is refused (`backbones.load_weights`): where names alone fit, a network would compute
something else without a word. mmaction2's I3D strides over time, its SlowFast has no norms between its pathways, and
PySlowFast's own X3D has one norm more than pytorchvideo's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from torch import Tensor

State = dict[str, Tensor]
Rules = tuple[tuple[str, str | Callable[[re.Match[str]], str]], ...]


@dataclass(frozen=True)
class Names:
    """What a project calls a network's parameters."""

    project: str
    mark: str
    """A regular expression that the beginning of some name of theirs matches, and of none of ours."""
    rules: Rules = ()
    """Regular expressions and what they become, one after the other."""
    change: Callable[[State, Collection[str]], State] = lambda state, own: state
    """What rules cannot say: of the state by their names, and the network's own names."""

    def fit(self, state: Mapping[str, Tensor]) -> bool:
        return any(map(re.compile(self.mark).match, state))

    def translated(self, state: Mapping[str, Tensor], own: Collection[str]) -> State:
        """The state by the network's ``own`` names."""
        return {self._ours(name): value for name, value in self.change(dict(state), own).items()}

    def _ours(self, name: str) -> str:
        for pattern, becomes in self.rules:
            name = re.sub(pattern, becomes, name)
        return name


MARKS = {"PySlowFast": r"s[1-5]\.pathway\d_|head\.projection\.", "mmaction2": r"(?:backbone|cls_head)\."}


# PySlowFast, slowfast/models: stem_helper, resnet_helper, head_helper, video_model_builder, attention.

_RESIDUAL_BLOCK: Rules = (
    (r"\.branch1\.", ".branch1_conv."),
    (r"\.branch1_bn\.", ".branch1_norm."),
    (r"\.branch2\.([abc])\.", r".branch2.conv_\1."),
    (r"\.branch2\.([abc])_bn\.", r".branch2.norm_\1."),
)
SLOWFAST = (
    Names("PySlowFast", r"s1\.pathway1_stem\.", (
        (r"^s1\.pathway(\d)_stem\.bn\.", r"blocks.0.multipathway_blocks.\1.norm."),
        (r"^s1\.pathway(\d)_stem\.", r"blocks.0.multipathway_blocks.\1."),
        (r"^s(\d)_fuse\.conv_f2s\.", lambda m: f"blocks.{int(m[1]) - 1}.multipathway_fusion.conv_fast_to_slow."),
        (r"^s(\d)_fuse\.bn\.", lambda m: f"blocks.{int(m[1]) - 1}.multipathway_fusion.norm."),
        (r"^s(\d)\.pathway(\d)_res(\d+)\.",
         lambda m: f"blocks.{int(m[1]) - 1}.multipathway_blocks.{m[2]}.res_blocks.{m[3]}."),
        *_RESIDUAL_BLOCK,
        (r"^head\.projection\.", "blocks.6.proj."),
    )),
)  # fmt: skip


def _one_pathway(stages: str, head: int) -> Names:
    """PySlowFast's ResNet; ``stages`` are the numbers that pytorchvideo's blocks have of the stages s2 to s5."""
    return Names("PySlowFast", r"s1\.pathway0_stem\.", (
        (r"^s1\.pathway0_stem\.bn\.", "blocks.0.norm."),
        (r"^s1\.pathway0_stem\.", "blocks.0."),
        (r"^s(\d)\.pathway0_res(\d+)\.", lambda m: f"blocks.{stages[int(m[1]) - 2]}.res_blocks.{m[2]}."),
        *_RESIDUAL_BLOCK,
        (r"^head\.projection\.", f"blocks.{head}.proj."),
    ))  # fmt: skip


RESNET3D = (_one_pathway("1345", head=6),)  # a pooling over time is pytorchvideo's block 2


def _apart(state: State, own: Collection[str]) -> State:
    """Queries, keys and values each in a layer of its own, where they share one."""
    parted: State = {}
    for name, value in state.items():
        parts = {name: value}
        if ".attn.qkv." in name:
            parts = {name.replace(".qkv.", f".{kind}."): part for kind, part in zip("qkv", value.chunk(3), strict=True)}
        parted |= parts
    return parted


_MVIT_MARK = r"patch_embed\.proj\."
MVIT_V1 = (
    Names("PySlowFast", _MVIT_MARK, (
        (r"^patch_embed\.proj\.", "patch_embed.patch_model."),
        (r"^(cls_token|pos_embed_\w+)$", r"cls_positional_encoding.\1"),
        (r"^norm\.", "norm_embed."),
        (r"^head\.projection\.", "head.proj."),
    ), _apart),
)  # fmt: skip
MVIT_V2 = (
    Names("PySlowFast", _MVIT_MARK, (
        (r"^patch_embed\.proj\.", "conv_proj."),
        (r"^cls_token$", "pos_encoding.class_token"),
        (r"\.attn\.proj\.", ".attn.project.0."),
        (r"\.attn\.pool_([qkv])\.", r".attn.pool_\1.pool."),
        (r"\.attn\.norm_([qkv])\.", r".attn.pool_\1.norm_act.0."),
        (r"\.mlp\.fc1\.", ".mlp.0."),
        (r"\.mlp\.fc2\.", ".mlp.3."),
        (r"^(blocks\.\d+)\.proj\.", r"\1.project."),
        (r"^head\.projection\.", "head.1."),
    ), lambda state, own: {name: value.flatten() if name == "cls_token" else value for name, value in state.items()}),
)  # fmt: skip


# mmaction2, mmaction/models: backbones/resnet3d, resnet, resnet_tsm, swin; heads.

_FROM_NUMBER = {"1": "a", "2": "b", "3": "c"}
SLOW = (
    _one_pathway("1234", head=5),
    Names("mmaction2", r"backbone\.layer1\.0\.conv1\.conv\.weight", (
        (r"^backbone\.conv1\.conv\.", "blocks.0.conv."),
        (r"^backbone\.conv1\.bn\.", "blocks.0.norm."),
        (r"^backbone\.layer(\d)\.(\d+)\.", r"blocks.\1.res_blocks.\2."),
        (r"\.conv([123])\.conv\.", lambda m: f".branch2.conv_{_FROM_NUMBER[m[1]]}."),
        (r"\.conv([123])\.bn\.", lambda m: f".branch2.norm_{_FROM_NUMBER[m[1]]}."),
        (r"\.downsample\.conv\.", ".branch1_conv."),
        (r"\.downsample\.bn\.", ".branch1_norm."),
        (r"^cls_head\.fc_cls\.", "blocks.5.proj."),
    )),
)  # fmt: skip
SWIN3D = (
    Names("mmaction2", r"backbone\.patch_embed\.proj\.", (
        (r"^backbone\.layers\.(\d)\.blocks\.", lambda m: f"features.{2 * int(m[1])}."),
        (r"^backbone\.layers\.(\d)\.downsample\.", lambda m: f"features.{2 * int(m[1]) + 1}."),
        (r"\.mlp\.fc1\.", ".mlp.0."),
        (r"\.mlp\.fc2\.", ".mlp.3."),
        (r"^backbone\.norm3?\.", "norm."),
        (r"^backbone\.", ""),
        (r"^cls_head\.fc_cls\.", "head."),
    )),
)  # fmt: skip


def _resnet(mark: str) -> tuple[Names, ...]:
    return (
        Names("mmaction2", mark, (
            (r"^backbone\.", ""),
            (r"^cls_head\.(?:new_fc|fc_cls)\.", "fc."),
            (r"\.downsample\.conv\.", ".downsample.0."),
            (r"\.downsample\.bn\.", ".downsample.1."),
            (r"\bconv([123])\.bn\.", r"bn\1."),
            (r"\bconv([123])\.conv\.(?:net\.)?", r"conv\1."),
        )),
    )  # fmt: skip


RESNET_TSN = _resnet(r"backbone\.layer1\.0\.conv1\.conv\.weight")
RESNET_TSM = _resnet(r"backbone\.layer1\.0\.conv1\.conv\.net\.weight")


# torchvision's S3D ends in a convolution of 1x1x1.

S3D = (
    Names("torchvision", r"classifier\.1\.weight", change=lambda state, own: {
        name: value.flatten(1) if name == "classifier.1.weight" else value for name, value in state.items()
    }),
)  # fmt: skip


# efficientnet_pytorch (and efficientnet_lite_pytorch), whose blocks have one number through all stages.


def _by_stages(state: State, own: Collection[str]) -> State:
    blocks = list(dict.fromkeys(".".join(name.split(".")[:3]) for name in own if name.startswith("blocks.")))
    expanded = {name.split(".")[1] for name in state if "._expand_conv." in name}
    layers = {
        True: {"_expand_conv": "conv_pw", "_bn0": "bn1", "_depthwise_conv": "conv_dw", "_bn1": "bn2",
               "_project_conv": "conv_pwl", "_bn2": "bn3"},
        False: {"_depthwise_conv": "conv_dw", "_bn1": "bn1", "_project_conv": "conv_pw", "_bn2": "bn2"},
    }  # fmt: skip
    ordered: State = {}
    for name, value in state.items():
        if name.startswith("_blocks."):
            _, number, layer, rest = name.split(".", 3)
            at = blocks[int(number)] if int(number) < len(blocks) else f"blocks.{number}"
            name = f"{at}.{layers[number in expanded].get(layer, layer)}.{rest}"
        ordered[name] = value
    return ordered


EFFICIENTNET = (
    Names("efficientnet_pytorch", r"_conv_stem\.", (
        (r"^_conv_stem\.", "conv_stem."),
        (r"^_bn0\.", "bn1."),
        (r"^_conv_head\.", "conv_head."),
        (r"^_bn1\.", "bn2."),
        (r"^_fc\.", "classifier."),
        (r"\._se_(reduce|expand)\.", r".se.conv_\1."),
    ), _by_stages),
)  # fmt: skip


# Weights that transformers 4 has saved; transformers 5 has further names.

VIDEOMAE = (
    Names("transformers 4", r"videomae\.encoder\.layer\.0\.attention\.attention\.q_bias", (
        (r"\.attention\.q_bias$", ".attention.query.bias"),
        (r"\.attention\.v_bias$", ".attention.value.bias"),
    )),
)  # fmt: skip
VIVIT = (
    Names("transformers 4", r"vivit\.encoder\.layer\.", (
        (r"^vivit\.encoder\.layer\.", "vivit.layers."),
        (r"\.attention\.attention\.query\.", ".attention.q_proj."),
        (r"\.attention\.attention\.key\.", ".attention.k_proj."),
        (r"\.attention\.attention\.value\.", ".attention.v_proj."),
        (r"\.attention\.output\.dense\.", ".attention.o_proj."),
        (r"\.intermediate\.dense\.", ".mlp.fc1."),
        (r"\.output\.dense\.", ".mlp.fc2."),
    )),
)  # fmt: skip
