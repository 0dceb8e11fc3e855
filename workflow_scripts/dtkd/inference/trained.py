"""A trained network, with all that it takes to ask it about a video file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import nn

from dtkd.common.download import verify
from dtkd.common.errors import DtkdError
from dtkd.config import Augment, Clip, Train
from dtkd.models import weights
from dtkd.training import networks
from dtkd.training.classifier import Classifier
from dtkd.training.normalise import Normalise, of_statistics

THREADS = min(8, len(os.sched_getaffinity(0)))  # as a training has
ABOUT = ("settings", "classes", "own", "pixels")
"""What is known of a network beside its weights: `Trained.about` has it."""


class Trained(NamedTuple):
    """A run's network, with all that it takes to ask it about a video file."""

    classifier: nn.Module
    """From normalised clips (N, 3, T, H, W) to logits (N, C); a masked teacher's are -inf for others' classes."""
    normalise: Normalise | nn.Module
    """From uint8 clips to what the classifier takes; ``colour`` is that of margins."""
    classes: list[str]
    """In the order of the logits."""
    clip: Clip
    augment: Augment | None
    """None of features."""
    train: Train
    about: dict[str, Any]
    """What a checkpoint says of its run: ``settings``, ``classes``, its ``own`` ones (None: all), and ``pixels``."""


def of_checkpoint(checkpoint: str | Path, part: str = "model") -> Trained:
    """The network of a run's ``checkpoint.pt`` (or its folder), which is all that is needed: it may lie anywhere.

    ``part`` is `model`, the selected epoch, or `last`, the last one.

    Raises:
        DtkdError: the file is missing or damaged, is no checkpoint of this project, or is one of an earlier version.
        ValueError: there is no such part.
    """
    if part not in ("model", "last"):
        raise ValueError(f"a checkpoint has the parts 'model' and 'last', not {part!r}")
    if Path(checkpoint).is_dir():
        checkpoint = Path(checkpoint, "checkpoint.pt")
    verify(checkpoint)
    held = weights.load_safely(checkpoint)
    if not isinstance(held, dict) or not {"settings", "classes", part} <= held.keys():
        raise DtkdError(f"{checkpoint}: is no checkpoint of a finished run; give the checkpoint.pt of a run's folder")
    if not {"pixels", "own"} <= held.keys():
        raise DtkdError(
            f"{checkpoint}: was made by an earlier version, which left out the pixels' mean and standard deviation; "
            "have its run made again (snakemake --forcerun and this file)"
        )
    about = {name: held[name] for name in ABOUT}
    model = networks.with_weights(about["settings"], len(about["classes"]), held[part], str(checkpoint))
    return described(Classifier(model, allowed(about)), of_statistics(about["pixels"]), about)


def described(classifier: nn.Module, normalise: nn.Module, about: dict[str, Any]) -> Trained:
    """A network with what is known ``about`` it."""
    settings = about["settings"]
    augment = Augment(**settings["augment"]) if "augment" in settings else None
    return Trained(
        classifier, normalise, about["classes"], Clip(**settings["clip"]), augment, Train(**settings["train"]), about
    )


def allowed(about: dict[str, Any]) -> torch.Tensor | None:
    """(C,) bool: the classes that a network may answer with; None: all."""
    own = about["own"]
    return None if own is None else torch.tensor([name in own for name in about["classes"]])


def noise(trained: Trained, count: int) -> torch.Tensor:
    """Noise in the form of what ``trained`` takes, not yet normalised; the same at every call."""
    generator, T = torch.Generator().manual_seed(0), trained.clip.frames
    if trained.augment is None:
        return torch.randn(count, len(trained.about["pixels"]["mean"]), T, generator=generator)
    S = trained.clip.side(trained.augment.crop)
    return torch.randint(256, (count, 3, T, S, S), dtype=torch.uint8, generator=generator)
