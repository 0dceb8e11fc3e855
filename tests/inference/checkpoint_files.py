"""Checkpoints as training leaves them, of a network that nobody trained."""

import torch

from dtkd.training import networks
from dtkd.training.hardware import Hardware

CLASSES = ["bow", "clap", "nod", "wave"]
SETTINGS = {
    "backbone": "slowfast_small", "dropout": 0.5, "frozen": False, "seed": 0,
    "clip": {"frames": 8, "rate": 1}, "augment": {"short_side": [32, 36], "crop": 32, "test_short_side": 32},
    "train": {"epochs": 1, "batch_size": 4, "lr": 0.01},
}  # fmt: skip
PIXELS = {"mean": [0.4, 0.5, 0.6], "std": [0.2, 0.3, 0.4], "videos": 1, "frames": 1}
CPU = Hardware(torch.device("cpu"), threads=1)


def write(path, own=None, settings=SETTINGS):
    """A checkpoint as training leaves it, the selected and the last epoch's weights apart."""
    model, last = (networks.new_model(settings | {"seed": seed}, 4, None).state_dict() for seed in (1, 2))
    about = {"classes": CLASSES, "own": own, "pixels": PIXELS, "settings": settings}
    torch.save({"model": model, "last": last, "epoch": 1} | about, path)
    return path
