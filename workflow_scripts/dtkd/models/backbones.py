"""Video networks by name: the SlowFast family of pytorchvideo, for clips of any length and size.

A backbone's parameters have pytorchvideo's names, so published weights load as they are. To add one, write a function
that returns a ``VideoModel`` and give it a name in ``BACKBONES``.
"""

import copy
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from dtkd.common.errors import DtkdError

with warnings.catch_warnings():  # pytorchvideo compiles small functions with torch.jit.script, which torch deprecates
    warnings.simplefilter("ignore", FutureWarning)
    from pytorchvideo.models import hub
    from pytorchvideo.models.slowfast import create_slowfast

PUBLISHED = "https://dl.fbaipublicfiles.com/pytorchvideo/model_zoo/kinetics/"


def pathways(clip: Tensor, alpha: int) -> list[Tensor]:
    """Make SlowFast's input [slow, fast] from the fast clip (N, C, T, H, W): slow has T / alpha of its frames.

    The slow frames are those of pytorchvideo's published recipe, evenly spaced from the first to the last frame.
    Raises DtkdError unless T is a multiple of alpha (the pathways could not be fused).
    """
    T = int(clip.shape[2])
    if T == 0 or T % alpha:
        raise DtkdError(f"frames: a clip of {T} frames cannot feed SlowFast: choose a multiple of alpha = {alpha}")
    slow = torch.linspace(0, T - 1, T // alpha, device="cpu").long()  # on the CPU: the same frames on every device
    return [clip.index_select(2, slow.to(clip.device)), clip]


class VideoModel(nn.Module):
    """A SlowFast network from clip to logits: (N, 3, T, H, W) float, fast frame rate -> (N, classes), no softmax.

    ``alpha`` is the ratio of the pathways' frame rates. Parameter names are pytorchvideo's (``blocks.0...``).
    """

    def __init__(self, net: nn.Module, alpha: int) -> None:
        super().__init__()
        self.blocks = net.blocks
        for layer in net.modules():
            if isinstance(layer, nn.Conv3d):  # pytorchvideo leaves numpy's integers, which torch.compile cannot read
                layer.stride = tuple(int(step) for step in layer.stride)
        self.alpha = alpha
        self.backbone_frozen = False

    @property
    def head(self) -> nn.Module:
        """The last block: dropout and the projection to classes."""
        return self.blocks[-1]

    def forward(self, clip: Tensor) -> Tensor:
        x = pathways(clip, self.alpha)
        for block in self.blocks[:-1]:
            x = block(x)
        if x.dtype in (torch.bfloat16, torch.float16):  # autocast: logits of 8 bits would tie, and a tie is a miss
            with torch.autocast(x.device.type, enabled=False):
                return self.head(x.float())
        return self.head(x)

    def train(self, mode: bool = True) -> "VideoModel":
        """Like any module's, but a frozen backbone stays in eval mode: its batch norms keep their statistics."""
        super().train(mode)
        if self.backbone_frozen:
            self.blocks[:-1].eval()
        return self


@dataclass(frozen=True)
class Backbone:
    """A network by name: how it is built, and where its Kinetics-400 weights are."""

    builder: Callable[..., VideoModel]  # builder(num_classes, dropout, **options)
    weights_url: str | None = None  # published weights, or None


def _published(hub_name: str) -> Callable[..., VideoModel]:
    """A builder with the settings of pytorchvideo's hub, except that the head pools whatever size it is given."""

    def builder(num_classes: int, dropout: float) -> VideoModel:
        net = getattr(hub, hub_name)(model_num_class=num_classes, dropout_rate=dropout, head_pool=nn.AdaptiveAvgPool3d)
        return VideoModel(net, alpha=4)

    return builder


def _small(num_classes: int, dropout: float, *, width: int = 16) -> VideoModel:
    """SlowFast with one block a stage and ``width`` slow channels in the stem, a multiple of 8, for small computers."""
    if not isinstance(width, int) or width < 8 or width % 8:
        raise DtkdError(f"width: {width!r} does not suit slowfast_small: choose a multiple of 8, such as 16")
    net = create_slowfast(
        model_depth=18,
        stem_dim_outs=(width, width // 8),
        stem_conv_kernel_sizes=((1, 7, 7), (3, 5, 5)),  # the usual 5x7x7 would cost as much as all the rest together
        model_num_class=num_classes,
        dropout_rate=dropout,
        head_pool=nn.AdaptiveAvgPool3d,
    )
    return VideoModel(net, alpha=4)


def _tiny(num_classes: int, dropout: float) -> VideoModel:
    """The narrowest ``slowfast_small``: what R50 is to R101 in the paper."""
    return _small(num_classes, dropout, width=8)


BACKBONES: dict[str, Backbone] = {
    "slowfast_r101_16x8": Backbone(_published("slowfast_16x8_r101_50_50"), PUBLISHED + "SLOWFAST_16x8_R101_50_50.pyth"),
    "slowfast_r101_8x8": Backbone(_published("slowfast_r101"), PUBLISHED + "SLOWFAST_8x8_R101.pyth"),
    "slowfast_r50_8x8": Backbone(_published("slowfast_r50"), PUBLISHED + "SLOWFAST_8x8_R50.pyth"),
    "slowfast_small": Backbone(_small),
    "slowfast_tiny": Backbone(_tiny),
}


def backbone(name: str) -> Backbone:
    """Look up a backbone; raises DtkdError with the known names."""
    if name not in BACKBONES:
        raise DtkdError(f"backbone: {name!r} is unknown: choose one of {', '.join(BACKBONES)}")
    return BACKBONES[name]


def build(name: str, num_classes: int, dropout: float = 0.5, **options: Any) -> VideoModel:
    """Build the network ``name`` with new weights (from torch's random state) and a head of ``num_classes``.

    ``dropout`` in [0, 1) is the head's. ``options`` are the builder's own: slowfast_small has ``width``.
    Raises DtkdError for an unknown name, option or value.
    """
    builder = backbone(name).builder
    if not isinstance(num_classes, int) or num_classes < 1:
        raise DtkdError(f"num_classes: {num_classes!r} is not a number of classes: give an integer above 0")
    if not 0 <= dropout < 1:
        raise DtkdError(f"dropout: {dropout!r} is not a share to drop: give a number from 0 to below 1")
    known = builder.__kwdefaults__ or {}
    unknown = sorted(set(options) - set(known))
    if unknown:
        raise DtkdError(f"{name} has no option {', '.join(unknown)}: it has {', '.join(known) or 'none'}")
    return builder(num_classes, dropout, **options)


def load_weights(
    model: VideoModel, state: Mapping[str, Tensor], *, source: str = "the weights", new_head: bool = True
) -> list[str]:
    """Load ``state`` into ``model`` and return the names that were skipped.

    With ``new_head`` the head's projection keeps the model's own values where the two differ in shape (other classes);
    without it, that is an error too. Every other difference in names or shapes raises DtkdError, which says ``source``
    and lists the names; the model is then unchanged.
    """
    own = model.state_dict()
    head = {f"blocks.{len(model.blocks) - 1}.proj.{part}" for part in ("weight", "bias")} if new_head else set()
    differing = [name for name in own if name in state and state[name].shape != own[name].shape]
    skipped = [name for name in differing if name in head]
    problems = {
        "missing": [name for name in own if name not in state],
        "unexpected": [name for name in state if name not in own],
        "of another shape": [
            f"{name} {tuple(state[name].shape)} for {tuple(own[name].shape)}" for name in differing if name not in head
        ],
    }
    said = [f"{kind} ({len(names)}): {_some(names)}" for kind, names in problems.items() if names]
    if said:
        raise DtkdError(f"{source} do not fit the model: {'; '.join(said)}: choose the backbone they were made for")
    model.load_state_dict({name: value for name, value in state.items() if name not in skipped}, strict=False)
    return skipped


def freeze_backbone(model: VideoModel) -> VideoModel:
    """Leave only the head to train: the other parameters take no gradient and their batch norms stay in eval mode.

    It lasts through later calls of ``model.train()``. The head's dropout goes on working in train mode.
    """
    model.blocks[:-1].requires_grad_(False)
    model.backbone_frozen = True
    return model.train(model.training)


def parameter_counts(model: nn.Module) -> tuple[int, int]:
    """Return the number of parameters, all and trainable."""
    counts = [(p.numel(), p.requires_grad) for p in model.parameters()]
    return sum(n for n, _ in counts), sum(n for n, trainable in counts if trainable)


def flops(model: VideoModel, frames: int, crop: int) -> int:
    """Count the multiply-adds of one clip of ``frames`` fast frames of ``crop`` x ``crop`` pixels.

    Convolutions and the projection count, as in published tables (where they are called FLOPs); batch norms, 1-2 %
    more, do not. Only shapes are followed: nothing is computed, and ``model`` is unchanged.
    """
    shadow = copy.deepcopy(model).to("meta").eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        shadow(torch.empty(1, 3, frames, crop, crop, device="meta"))
    return counter.get_total_flops() // 2  # torch counts a multiplication and an addition apart


def fewest_values(model: VideoModel, frames: int, crop: int) -> int | None:
    """The least number of values of a channel that a batch norm in train mode sees of one clip; None without one.

    Of a single value there is no variance: where it is 1, no clip can pass alone. Only shapes are followed.
    """
    shadow, seen = copy.deepcopy(model).to("meta"), []
    for layer in shadow.modules():
        if isinstance(layer, nn.modules.batchnorm._BatchNorm) and layer.training:
            layer.register_forward_pre_hook(lambda _, given: seen.append(given[0][0, 0].numel()))
    with torch.no_grad():
        shadow.forward(torch.empty(2, 3, frames, crop, crop, device="meta"))  # past hooks: it is no pass of ``model``
    return min(seen, default=None)


def _some(names: list[str], most: int = 6) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
