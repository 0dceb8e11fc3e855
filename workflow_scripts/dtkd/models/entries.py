"""The networks that there are: what each takes, where its head is, its published weights and size.

A network is one entry here, and a module of its family that builds it. Entries name functions of such modules as
"package.module:name", so that the config, which reads entries, imports no torch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from dtkd.common.errors import DtkdError
from dtkd.common.published import HUB, PYTORCHVIDEO, TORCHVISION, Published
from dtkd.common.registry import Registry, hint
from dtkd.models.timm_list import Image, images

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
    one_crop: bool = False
    """Whether it takes no other H and W."""
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
    linear: bool = False
    """Whether this layer alone has parameters there, beside pooling and dropout: so a frozen network is its features
    and this layer (`backbones.OnFeatures`)."""

    def __post_init__(self) -> None:
        if self.module == self.projection:
            object.__setattr__(self, "linear", True)


@dataclass(frozen=True)
class Zoo:
    """What is published of a network's size and accuracy, of 400 classes."""

    source: str
    """A name in `SOURCES`."""
    parameters: float
    """In millions."""
    gflops: float
    """1e9 multiply-adds of one view of the published clip,"""
    frames: int | None = None
    """or of one of so many frames."""
    top1: float | None = None
    """In % of Kinetics-400's validation videos, over the views of the source."""
    norms: bool = False
    """Whether the source counts norms too (fvcore does, with `backbones.NORM` multiply-adds a value)."""


SOURCES = {
    "torchvision": ("torchvision's weights", "https://docs.pytorch.org/vision/stable/models.html#video-classification"),
    "pytorchvideo": (
        "pytorchvideo's model zoo", "https://github.com/facebookresearch/pytorchvideo/blob/main/docs/source/model_zoo.md"
    ),
    "videomae": ("Tong et al., 2022", "https://arxiv.org/abs/2203.12602"),
    "timesformer": ("Bertasius et al., 2021", "https://arxiv.org/abs/2102.05095"),
    "vivit": ("Arnab et al., 2021", "https://arxiv.org/abs/2103.15691"),
}  # fmt: skip


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
    imagenet: Published | None = None
    """Weights that were trained on the images of ImageNet."""
    zoo: Zoo | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    """What the builder is given beside: settings that are not the user's."""
    needs: str | None = None
    """The extra of pyproject.toml whose packages it needs."""
    other_names: str | Sequence[Any] = ()
    """How other projects call its parameters (`name_maps.Names`), or their "module:name"."""
    groups: str | Callable[[Any], list[dict[str, Any]]] | None = None
    """``groups(model)``, or its "module:name", gives groups of parameters for torch's optimisers, of which each may
    have a setting such as ``weight_decay`` of its own; what is in none has the study's. None: so has all."""

    def published(self, weights: str) -> Published | None:
        """Its weights that the config calls "kinetics400" or "imagenet"."""
        return {"kinetics400": self.kinetics400, "imagenet": self.imagenet}[weights]


NETWORKS: Registry[Network] = Registry("backbone")


PIXELS: dict[str, dict[str, Values]] = {  # by whose recipe they are
    "pytorchvideo": {"mean": (0.45, 0.45, 0.45), "std": (0.225, 0.225, 0.225)},
    "kinetics": {"mean": (0.43216, 0.394666, 0.37645), "std": (0.22803, 0.22145, 0.216989)},
    "imagenet": {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)},
    "halves": {"mean": (0.5, 0.5, 0.5), "std": (0.5, 0.5, 0.5)},
}
WITHOUT_DECAY = "dtkd.models.groups:without_decay"


def _add(
    name: str, family: str, head: str, *, clip: tuple[int, int, int] | None = None, pixels: str | None = None,
    projection: str | None = None, linear: bool = True, input: dict[str, Any] | None = None, **known: Any
) -> None:  # fmt: skip
    """An entry of a builder in ``family``; ``clip`` is the published frames, rate and crop."""
    recipe = dict(zip(("frames", "rate", "crop"), clip, strict=True)) if clip else {}
    takes = Input(**(input or {}), **recipe, **(PIXELS[pixels] if pixels else {}))
    NETWORKS.add(name, Network(f"dtkd.models.{family}", Head(head, projection or head, linear), takes, **known))


def _slowfast(builder: str, weights: str | None = None, frames: int = 0, zoo: Zoo | None = None) -> None:
    published = {"clip": (frames, 2, 256), "pixels": "pytorchvideo"} if weights else {}
    _add(
        f"slowfast_{builder}", f"slowfast:{builder}", "blocks.6", projection="blocks.6.proj",
        input={"multiple": 4, "least": 4, "prepare": "dtkd.models.slowfast:pathways"}, **published,
        kinetics400=Published(f"{PYTORCHVIDEO}/{weights}.pyth") if weights else None, zoo=zoo,
        other_names="dtkd.models.name_maps:SLOWFAST" if weights else (),
    )  # fmt: skip


def _of_torchvision(
    name: str, family: str, file: str, head: str, clip: tuple[int, int, int], pixels: str, zoo: Zoo, **known: Any
) -> None:
    weights = Published(f"{TORCHVISION}/{file}.pth", file.rpartition("-")[2])
    _add(name, f"{family}:{name}", head, clip=clip, pixels=pixels, kinetics400=weights, zoo=zoo, **known)


def _of_pytorchvideo(
    name: str, family: str, file: str, head: str, clip: tuple[int, int, int], zoo: Zoo, **known: Any
) -> None:
    weights = Published(f"{PYTORCHVIDEO}/{file}.pyth")
    _add(
        name, f"{family}:{name}", head, projection=f"{head}.proj", clip=clip, pixels="pytorchvideo",
        kinetics400=weights, zoo=zoo, **known,
    )  # fmt: skip


_slowfast("r101_16x8", "SLOWFAST_16x8_R101_50_50", 64, Zoo("pytorchvideo", 53.77, 215.61, top1=78.70, norms=True))
_slowfast("r101_8x8", "SLOWFAST_8x8_R101", 32, Zoo("pytorchvideo", 62.83, 127.20, top1=77.90, norms=True))
_slowfast("r50_8x8", "SLOWFAST_8x8_R50", 32, Zoo("pytorchvideo", 34.57, 65.71, top1=76.94))
_slowfast("small")
_slowfast("tiny")

for _name, _file, _zoo in (
    ("r3d_18", "r3d_18-b3b3357e", Zoo("torchvision", 33.371472, 40.697, top1=63.2)),
    ("mc3_18", "mc3_18-a90a0ba3", Zoo("torchvision", 11.695440, 43.343, top1=63.96)),
    ("r2plus1d_18", "r2plus1d_18-91a641e6", Zoo("torchvision", 31.505325, 40.519, top1=67.463)),
):
    _of_torchvision(_name, "resnet3d", _file, "fc", (16, 2, 112), "kinetics", _zoo)

_of_torchvision(
    "s3d", "s3d", "s3d-d76dad2f", "classifier", (128, 2, 224), "kinetics",
    Zoo("torchvision", 8.320048, 17.979, frames=16, top1=68.368), projection="classifier.1",
    input={"least": 8}, other_names="dtkd.models.name_maps:S3D",  # torch fails at 5
)  # fmt: skip

for _name, _file, _clip, _names, _zoo in (
    ("slow_r50", "SLOW_8x8_R50", (8, 8, 256), "SLOW", Zoo("pytorchvideo", 32.45, 54.52, top1=74.58)),
    ("c2d_r50", "C2D_8x8_R50", (8, 8, 256), "RESNET3D", Zoo("pytorchvideo", 24.33, 25.89, top1=71.46, norms=True)),
    ("i3d_r50", "I3D_8x8_R50", (8, 8, 256), "RESNET3D", Zoo("pytorchvideo", 28.04, 37.53, top1=73.27, norms=True)),
    ("csn_r101", "CSN_32x2_R101", (32, 2, 256), "", Zoo("pytorchvideo", 22.21, 75.62, top1=77.00, norms=True)),
    ("r2plus1d_r50", "R2PLUS1D_16x4_R50", (16, 4, 256), "", Zoo("pytorchvideo", 28.11, 76.45, top1=76.01, norms=True)),
):
    _of_pytorchvideo(
        _name, "resnet3d", _file, "blocks.6" if _names == "RESNET3D" else "blocks.5", _clip, _zoo,
        input={"least": 2} if _names == "RESNET3D" else {},  # a pooling of two frames
        other_names=f"dtkd.models.name_maps:{_names}" if _names else (),
    )  # fmt: skip

for _name, _clip, _zoo in (
    ("x3d_xs", (4, 12, 182), Zoo("pytorchvideo", 3.79, 0.91, top1=69.12, norms=True)),
    ("x3d_s", (13, 6, 182), Zoo("pytorchvideo", 3.79, 2.96, top1=73.33, norms=True)),
    ("x3d_m", (16, 5, 256), Zoo("pytorchvideo", 3.79, 6.72, top1=75.94, norms=True)),
    ("x3d_l", (16, 5, 356), Zoo("pytorchvideo", 6.15, 26.64, top1=77.44, norms=True)),
):
    _of_pytorchvideo(_name, "x3d", _name.upper(), "blocks.5", _clip, _zoo, linear=False)

_of_torchvision(
    "mvit_v1_b", "mvit", "mvit_v1_b-dbeb1030", "head", (16, 4, 224), "pytorchvideo",
    Zoo("torchvision", 36.610672, 70.599, top1=78.477), projection="head.1", groups=WITHOUT_DECAY,
)  # fmt: skip
_of_torchvision(
    "mvit_v2_s", "mvit", "mvit_v2_s-ae3be167", "head", (16, 4, 224), "pytorchvideo",
    Zoo("torchvision", 34.537744, 64.224, top1=80.757), projection="head.1", groups=WITHOUT_DECAY,
    other_names="dtkd.models.name_maps:MVIT_V2",
)  # fmt: skip
for _name, _file, _clip, _gflops, _top1 in (
    ("mvit_base_16x4", "MVIT_B_16x4", (16, 4, 224), 70.80, 78.85),
    ("mvit_base_32x3", "MVIT_B_32x3_f294077834", (32, 3, 224), 170.37, 80.30),
):
    _zoo = Zoo("pytorchvideo", 36.61, _gflops, top1=_top1, norms=True)
    _of_pytorchvideo(
        _name, "mvit", _file, "head", _clip, _zoo, groups=WITHOUT_DECAY, other_names="dtkd.models.name_maps:MVIT_V1"
    )

for _name, _file, _zoo in (
    ("swin3d_t", "swin3d_t-7615ae03", Zoo("torchvision", 28.158070, 43.882, frames=16, top1=77.715)),
    ("swin3d_s", "swin3d_s-da41c237", Zoo("torchvision", 49.816678, 82.841, frames=16, top1=79.521)),
    ("swin3d_b", "swin3d_b_1k-24f7c7c6", Zoo("torchvision", 88.048984, 140.667, frames=16, top1=79.427)),
):
    _of_torchvision(
        _name, "swin3d", _file, "head", (32, 2, 224), "imagenet", _zoo, input={"multiple": 2, "least": 2},
        groups=WITHOUT_DECAY, other_names="dtkd.models.name_maps:SWIN3D",
    )  # fmt: skip

_transformers = {"needs": "transformers", "groups": WITHOUT_DECAY}
_IMAGES_FIRST: dict[str, Any] = {"prepare": "dtkd.models.hugging_face:frames_first"}
_add(
    "videomae_base", "hugging_face:videomae_base", "classifier", clip=(16, 4, 224), pixels="imagenet",
    input={"multiple": 2, "least": 2, **_IMAGES_FIRST}, zoo=Zoo("videomae", 87, 180, top1=81.5),
    kinetics400=Published(f"{HUB}MCG-NJU/videomae-base-finetuned-kinetics"),
    other_names="dtkd.models.name_maps:VIDEOMAE", **_transformers,
)  # fmt: skip
_add(
    "timesformer_base", "hugging_face:timesformer_base", "classifier", clip=(8, 32, 224), pixels="pytorchvideo",
    input=_IMAGES_FIRST, zoo=Zoo("timesformer", 121.4, 590 / 3, top1=78.0),
    kinetics400=Published(f"{HUB}facebook/timesformer-base-finetuned-k400"), **_transformers,
)  # fmt: skip
_add(
    "vivit_base", "hugging_face:vivit_base", "classifier", clip=(32, 2, 224), pixels="halves",
    input={"multiple": 2, "least": 2, **_IMAGES_FIRST}, zoo=Zoo("vivit", 88.9, 455.2, top1=80.0),
    kinetics400=Published(f"{HUB}google/vivit-b-16x2-kinetics400"),
    other_names="dtkd.models.name_maps:VIVIT", **_transformers,
)  # fmt: skip


# Every image network of timm, frame by frame (tsn-...) or with channels that move in time (tsm-...).

SHIFTABLE = ("resnet", "regnet", "efficientnet", "mobilenetv3", "hardcorenas")  # timm's modules with blocks for TSM
_OTHER_NAMES = {"resnet": ("RESNET_TSN", "RESNET_TSM"), "efficientnet": ("EFFICIENTNET", "EFFICIENTNET")}


@cache
def _tsn(network: str) -> Network:
    return _per_frame("tsn", _image("tsn", network))


@cache
def _tsm(network: str) -> Network:
    image = _image("tsm", network)
    if image.family not in SHIFTABLE:
        raise DtkdError(
            f"backbone 'tsm-{network}': TSM moves channels in the residual blocks of timm's {', '.join(SHIFTABLE)}, "
            f"and {network} is of {image.family}: take 'tsn-{network}', or another network"
        )
    return _per_frame("tsm", image)


def _image(kind: str, network: str) -> Image:
    if network not in images():
        raise DtkdError(
            f"backbone '{kind}-{network}': timm has no network {network!r} with one classifier"
            f"{hint(network, images()) or '; timm.list_models() lists them'}"
        )
    return images()[network]


def _per_frame(kind: str, image: Image) -> Network:
    names = _OTHER_NAMES.get(image.family)
    return Network(
        f"dtkd.models.per_frame:{kind}",
        Head(image.classifier, image.classifier),
        Input(crop=image.crop, one_crop=image.fixed, mean=image.mean, std=image.std),
        imagenet=Published(f"{HUB}{image.weights}") if image.weights else None,
        groups=WITHOUT_DECAY,
        options={"network": image.network},
        other_names=f"dtkd.models.name_maps:{names[kind == 'tsm']}" if names else (),
    )


NETWORKS.families |= {"tsn-": _tsn, "tsm-": _tsm}

for _name in ("linear", "temporal_conv", "temporal_transformer", "attentive_pool"):
    NETWORKS.add(_name, Network(f"dtkd.models.temporal:{_name}", Head("head", "head"), Input(features=True)))
