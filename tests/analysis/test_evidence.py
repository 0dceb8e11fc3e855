"""benchmarks/evidence.py: what a specialist knows beside a baseline that is told the group, and which claims hold."""

import datetime
import json
import sys
from pathlib import Path

import numpy as np
import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))
import evidence  # noqa: E402
import update_docs  # noqa: E402

from dtkd.training.metrics import Predictions  # noqa: E402


def of_persons(persons):
    """What a data set has of videos by person."""
    return evidence.Found(None, "own", None, {f"{n}.npy": person for n, person in enumerate(persons)})


def test_a_video_counts_once_and_a_person_is_one_case():
    found = of_persons("aabb")
    videos = [f"{n}.npy" for n in range(4)]
    twice = [(videos, np.array([1, 1, 0, 0])), (videos, np.array([1, -1, 0, 0])), (videos[:2], np.array([1, 1]))]
    difference = evidence.difference(found, twice)
    assert difference.gain == pytest.approx(100 * (1 + 1 / 3) / 4)
    assert difference.p == 1.0, "one person differs, whose sign may be either"
    assert difference.low == 0, "nobody but b was drawn"
    alike = evidence.difference(of_persons("abcdefghij"), [([f"{n}.npy" for n in range(10)], np.ones(10))])
    assert (alike.gain, alike.p) == (100, 2 / 2**10)


def test_who_is_told_the_group_chooses_among_its_classes():
    logits = np.array([[5.0, 4, 1], [0, 2, 9], [7, 8, 6]])
    run = Predictions(["a", "b", "c"], np.array([1, 1, 0]), logits, logits)
    own, group = np.array([True, True, False]), np.array([False, True, True])
    assert evidence._right(run, own).tolist() == [False, False]
    assert evidence._right(run, own, group).tolist() == [True, False]


@pytest.mark.parametrize(("gain", "p", "verdict"), [
    (1.0, 0.01, "holds"), (-1.0, 0.01, "the contrary"), (1.0, 0.2, "not told from chance"), (None, None, "not run"),
])  # fmt: skip
def test_claims(gain, p, verdict):
    found = None if gain is None else evidence.Difference(gain, gain - 1, gain + 1, p)
    row = evidence.claim("It is so", "one − other", found)
    assert row["here"] == verdict
    assert row["points [95 % CI]"] == ("" if gain is None else f"{gain:+.2f} [{gain - 1:+.2f}, {gain + 1:+.2f}]")


def test_time_is_that_of_the_records(tmp_path):
    for number, (minute, seconds) in enumerate([(0, 90.0), (5, 30.0), (2, 600.0), (50, 60.0)]):
        record = {"rule": "train_teacher" if number == 2 else "train_student", "seconds": seconds}
        began = datetime.datetime(2026, 1, 1, 12, minute, tzinfo=datetime.UTC)
        text = json.dumps(record | {"started": began.isoformat(timespec="seconds")})
        (tmp_path / f"{number}.json").write_text(text)
    rows, minutes = evidence.times([evidence.Job.of(file) for file in sorted(tmp_path.iterdir())])
    assert rows == [
        {"rule": "train_student", "jobs": 3, "s a job (median)": "60.0", "all (min)": "3.0"},
        {"rule": "train_teacher", "jobs": 1, "s a job (median)": "600.0", "all (min)": "10.0"},
    ]
    assert minutes == 1.5 + 10 + 1, "the longest began neither first nor last, and there were two pauses"


def test_the_figure_has_a_bar_for_each_number():
    row = {
        "split": "motion",
        "group": "static",
        "classes": 3,
        "baseline": 50.0,
        "baseline, told": 70.0,
        "specialist": 69.0,
    }
    figure = evidence.figure([row, row | {"group": "dynamic", "specialist": 40.0}])
    assert sorted(patch.get_height() for patch in figure.axes[0].patches) == [40, 50, 50, 69, 70, 70]


def test_the_page_has_a_place_for_each_table():
    pages = {file.name: file.read_text(encoding="utf-8") for file in update_docs.DOCS.rglob("*.md")}
    names = ("thetis-claims", "thetis-groups", "thetis-methods", "thetis-time")
    done = update_docs.pasted(pages, {name: f"| {name} |" for name in names})
    assert all(f"| {name} |" in done["evidence.md"] for name in names)
