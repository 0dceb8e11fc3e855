"""Teachers that were made elsewhere: checked, and taken as they are."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from dtkd.common.download import verify
from dtkd.common.errors import DtkdError
from dtkd.models import weights
from dtkd.training import networks
from dtkd.training.metrics import top_k

COLUMNS = ("epoch", "lr", "train_loss", "train_top1", "train_seconds", "wait_seconds", "top1", "top5", "test_seconds")


def checkpoint(
    path: str | Path, settings: Mapping[str, Any], classes: Sequence[str], pixels: Mapping[str, Sequence[float]]
) -> dict[str, Any]:
    """What a training of this teacher would have left: ``model``, ``last`` (the same weights), ``epoch`` (0).

    Args:
        path: a checkpoint of this project, or a network's parameters (`weights.load_state_dict`).
        settings: the teacher's, `Study.settings`.
        classes: in the order of the labels.
        pixels: ``mean`` and ``std`` by which the study normalises.

    Raises:
        DtkdError: the file is missing, damaged or of another network, or says that it is of other classes, clips,
            pixels or another group.
    """
    if not Path(path).exists():
        raise DtkdError(f"{path}: there is no such file; teachers.checkpoints names it")
    verify(path)
    about = weights.load_safely(path)
    if isinstance(about, Mapping) and "settings" in about:  # this project's, which says what it is of
        _check(str(path), about, settings, classes, pixels)
    state = weights.parameters_in(about, path)
    state = networks.with_weights(dict(settings), len(classes), state, str(path)).state_dict()
    return {"model": state, "last": state, "epoch": 0}


def history(predictions: pd.DataFrame, own: Sequence[int]) -> pd.DataFrame:
    """A row for no epoch, in the form of a training's: what it has of the test videos of its ``own`` classes."""
    mine = predictions[predictions["label"].isin(own)]
    logits, labels = np.stack(mine["logits"]), mine["label"].to_numpy()
    row = dict.fromkeys(COLUMNS, math.nan) | dict.fromkeys((name for name in COLUMNS if name.endswith("seconds")), 0.0)
    return pd.DataFrame([row | {"epoch": 0, "top1": top_k(logits, labels, 1), "top5": top_k(logits, labels, 5)}])


def _check(
    path: str, about: Mapping[str, Any], settings: Mapping[str, Any], classes: Sequence[str],
    pixels: Mapping[str, Sequence[float]],
) -> None:  # fmt: skip
    if list(about["classes"]) != list(classes):
        raise DtkdError(f"{path}: its classes are not the study's, in the order of the labels; give a teacher of these")
    made = about["settings"]
    # (a network takes squares of any side: of a study of its own, the checkpoint does not say it with the clip)
    frames = [{key: value for key, value in each["clip"].items() if key != "crop"} for each in (made, settings)]
    for key, was, wanted in (("backbone", made["backbone"], settings["backbone"]), ("clip", *frames)):
        if was != wanted:
            raise DtkdError(f"{path}: was trained with {key} {was}, and the study has {wanted}; give a "
                            "teacher of this study's, or leave it out of teachers.checkpoints")  # fmt: skip
    trained = {"LT": made["frozen"], "teachers.outputs": made.get("teacher_outputs", "masked")}
    wanted = {"LT": settings["frozen"], "teachers.outputs": settings.get("teacher_outputs", "masked")}
    for key, value in trained.items():
        if value != wanted[key]:
            raise DtkdError(
                f"{path}: was trained with {key}: {str(value).lower()}, and the study's students ask for "
                f"{str(wanted[key]).lower()}; set {key} as it was, or leave the file out of teachers.checkpoints"
            )
    if (group := made.get("subset", settings["subset"])) != settings["subset"]:
        raise DtkdError(
            f"{path}: is the {group} teacher, and teachers.checkpoints has it for {settings['subset']}; swap them"
        )
    for key in ("mean", "std"):
        own, ours = about.get("pixels", pixels)[key], pixels[key]
        if not np.allclose(own, ours, rtol=0, atol=1e-3):
            raise DtkdError(
                f"{path}: its clips were normalised by the {key} {_shown(own)}, the study's are by {_shown(ours)}: it "
                "would see other pixels than it learned; have the teacher trained here"
            )


def _shown(values: Sequence[float]) -> str:
    return ", ".join(f"{value:.3f}" for value in values)
