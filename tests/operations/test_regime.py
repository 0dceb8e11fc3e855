"""The demo's regime: figures from predictions, their bounds, and what the command says."""

import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from dtkd.analysis import shown_runs, significance
from dtkd.common.errors import DtkdError
from dtkd.config import read
from dtkd.operations import regime

PROJECT = Path(__file__).parents[2]
# Classes whose labels are not in the order of their names, as in UCF101
LABELS = {"walk": 0, "Typing": 1, "jump": 2, "archery": 3}
STATIC = ("Typing", "archery")


def finished(folder, monkeypatch, **right):
    """A study of 100 test videos a class, of which models are right on the first so many of each subset's 200.

    By the model's name (static, dynamic); ``T`` is of teachers that learnt all, ``L`` of those that trained their head.
    """
    monkeypatch.chdir(folder)
    config = yaml.safe_load((PROJECT / "config.yaml").read_text(encoding="utf-8")) | {"use": ["demo_ucf"]}
    students = config["students"]["demo_ucf"]
    config |= {"analysis": {}, "students": {"demo_ucf": {name: students[name] for name in ("SU1", "SU2", "SU11")}}}
    Path("config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    given = read(config)
    own = Path("results/demo_ucf")
    own.mkdir(parents=True)
    labels = np.repeat(list(LABELS.values()), 100)
    videos = [f"v{n}" for n in range(400)]
    index = pd.DataFrame({"video": videos, "class": np.repeat(list(LABELS), 100), "label": labels, "list1": "test"})
    index.to_parquet(own / "videos.parquet")
    classes = {name: {"subset": "static" if name in STATIC else "dynamic"} for name in sorted(LABELS)}
    (own / "split.json").write_text(json.dumps({"classes": classes}), encoding="utf-8")

    def write(file, static, dynamic):
        first = np.concatenate([np.arange(200)] * 2).reshape(4, 100)[[0, 2, 1, 3]].ravel()  # within each subset
        told = np.where(first < np.where(np.isin(labels, [LABELS[name] for name in STATIC]), static, dynamic),
                        labels, (labels + 2) % 4)  # fmt: skip  # the other class of its subset
        logits = list(np.eye(4, dtype=np.float32)[told])
        Path(file).parent.mkdir(parents=True, exist_ok=True)
        pd.DataFrame({"video": videos, "label": labels, "logits": logits, "logits_last": logits}).to_parquet(file)

    for row in shown_runs.table5(given):
        write(*row["predictions"], *right[row["model"]])
    for row in shown_runs.table4(given):
        write(*row["predictions"], *right["L" if row["LT"] else "T"])
    return given


SOUND = {"U1": (160, 170), "T": (170, 190), "L": (156, 168), "SU1": (165, 170), "SU2": (160, 180), "SU11": (170, 170)}


def test_figures_are_those_of_the_files(tmp_path, monkeypatch):
    given = finished(tmp_path, monkeypatch, **SOUND)
    found = {name: value for _, name, value, _ in regime.figures(given)}
    gain = np.repeat([100.0, 0.0], [5, 395])
    assert found == {
        "test videos": 400,
        "U1: top-1, chance being 25.0": pytest.approx(82.5),
        "its errors within a subset, per cent": 100,
        "TU1: the dynamic teacher's 95.0 less 85.0": pytest.approx(10),
        "TU2: the static teacher's 85.0 less 80.0": pytest.approx(5),
        "TU3: the locked dynamic teacher's 84.0 less 85.0": pytest.approx(-1),
        "TU4: the locked static teacher's 78.0 less 80.0": pytest.approx(-2),
        "half of a gain's interval, median of 3 students": pytest.approx(
            np.ptp(significance.interval(np.repeat([100.0, 0.0], [10, 390]))) / 2, rel=0.1
        ),
    }
    assert np.ptp(significance.interval(gain)) / 2 < found["half of a gain's interval, median of 3 students"]
    shown, sound = regime.table(given)
    assert sound
    assert set(shown["is"]) == {"yes"}


@pytest.mark.parametrize(("change", "verdicts"), [
    ({name: (150, 144) for name in SOUND} | {"T": (160, 160)}, {"nearly": 1}),  # 73.5 % of top-1
    ({name: (130, 140) for name in SOUND} | {"T": (160, 160)}, {"no": 1}),
    ({"T": (162, 190)}, {"nearly": 1}),  # one point better
    ({"T": (160, 190)}, {"nearly": 1}),  # as good as the baseline
    ({"T": (158, 190)}, {"no": 1}),
    ({"L": (152, 168)}, {"nearly": 1}),  # four points worse
    ({"L": (148, 158)}, {"no": 2}),
    ({"SU1": (60, 170), "SU2": (60, 170)}, {"no": 1}),
])  # fmt: skip
def test_what_is_beyond_its_bound_and_what_beyond_its_margin(change, verdicts, tmp_path, monkeypatch):
    shown, sound = regime.table(finished(tmp_path, monkeypatch, **SOUND | change))
    assert shown["is"].value_counts().drop("yes").to_dict() == verdicts
    assert sound == ("no" not in verdicts)


def test_errors_between_the_subsets(tmp_path, monkeypatch):
    """The class after the one of the same subset is of the other."""
    given = finished(tmp_path, monkeypatch, **SOUND)
    file = next(row for row in shown_runs.table5(given) if row["method"] == "baseline")["predictions"][0]
    table = pd.read_parquet(file)
    wrong = [n for n, logits in enumerate(table["logits"]) if logits.argmax() != table["label"][n]]
    assert len(wrong) == 70
    for n in wrong[:35]:
        table.at[n, "logits"] = np.roll(table["logits"][n], 1)
    table.to_parquet(file)
    shown, sound = regime.table(given)
    found = shown.set_index("figure").loc["its errors within a subset, per cent"]
    assert (found["value"], found["is"]) == ("50", "nearly")
    assert sound


def test_bounds():
    assert str(regime.Bound(75, 90)) == "75 to 90"
    assert str(regime.Bound(low=2)) == "≥ 2"
    assert str(regime.Bound(high=3.5)) == "≤ 3.5"
    assert regime.Bound(low=2, margin=2).holds(0, 2)
    assert not regime.Bound(low=2, margin=2).holds(-0.1, 2)
    assert not regime.Bound().holds(math.nan)


def test_other_videos_are_an_error(tmp_path, monkeypatch):
    given = finished(tmp_path, monkeypatch, **SOUND)
    file = Path(shown_runs.table4(given)[0]["predictions"][0])
    pd.read_parquet(file).iloc[::-1].to_parquet(file)
    with pytest.raises(DtkdError, match=f"{file}: its test videos are not the baseline's"):
        regime.table(given)


def test_the_command(tmp_path, monkeypatch):
    finished(tmp_path, monkeypatch, **SOUND)
    done = subprocess.run([sys.executable, "-m", "dtkd.regime"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "| demo_ucf  | U1: top-1, chance being 25.0" in done.stdout
    (tmp_path / "results/demo_ucf/list1/teacher/static-seed0/predictions.parquet").unlink()
    done = subprocess.run([sys.executable, "-m", "dtkd.regime"], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("error: results/demo_ucf/list1/teacher/static-seed0/predictions.parquet: there is no")


def test_the_command_fails_out_of_the_regime(tmp_path, monkeypatch):
    finished(tmp_path, monkeypatch, **SOUND | {"U1": (199, 199)})
    done = subprocess.run([sys.executable, "-m", "dtkd.regime"], capture_output=True, text=True)
    assert done.returncode == 1
    assert "students' gains tell little where a figure above is not as wanted" in done.stderr
