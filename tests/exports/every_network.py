"""Every network as a file, ONNX and torch.export's: `make test-exports` (the name keeps it out of `pytest` alone).

Each has random weights, sees clips of its smallest size, and its file has to answer as it does. `mvit_v2_s` takes
minutes: the ONNX exporter tries pairs of its many slices, each with each.
"""

from importlib.util import find_spec

import pytest
import torch
from torch import nn

from dtkd import models
from dtkd.inference import export, exported
from dtkd.inference.trained import Trained, described
from dtkd.models import backbones
from dtkd.training import networks
from dtkd.training.classifier import Classifier
from dtkd.training.normalise import of_statistics

IMAGES = [
    "tsn-test_vit", "tsn-test_convnext", "tsn-tf_efficientnet_lite0", "tsn-resnet18", "tsm-tf_efficientnet_lite0",
    "tsm-resnet18", "tsm-mobilenetv3_small_050",
]  # fmt: skip
EVERY = [
    pytest.param(
        name,
        marks=pytest.mark.skipif(bool(needs) and find_spec(needs) is None, reason=f"needs pip install '.[{needs}]'"),
    )
    for name in [*models.names(), *IMAGES]
    for needs in [models.entry(name).needs]
]
CLASSES = ["bow", "clap", "wave"]
CROP, WIDTH, CLIPS = 32, 16, 3
SPREAD = 1.0
"""The standard deviation of the logits over the clips: far above what may be a difference to the file (1e-4)."""


def untrained(name: str) -> Trained:
    """A network as a checkpoint would give it, with logits that its clips tell apart."""
    takes = models.entry(name).input
    frames = 4 if name.startswith("tsm-") else takes.smallest  # in time, channels of one frame have nowhere to move
    settings = {
        "backbone": name, "dropout": 0.5, "frozen": False, "seed": 0, "clip": {"frames": frames, "rate": 1},
        "train": {"epochs": 1, "batch_size": 2, "lr": 0.01},
    }  # fmt: skip
    pixels = {"mean": [0.4, 0.5, 0.6], "std": [0.2, 0.3, 0.4]}
    if takes.features:
        settings["dimension"] = WIDTH
        pixels = {"of": "features", "mean": [0.1] * WIDTH, "std": [0.9] * WIDTH}
    else:
        crop = takes.crop if takes.one_crop else CROP
        settings["augment"] = {"short_side": [crop, crop], "crop": crop, "test_short_side": crop}
    model = networks.new_model(settings, len(CLASSES), None).eval()
    about = {"settings": settings, "classes": CLASSES, "own": None, "pixels": pixels}
    return described(Classifier(model, None), of_statistics(pixels), about)


def clips_of(trained: Trained) -> list[torch.Tensor]:
    """Clips that differ from one another and from frame to frame: noise of a few large squares."""
    draw = torch.Generator().manual_seed(0)
    T = trained.clip.frames
    if trained.augment is None:
        return list(torch.randn(CLIPS, WIDTH, T, generator=draw))
    S = trained.augment.crop
    squares = torch.randint(256, (CLIPS, 3, T, 4, 4), generator=draw).float()
    return list(nn.functional.interpolate(squares, (T, S, S)).to(torch.uint8))


@torch.no_grad()
def spread(trained: Trained, clips: list[torch.Tensor]) -> None:
    """Scale the head's weights until the clips' logits differ by `SPREAD`; a network that nobody trained says nearly
    the same of all."""
    logits = torch.cat([trained.classifier(trained.normalise(clip[None])) for clip in clips])
    backbones.projection(trained.classifier.model).weight.mul_(SPREAD / logits.std(0).mean())


@pytest.mark.parametrize("name", EVERY)
def test_its_files_answer_as_it_does(name, tmp_path):
    torch.manual_seed(0)
    trained = untrained(name)
    clips = clips_of(trained)
    spread(trained, clips)
    about = exported.description(trained, "fp32", {}, "")
    for suffix in exported.FORMATS:
        found = export.export(trained, tmp_path / f"network{suffix}", "fp32", clips, about)
        assert found.clips == found.agreeing == CLIPS
        assert found.difference <= 1e-4 * max(1.0, found.largest)
