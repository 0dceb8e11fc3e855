"""The networks that there are: what each takes, where its head is, and where its published weights are.

A network is one entry here, and a module of its family that builds it. Entries name functions of such modules as
"package.module:name", so that the config, which reads entries, imports no torch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dtkd.common.published import PYTORCHVIDEO, TORCHVISION, Published
from dtkd.common.registry import Registry

Values = tuple[float, float, float]


@dataclass(frozen=True)
class Input:
    """The clips that a network takes, (N, 3, T, H, W): how many frames, and what it was published with.

    With ``features`` it takes features over time, (N, D, T), and its builder has the option ``dimension``, which is D.
    """

    multiple: int = 1
    """T is a multiple of this,"""
    least: int = 1
    """and not less than this."""
    frames: int | None = None
    """T of the published recipe, of which one of every ``rate`` source frames is taken; None where there is none."""
    rate: int | None = None
    crop: int | None = None
    """H and W of the published recipe, in pixels."""
    mean: Values | None = None
    """What the published recipe normalises with, by channel (RGB, of 0..1). A study's are those of its own videos."""
    std: Values | None = None
    prepare: str | Callable[[Any], Any] | None = None
    """From such clips to what the network's own layers take, or its "module:name"; None: the clips as they are."""

    features: bool = False
    """Whether it takes features in place of frames."""

    def takes(self, frames: int) -> bool:
        return frames >= self.least and frames % self.multiple == 0

    def nearest(self, frames: int) -> list[int]:
        """The numbers of frames that it takes next to a number, one or two."""
        below = max(frames // self.multiple * self.multiple, self.smallest)
        return sorted({below, max(-(-frames // self.multiple) * self.multiple, self.smallest)})

    @property
    def smallest(self) -> int:
        """The smallest number of frames that it takes."""
        return -(-self.least // self.multiple) * self.multiple

    def __str__(self) -> str:
        """The numbers of frames, in words."""
        if self.multiple == 1:
            return f"{self.least} or more"
        more = f" from {self.smallest} on" if self.smallest > self.multiple else ""
        return f"multiples of {self.multiple}{more}"


@dataclass(frozen=True)
class Head:
    """What is new for other classes, by the names that the network's modules have."""

    module: str
    """All that trains where the backbone is frozen: "blocks.6". It computes in float32 under any precision."""
    projection: str
    """The linear layer in it (or itself) that gives the logits: "blocks.6.proj"."""


@dataclass(frozen=True)
class Network:
    """A network by name."""

    builder: str | Callable[..., Any]
    """``builder(num_classes, dropout, **options)``, or its "module:name", gives an `nn.Module` from (prepared) clips to
    logits (N, num_classes), in train and in eval mode, without a softmax. Its parameters have their published names."""
    head: Head
    input: Input = Input()
    kinetics400: Published | None = None
    """Weights that were trained on Kinetics-400; None where nobody has published any."""
    groups: str | Callable[[Any], list[dict[str, Any]]] | None = None
    """``groups(model)``, or its "module:name", gives groups of parameters for torch's optimisers, of which each may
    have a setting such as ``weight_decay`` of its own; what is in none has the study's. None: so has all."""


NETWORKS: Registry[Network] = Registry("backbone")


def _slowfast(builder: str, *, frames: int | None = None, weights: str | None = None) -> None:
    published = {} if frames is None else {"frames": frames, "rate": 2, "crop": 256, **_PYTORCHVIDEO_PIXELS}
    NETWORKS.add(
        f"slowfast_{builder}",
        Network(
            f"dtkd.models.slowfast:{builder}",
            Head("blocks.6", "blocks.6.proj"),
            Input(multiple=4, least=4, prepare="dtkd.models.slowfast:pathways", **published),
            Published(f"{PYTORCHVIDEO}/{weights}.pyth") if weights else None,
        ),
    )


def _resnet3d(name: str, digits: str) -> None:
    pixels: dict[str, Values] = {"mean": (0.43216, 0.394666, 0.37645), "std": (0.22803, 0.22145, 0.216989)}
    NETWORKS.add(
        name,
        Network(
            f"dtkd.models.resnet3d:{name}",
            Head("fc", "fc"),
            Input(frames=16, rate=2, crop=112, **pixels),
            Published(f"{TORCHVISION}/{name}-{digits}.pth", digits),
        ),
    )


_PYTORCHVIDEO_PIXELS: dict[str, Values] = {"mean": (0.45, 0.45, 0.45), "std": (0.225, 0.225, 0.225)}

_slowfast("r101_16x8", frames=64, weights="SLOWFAST_16x8_R101_50_50")
_slowfast("r101_8x8", frames=32, weights="SLOWFAST_8x8_R101")
_slowfast("r50_8x8", frames=32, weights="SLOWFAST_8x8_R50")
_slowfast("small")
_slowfast("tiny")
_resnet3d("r3d_18", "b3b3357e")
_resnet3d("r2plus1d_18", "91a641e6")
NETWORKS.add(
    "x3d_s",
    Network(
        "dtkd.models.x3d:x3d_s",
        Head("blocks.5", "blocks.5.proj"),
        Input(frames=13, rate=6, crop=182, **_PYTORCHVIDEO_PIXELS),
        Published(f"{PYTORCHVIDEO}/X3D_S.pyth"),
    ),
)
NETWORKS.add(
    "swin3d_t",
    Network(
        "dtkd.models.swin3d:swin3d_t",
        Head("head", "head"),
        Input(multiple=2, least=2, frames=32, rate=2, crop=224, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225)),
        Published(f"{TORCHVISION}/swin3d_t-7615ae03.pth", "7615ae03"),
        groups="dtkd.models.swin3d:groups",
    ),
)
for _name in ("linear", "temporal_conv", "temporal_transformer", "attentive_pool"):
    NETWORKS.add(_name, Network(f"dtkd.models.temporal:{_name}", Head("head", "head"), Input(features=True)))
