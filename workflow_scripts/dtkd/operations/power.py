"""What a study can show: the smallest gain that its test videos are likely to tell from chance."""

from __future__ import annotations

from collections.abc import Mapping
from math import isnan
from pathlib import Path
from typing import Any

from dtkd.analysis import shown_runs
from dtkd.analysis.significance import smallest_gain
from dtkd.config import Study
from dtkd.data import published
from dtkd.operations.plan import Size
from dtkd.training.metrics import Predictions, top_k


def rows(study: Study, sizes: Mapping[str, Size]) -> list[dict[str, Any]]:
    """A row for each data set and list that has students: test videos, the baseline's accuracy, and what they show.

    ``one student``: points of top-1 that a student named beforehand has to gain, so that the exact paired test finds
    it (p < 0.05) with a chance of 80 %. ``one of all``: the same where all of the list's students and controls are
    looked at (Holm's first step). Several seeds count as so many times the videos: what one pair of trainings differs
    by, others do not.
    """
    found = []
    for dataset in study.use:
        lists = {row.list for row in study.students_of(dataset).values()}
        for number in sorted(lists):
            count = study.compared(dataset)[number]
            videos = round(sizes[dataset].test[number]["all"])
            accuracy, source = expected_accuracy(study, dataset, number, sizes[dataset].classes)
            cases = videos * len(study.seeds)
            found.append({
                "data set": dataset, "list": number, "test videos": videos, "seeds": len(study.seeds),
                "baseline, %": f"{100 * accuracy:.1f} ({source})",
                "one student": _points(smallest_gain(cases, accuracy)),
                "compared": count, "one of all": _points(smallest_gain(cases, accuracy, alpha=0.05 / count)),
            })  # fmt: skip
    return found


def expected_accuracy(study: Study, dataset: str, number: int, classes: int) -> tuple[float, str]:
    """The top-1 (0 to 1) of the baseline that a list's students are compared with, and where it is from.

    Its own where it is finished; else the paper's of such a data set; else halfway from guessing to all right.
    """
    references = study.references(dataset, number)
    assert references, "checks.students_have_a_reference"
    runs = shown_runs.baseline_runs(study, dataset, next(iter(references.values()))[1])
    files = [file for file in shown_runs.predictions(study, runs) if Path(file).exists()]
    if files:
        finished = [Predictions.read(file) for file in files]
        return sum(top_k(run.logits, run.labels, 1) for run in finished) / len(files) / 100, "measured"
    own = study.datasets[dataset].format
    if own in published.DATASETS and study.model.weights == "kinetics400":
        table = published.table(3)
        papers = table[(table["dataset"] == own) & (table["list"] == number) & ~table["frozen"]]
        return float(papers["top1"].iloc[0]) / 100, "the paper's"
    return (1 + 1 / classes) / 2, "not known yet: halfway from guessing"


def _points(gain: float) -> str:
    return "none" if isnan(gain) else f"{100 * gain:.1f}"
