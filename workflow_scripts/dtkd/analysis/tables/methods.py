"""Baselines and students beside one another: pooled over seeds and lists, with calibration, tests and costs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from dtkd.analysis import calibration, significance
from dtkd.analysis.tables.comparisons import adjust
from dtkd.analysis.tables.groups import of_videos, subsets_of
from dtkd.analysis.tables.pooled import differences
from dtkd.analysis.tables.rows import SIZES, Row, network_columns, network_of, titled, with_std
from dtkd.analysis.tables.scores import read_alike, spread
from dtkd.common.errors import DtkdError
from dtkd.common.files import read_parquet
from dtkd.data.groups import group_names
from dtkd.data.recordings import recordings
from dtkd.training.metrics import Predictions, top_k, top_k_correct

CAPTION = (
    "Baselines and students, those that differ in the list alone as one: means over seeds and lists, and the sample "
    "standard deviation of top-1 over them. NLL, ECE and Brier say how far probabilities can be trusted; less is "
    "better. Gain: points of top-1 over the baselines of the same lists, with its 95 % bootstrap interval; p: exact "
    "paired test, beside it adjusted for all rows of the data set (Holm); both take the clips of one recording as one "
    "case. Hours of training, the row's own and its teachers', are those of one seed and list; teachers' passes are "
    "those for each clip of its training, which itself costs about three"
)
SHARED = (
    "Teachers serve all students that have the same ones: their cost is in the row of each of these, and was spent "
    "once. Their hours are those of their trainings, without what they answer, or learn, while a student is trained."
)
SEARCHED = (
    "Hours of a student that is the best of several candidates are those of its own training; the table searches has "
    "what the candidates took."
)


def methods(rows: Iterable[Row], splits: Mapping[str, Row], indexes: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Every baseline and student, those that differ in the list alone as one row, their seeds and lists together.

    Args:
        rows: dataset, models, lists, method, variant, teacher_passes, teacher_trainings, whether it is ``compared``
            and ``searched`` for, and ``of_lists``: per list the files of ``predictions``, of its ``baseline``'s of the
            same seeds (if compared), of ``history`` and of the ``teachers``' histories.
        splits: dataset -> its `split.json`: the groups of classes.
        indexes: dataset -> its videos, and which of them are of one recording (`recordings`).

    Returns:
        One row a group of runs. Accuracies and calibration (`analysis.calibration`) are means over these; ``gain`` is
        the mean over the lists, as in `students_over_lists`, and a video counts once, by the mean of its differences
        over seeds. ``gain_low``, ``gain_high`` and ``p`` draw or flip all videos of a recording together
        (`significance.interval_of_clusters`, `sign_flip_p_of_clusters`); ``p_holm`` is adjusted for the rows of the
        data set.
    """
    rows = list(rows)
    known = {name: (subsets_of(name, splits[name], index), recordings(index)) for name, index in indexes.items()}
    table = [_scored(row, *known[row["dataset"]]) for row in rows]
    for dataset in {row["dataset"] for row in table}:
        adjust([row for row in table if row["dataset"] == dataset])
    groups = dict.fromkeys(_of_group(name) for row in table for name in group_names(splits[row["dataset"]]))
    columns = ["dataset", "models", *network_columns(rows), "method", "variant", "lists", "seeds", "videos",
               "recordings", *with_std(["top1"]), "top5", *groups, "nll", "ece", "brier", "gain", "gain_low",
               "gain_high", "p", "p_holm", "teacher_passes", "teacher_trainings", "hours",
               "teacher_hours"]  # fmt: skip
    notes = [
        _note(name, known[name][1], _sign(indexes[name])) for name in dict.fromkeys(row["dataset"] for row in table)
    ]
    caption = f"{CAPTION}. {SIZES}" if network_columns(rows) else CAPTION
    searched = [SEARCHED] if any(row["searched"] for row in table) else []
    return titled(pd.DataFrame(table, columns=columns), "methods", caption, [*notes, SHARED, *searched])


def _of_group(name: str) -> str:
    """The column of a group's accuracy."""
    return f"top1_{name}_classes"


def _scored(row: Row, subsets: np.ndarray, of_recording: Mapping[str, str]) -> dict[str, Any]:
    """A row with all that its runs scored and took."""
    lists = row["of_lists"]
    runs = [read_alike(own["predictions"]) for own in lists]
    scores = [
        _scores(run, of_videos(file, run, subsets))
        for own, side in zip(lists, runs, strict=True)
        for file, run in zip(own["predictions"], side, strict=True)
    ]
    tested = {(label, name) for side in runs for label, name in zip(side[0].labels, side[0].videos, strict=True)}
    known = {name: _recording(name, of_recording, lists[0]["predictions"][0]) for _, name in tested}
    gain = _gain(lists, runs, known) if row["compared"] else {"p": math.nan}
    teachers = [file for own in lists for file in own["teachers"]]
    return {
        **row, **(network_of(row["record"]) if "record" in row else {}), **spread(scores, scores[0]), **gain,
        "seeds": len(runs[0]), "videos": len(tested), "recordings": len(set(known.values())),
        "hours": _hours([file for own in lists for file in own["history"]]) / len(scores),
        "teacher_hours": _hours(teachers) / len(scores) if teachers else math.nan,
    }  # fmt: skip


def _scores(run: Predictions, subsets: np.ndarray) -> dict[str, float]:
    """Of one run, by the selected epoch's weights."""
    right = top_k_correct(run.logits, run.labels)
    scores = {f"top{k}": top_k(run.logits, run.labels, k) for k in (1, 5)}
    scores |= {measure.__name__: measure(run.logits, run.labels)
               for measure in (calibration.nll, calibration.ece, calibration.brier)}  # fmt: skip
    return scores | {_of_group(name): 100 * float(right[subsets == name].mean()) for name in np.unique(subsets)}


def _recording(name: str, of_recording: Mapping[str, str], file: str | Path) -> str:
    if name not in of_recording:
        raise DtkdError(f"{file}: {name} is not in the data set's videos.parquet; let the workflow make both again")
    return of_recording[name]


def _gain(
    lists: Sequence[Mapping[str, Any]], runs: Sequence[Sequence[Predictions]], known: Mapping[str, str]
) -> dict[str, float]:
    """The gain over the baselines in points, its interval and p, recordings being the cases."""
    by_video = differences(lists, [(side, read_alike(own["baseline"])) for own, side in zip(lists, runs, strict=True)])
    groups = np.array([known[name] for _, name in by_video.index])
    low, high = significance.interval_of_clusters(
        100 * by_video["share"].to_numpy(), by_video["weight"].to_numpy(), groups
    )
    p = significance.sign_flip_p_of_clusters(by_video["won"].to_numpy(), groups)
    gain = round(100 * float(by_video["share"].sum()), 9)  # so that it ends in 5 where other tables' does
    return {"gain": gain, "gain_low": low, "gain_high": high, "p": p}


def _hours(histories: Iterable[str]) -> float:
    """How long trainings took, without their tests; each file once."""
    return sum(float(read_parquet(file)["train_seconds"].sum()) for file in dict.fromkeys(histories)) / 3600


def _note(dataset: str, found: Mapping[str, str], sign: str) -> str:
    """What its intervals and p take for one case: path -> recording, and what tells of that."""
    several = len(found) - len(set(found.values()))
    if not several:
        return f"{dataset}: neither lists nor names tell which videos are of one recording; each counts as its own."
    return f"{dataset}: {len(found)} videos of {len(set(found.values()))} recordings, by its {sign}."


def _sign(index: pd.DataFrame) -> str:
    return "groups" if "group" in index else "videos' names"
