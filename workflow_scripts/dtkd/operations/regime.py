"""Whether what students gain in the demo can tell anything of the method: python -m dtkd.regime

What students gain tells of the method only where the baseline leaves them something to gain, where teachers know more
of their own subset than the baseline does, and where test videos are enough to tell. The demo's data and trainings
were chosen so, by these figures alone and never by what students gain. A figure depends a little on the machine that
trains; so each bound has a margin, and only a figure beyond it too is an error.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from dtkd.analysis import shown_runs, significance
from dtkd.common.command import command
from dtkd.common.errors import DtkdError
from dtkd.config import Study
from dtkd.config.overlays import study_of
from dtkd.motion import subsets
from dtkd.training.metrics import Predictions, top_k_correct


@dataclass(frozen=True)
class Bound:
    """The values that a figure should have, and by how much it may miss them on another machine."""

    low: float = -math.inf
    high: float = math.inf
    margin: float = 0.0

    def holds(self, value: float, margin: float = 0.0) -> bool:
        return self.low - margin <= value <= self.high + margin  # NaN never does

    def __str__(self) -> str:
        if self.low == -math.inf:
            return f"≤ {self.high:g}"
        return f"≥ {self.low:g}" if self.high == math.inf else f"{self.low:g} to {self.high:g}"


VIDEOS = Bound(low=300)
BASELINE = Bound(75, 90, margin=3)  # per cent of top-1
TEACHER = Bound(low=2, margin=2)  # points over the baseline, on the videos of the teacher's own subset
LOCKED_TEACHER = Bound(low=-3, margin=2)  # the same for a teacher that trained its head alone
WITHIN = Bound(low=60, margin=10)  # per cent of the baseline's errors: those that a teacher knows how to fix
HALF_WIDTH = Bound(high=3.5, margin=0.5)  # points, of the 95 % interval of a student's gain


def figures(study: Study) -> Iterator[tuple[str, str, float, Bound]]:
    """Dataset, name, value and bound of each figure, of list 1 and averaged over seeds.

    Raises DtkdError, with its name, if a file of the study is missing or broken.
    """
    for dataset in study.use:
        folder = Path(study.results, dataset)
        split = subsets.read_splits([dataset], [folder / "split.json"], [folder / "videos.parquet"])[dataset]
        subset_of = np.array([entry["subset"] for entry in split["classes"].values()])
        first = lambda row, dataset=dataset: (row["dataset"], row["list"]) == (dataset, 1)  # noqa: E731
        baseline, *others = filter(first, shown_runs.table5(study))
        students = [row for row in others if row.get("network") == baseline.get("network")]
        videos, own, right = _right(baseline["predictions"], subset_of)
        yield dataset, "test videos", len(videos), VIDEOS
        yield dataset, f"{baseline['model']}: top-1, chance being {100 / len(subset_of):.1f}", right.mean(), BASELINE
        yield dataset, "its errors within a subset, per cent", _within(baseline["predictions"], subset_of), WITHIN
        for row in filter(first, shown_runs.table4(study)):
            _, _, theirs = _right(row["predictions"], subset_of, videos)
            his, mine = (each[own == row["subset"]].mean() for each in (theirs, right))
            name = f"{row['model']}: the {'locked ' * row['LT']}{row['subset']} teacher's {his:.1f} less {mine:.1f}"
            yield dataset, name, his - mine, LOCKED_TEACHER if row["LT"] else TEACHER
        widths = [
            np.ptp(significance.interval(_right(row["predictions"], subset_of, videos)[2] - right)) / 2
            for row in students
        ]
        yield dataset, f"half of a gain's interval, median of {len(widths)} students", np.median(widths), HALF_WIDTH


def _right(
    files: list[str], subset_of: np.ndarray, videos: list[str] | None = None
) -> tuple[list[str], np.ndarray, np.ndarray]:
    """The test videos, which have to be ``videos``; of each its subset, and the per cent of the seeds that are right.

    ``subset_of`` has the subset of every class.
    """
    runs = [Predictions.read(file) for file in files]
    for file, run in zip(files, runs, strict=True):
        if run.videos != (videos or runs[0].videos):
            raise DtkdError(f"{file}: its test videos are not the baseline's; delete it and let the workflow make it")
    right = np.mean([100.0 * top_k_correct(run.logits, run.labels) for run in runs], axis=0)
    return runs[0].videos, subset_of[runs[0].labels], right


def _within(files: list[str], subset_of: np.ndarray) -> float:
    """Per cent of the wrong predictions, of all seeds, that name a class of the right one's subset."""
    pairs = [(run.labels, run.logits.argmax(axis=1)) for run in map(Predictions.read, files)]
    labels, predicted = (np.concatenate(each) for each in zip(*pairs, strict=True))
    wrong = labels != predicted
    return 100 * float(np.mean(subset_of[labels[wrong]] == subset_of[predicted[wrong]])) if wrong.any() else math.nan


def table(study: Study) -> tuple[pd.DataFrame, bool]:
    """The figures beside their bounds, and whether none is beyond its bound's margin."""
    shown, sound = [], True
    for dataset, name, value, bound in figures(study):
        verdict = "yes" if bound.holds(value) else "nearly" if bound.holds(value, bound.margin) else "no"
        shown.append({"dataset": dataset, "figure": name, "value": f"{value:.4g}", "wanted": str(bound), "is": verdict})
        sound &= verdict != "no"
    return pd.DataFrame(shown), sound


def main() -> None:
    parser = argparse.ArgumentParser("python -m dtkd.regime", description=__doc__.partition(":")[0], allow_abbrev=False)
    parser.add_argument("--configfile", nargs="+", default=[], metavar="FILE", help="overlays of config.yaml")
    parser.add_argument("--config", nargs="+", default=[], metavar="KEY=VALUE", help="single keys, as for snakemake")
    given = parser.parse_args()
    with command():
        study = study_of(given.configfile, Path(), given.config)
        shown, sound = table(study)
        print(shown.to_markdown(index=False, disable_numparse=True))
        if not sound:
            sys.exit(f"error: study {study.name}: students' gains tell little where a figure above is not as wanted")
