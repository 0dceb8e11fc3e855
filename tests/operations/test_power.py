"""What a plan says that a study can show."""

import official
import pandas as pd
import pytest

import plan as script
from dtkd.analysis.significance import smallest_gain
from dtkd.config import read
from dtkd.operations import plan, power

PAPER = official.DATA.parents[1] / "studies" / "paper.yaml"


def paper(**changes):
    merged = script.study_of([PAPER], PAPER.parents[1]).model_dump(mode="json")
    return read(merged | {"split": {"source": "published"}} | changes)


@pytest.fixture(scope="module")
def sizes():
    known = paper()
    return {name: plan.size(known, name) for name in known.use}


def test_the_papers_study(sizes):
    """UCF101's list 1 has 3,783 test videos, of which the paper's baseline has 95.14 % right."""
    first, second = power.rows(paper(), sizes)
    assert (first["data set"], first["list"], first["test videos"]) == ("ucf101", 1, 3783)
    assert (first["baseline, %"], first["compared"]) == ("95.1 (the paper's)", 13)
    assert first["one student"] == f"{100 * smallest_gain(3783, 0.9514):.1f}" == "0.9"
    assert float(first["one of all"]) > float(first["one student"])
    assert float(second["one student"]) > 2, "HMDB51 has fewer videos, and more errors"


def test_seeds_are_further_cases(sizes):
    one, three = (power.rows(paper(seeds=seeds), sizes)[0] for seeds in ([0], [0, 1, 2]))
    assert float(three["one student"]) < 0.7 * float(one["one student"])


def test_a_finished_baseline_is_asked(sizes, tmp_path):
    study = paper(results=str(tmp_path))
    assert power.expected_accuracy(study, "ucf101", 1, 101) == (0.9514, "the paper's")
    folder = tmp_path / study.baseline_run("ucf101", study.reference("ucf101", 1)[1], 0).folder
    folder.mkdir(parents=True)
    logits = [[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]]
    table = {"video": list("abcd"), "label": [0, 0, 1, 0], "logits": logits, "logits_last": logits}
    pd.DataFrame(table).to_parquet(folder / "predictions.parquet")
    assert power.expected_accuracy(study, "ucf101", 1, 101) == (0.75, "measured")


def test_without_either_it_is_halfway_and_says_so(sizes):
    known = paper()
    study = paper(model=known.model.model_dump(mode="json") | {"weights": "none"})
    accuracy, source = power.expected_accuracy(study, "ucf101", 1, 101)
    assert accuracy == pytest.approx((1 + 1 / 101) / 2)
    assert source == "not known yet: halfway from guessing"
