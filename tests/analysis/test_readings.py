"""benchmarks/readings.py and update_docs.py: what the study of readings gave, put where decisions.md waits for it."""

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dtkd.data import published

PROJECT = Path(__file__).parents[2]
sys.path.insert(0, str(PROJECT / "benchmarks"))
import readings  # noqa: E402
import update_docs  # noqa: E402

CLASSES = ["a", "b", "c", "d"]


@pytest.fixture
def results(tmp_path):
    """The study's results, of twelve test videos in four classes, the first of which is static."""
    study = readings.study_of([str(PROJECT / "studies" / "readings.yaml")], PROJECT, [f"results={tmp_path}"])
    labels = np.arange(12) % 4
    for dataset in study.use:
        (tmp_path / dataset).mkdir()
        split = {name: {"subset": "static" if name == "a" else "dynamic"} for name in CLASSES}
        (tmp_path / dataset / "split.json").write_text(json.dumps({"classes": split}))
        index = {"video": [f"{n}.avi" for n in range(12)], "class": [CLASSES[n] for n in labels], "label": labels}
        pd.DataFrame(index).to_parquet(tmp_path / dataset / "videos.parquet")
    random = np.random.default_rng(0)
    for folder, run in study.runs().items():
        logits = random.normal(size=(12, 4)) + 2 * np.eye(4)[labels]
        if run.subset and run.outputs == "masked":
            logits[:, [0] if run.subset == "dynamic" else [1, 2, 3]] = -np.inf
        (tmp_path / folder).mkdir(parents=True)
        pd.DataFrame({"video": [f"{n}.avi" for n in range(12)], "label": labels, "logits": list(logits),
                      "logits_last": list(logits)}).to_parquet(tmp_path / folder / "predictions.parquet")  # fmt: skip
    return study


def test_table_6_by_every_reading_beside_the_papers(results):
    found = pd.DataFrame(readings.imitation(results))
    readings_of_it = found.iloc[:24][["teachers", "KL(S ‖ T)"]].drop_duplicates().to_numpy().tolist()
    assert readings_of_it == [
        ["masked", "Σ S (log S − log T), floor 1e-12"], ["masked", "Σ T (log T − log S)"],
        ["full", "Σ S (log S − log T)"], ["full", "Σ T (log T − log S)"],
    ]  # fmt: skip
    ours = found.iloc[:24].groupby(["teachers", "KL(S ‖ T)"], sort=False)
    for (teachers, direction), rows in ours:
        assert rows["data set"].tolist() == ["demo_ucf"] * 3 + ["demo_hmdb"] * 3
        cross = float(rows["Dy-T"].iloc[1])
        floored = teachers == "masked" and "floor" in direction
        assert (cross > 10) == floored, "with the floor a cross value is nearly its logarithm"
    paper = found.iloc[24:]
    assert paper["data set"].tolist() == ["the paper's ucf101, SU12"] * 3 + ["the paper's hmdb51, SH3"] * 3
    assert paper["St-T"].astype(float).tolist() == published.table(6)["kl_static_teacher"].tolist()
    assert paper["SIR"].iloc[1] == "170.6"


def test_decisions_wait_for_both_tables():
    pages = {file.name: file.read_text(encoding="utf-8") for file in update_docs.DOCS.rglob("*.md")}
    done = update_docs.pasted(pages, {"readings": "| one |\n", "imitation": "| two |\n"})
    changed = {name for name in pages if done[name] != pages[name]}
    assert changed == {"decisions.md"}
    assert "<!-- readings -->\n| one |\n<!-- end -->" in done["decisions.md"]
    assert "<!-- imitation -->\n| two |\n<!-- end -->" in done["decisions.md"]
    again = update_docs.pasted(done, {"readings": "| one |\n"})
    assert again == done


@pytest.mark.parametrize(("pages", "count"), [({"a": "no place"}, 0), ({"a": "<!-- x -->\n<!-- end -->\n" * 2}, 2),
                                              (dict.fromkeys("ab", "<!-- x -->\n<!-- end -->\n"), 2)])  # fmt: skip
def test_a_table_without_one_place_is_refused(pages, count):
    with pytest.raises(SystemExit, match=f"has {count} places for x"):
        update_docs.pasted(pages, {"x": "text"})


def test_the_papers_gap_between_dtkd_and_bskd_is_as_decisions_have_it():
    top1 = published.table(5).set_index("model")["top1"]
    page = (PROJECT / "docs" / "explanation" / "decisions.md").read_text(encoding="utf-8")
    assert f"the {top1['SU4'] - top1['SU13']:.1f} points" in page
