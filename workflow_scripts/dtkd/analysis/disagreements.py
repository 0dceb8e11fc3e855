"""Test videos that exactly one of two models gets right: both predictions, and a small picture of the surest ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from dtkd.common.errors import DtkdError
from dtkd.config import Augment
from dtkd.data.pictures import jpeg, middle_frame
from dtkd.training import cropping
from dtkd.training.metrics import Predictions, log_softmax, top_k_correct

COLUMNS = [
    "dataset", "list", "right", "video", "class", "subset",
    "student", "student_answer", "student_confidence", "baseline", "baseline_answer", "baseline_confidence",
]  # fmt: skip
PICTURED = 12
"""Videos with a picture: the surest of each dataset and side."""
SIDE = 120
"""Pixels of a picture's shorter side, at most."""


def disagreements(student: Predictions, baseline: Predictions, classes: Sequence[str]) -> pd.DataFrame:
    """One row a test video that exactly one of the two gets right, by the selected epochs' weights.

    Columns: ``right`` (student or baseline), ``video``, ``class``, and of both ``<model>_answer`` (a class; empty
    where a model's logits are not numbers) and ``<model>_confidence`` (the probability, 0 to 1, that it gives
    it). The student's wins come first, and of each side those where the two are surest together.

    Raises DtkdError if the two were not tested on the same videos.
    """
    if student.videos != baseline.videos or (student.labels != baseline.labels).any():
        raise DtkdError("disagreements: student and baseline have predictions of different test videos; remake both")
    models, table = {"student": student, "baseline": baseline}, {}
    right = {name: top_k_correct(model.logits, model.labels) for name, model in models.items()}
    table["right"] = np.where(right["student"], "student", "baseline")
    table["video"] = student.videos
    table["class"] = np.array(classes, object)[student.labels]
    for name, model in models.items():
        predicted, table[f"{name}_confidence"] = _predicted(model.logits, model.labels, right[name])
        table[f"{name}_answer"] = [classes[label] if label >= 0 else "" for label in predicted]
    table = pd.DataFrame(table)[right["student"] != right["baseline"]]
    surest = -(table["student_confidence"].fillna(0) + table["baseline_confidence"].fillna(0))
    order = table.assign(loser=table["right"] == "baseline", surest=surest)
    return table.loc[order.sort_values(["loser", "surest", "video"]).index].reset_index(drop=True)


def _predicted(logits: np.ndarray, labels: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(N,) each predicted class, -1 for none, and the probability that the model gives it.

    A label that only ties for the first place is not predicted, as it does not count as correct: the other one is.
    """
    number = ~np.isnan(logits).any(axis=1)
    probabilities = np.exp(log_softmax(np.where(number[:, None], logits, 0.0).astype(np.float64)))
    rivals = probabilities.copy()
    rivals[np.flatnonzero(~right), labels[~right]] = -1.0  # a wrong model predicts another class
    predicted = np.where(number, rivals.argmax(axis=1), -1)
    confidences = np.take_along_axis(probabilities, np.maximum(predicted, 0)[:, None], axis=1)[:, 0]
    return predicted, np.where(number, confidences, np.nan)


def pictured(table: pd.DataFrame, most: int = PICTURED) -> pd.DataFrame:
    """The rows whose videos get a picture: the first ``most`` of each dataset and side."""
    return table.groupby(["dataset", "right"], sort=False).head(most)


def picture(path: str | Path, augment: Augment, crops: int = 1, side: int = SIDE) -> str:
    """The middle frame of a video as networks meet it (`cropping.as_fed`): a small JPEG, base64.

    Raises VideoError (see ``video.read``).
    """
    return jpeg(cropping.as_fed(middle_frame(path), augment, crops), side)


def pictures(
    table: pd.DataFrame, roots: Mapping[str, str], augment: Augment, crops: int = 1
) -> dict[str, dict[str, str]]:
    """Dataset -> video -> its `picture`, of the ``pictured`` rows; ``roots`` are the datasets' folders of videos."""
    found: dict[str, dict[str, str]] = {dataset: {} for dataset in roots}
    for row in pictured(table).to_dict("records"):
        found[row["dataset"]][row["video"]] = picture(Path(roots[row["dataset"]], row["video"]), augment, crops)
    return found
