"""Several splits in one study, and teachers that were made elsewhere, through the whole workflow."""

import json
import shutil

import pandas as pd
import pytest
import tiny
import torch

LIST = "results/tiny/list1"
ROW = {"S_alpha": 0.3, "KD_T": 2, "KD_alpha": 0.4}
STUDENTS = {
    "motion": ROW,
    "random": ROW | {"split": "drawn"},
    "learning": ROW | {"split": "drawn", "FT": False},
    "three": ROW | {"split": "terciles"},
}
SPLITS = {
    "drawn": {"source": "random", "quantile": 0.5, "seed": 1},
    "terciles": {"quantile": [0.3, 0.6], "measure": "q90"},
}
SHOWN = [tiny.TABLE5, "results/tables/table4.csv", "results/tables/table6.csv", "results/figures/teachers.png",
         "results/figures/class_gain.png", "results/figures/teacher_weights.png"]  # fmt: skip
RANDOM = f"{LIST}/teacher/static-LT-drawn-seed0"


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    root = tiny.write(tmp_path_factory.mktemp("splits") / "study")
    tiny.draw_videos(root)
    tiny.configure(root, lambda config: config.update(
        splits=SPLITS, students={"tiny": STUDENTS}, analysis={"chosen": {"tiny": "three"}},
    ))  # fmt: skip
    done = tiny.snakemake(root, *SHOWN)
    assert done.returncode == 0, done.stdout + done.stderr
    return root


def groups(study, file):
    split = json.loads((study / "results/tiny" / file).read_text())
    return {
        group: [name for name, entry in split["classes"].items() if entry["subset"] == group]
        for group in split["groups"]
    }


def test_each_has_its_file_and_its_teachers(study):
    drawn, terciles = groups(study, "splits/drawn.json"), groups(study, "splits/terciles.json")
    assert [len(names) for names in drawn.values()] == [2, 2]
    assert list(terciles) == ["static", "medium", "dynamic"]
    teachers = {folder.name for folder in (study / LIST / "teacher").iterdir()}
    assert teachers == {
        "static-LT-seed0", "dynamic-LT-seed0", "static-LT-drawn-seed0", "dynamic-LT-drawn-seed0",
        "static-LT-terciles-seed0", "medium-LT-terciles-seed0", "dynamic-LT-terciles-seed0",
    }  # fmt: skip
    record = json.loads((study / RANDOM / "run.json").read_text())
    assert record["inputs"]["split"]["path"] == "results/tiny/splits/drawn.json"
    targets = {file.name for file in (study / LIST / "targets").glob("*.pt")}
    assert targets == {"frozen-LT-seed0.pt", "frozen-LT-drawn-seed0.pt", "continued-LT-drawn-seed0.pt",
                       "frozen-LT-terciles-seed0.pt"}  # fmt: skip


def test_one_table_has_them_all_and_says_which(study):
    table = pd.read_csv(study / tiny.TABLE5).set_index("model")
    assert table["variant"].fillna("").to_dict() == {
        "U1": "", "motion": "", "random": "split drawn", "learning": "split drawn", "three": "split terciles",
    }  # fmt: skip
    assert len(list((study / LIST / "baseline").iterdir())) == 1, "baselines are shared"


def test_teachers_are_tested_on_the_classes_of_their_own_split(study):
    table = pd.read_csv(study / "results/tables/table4.csv").set_index("model")
    lists = pd.read_parquet(study / "results/tiny/videos.parquet")
    tested = lists[lists["list1"] == "test"].groupby("class").size()
    for model, file, group in (("TU2", "split.json", "static"), ("TU4-drawn", "splits/drawn.json", "static")):
        found = table[table.index.str.startswith(model) & (table["subset"] == group)]
        if model in table.index:
            wanted = int(tested[groups(study, file)[group]].sum())
            assert set(found["videos"]) == {wanted}
    assert {"TU4-drawn", "static-LT-terciles", "medium-LT-terciles"} <= set(table.index)


def test_the_chosen_students_split_is_the_one_that_is_shown(study):
    table = pd.read_csv(study / "results/tables/table6.csv")
    assert set(table["subset"]) == {"overall", "static", "medium", "dynamic"}


def test_everything_is_what_its_record_says_and_a_changed_split_makes_its_own_again(study):
    assert tiny.pending(study) == set()
    tiny.configure(study, lambda config: config["splits"]["drawn"].update(seed=2))
    pending = tiny.pending(study)
    assert "further_split tiny/splits/drawn.json" in pending
    assert f"train_teacher {RANDOM.removeprefix('results/')}" in pending
    assert not [job for job in pending if "terciles" in job or "baseline" in job or "static-LT-seed0" in job]
    tiny.configure(study, lambda config: config["splits"]["drawn"].update(seed=1))


def test_finished_teachers_teach_and_are_not_trained(study, tmp_path):
    root = tmp_path / "study"
    shutil.copytree(study, root)
    shutil.copytree(study / LIST / "teacher", root / "elsewhere")
    for name in ("teacher", "student", "targets"):
        shutil.rmtree(root / LIST / name)
    files = {group: f"elsewhere/{group}-LT-seed{{seed}}/checkpoint.pt" for group in ("static", "dynamic")}
    tiny.configure(root, lambda config: config.update(
        splits={}, students={"tiny": {"motion": ROW}}, analysis={}, teachers={"checkpoints": {"tiny": files}},
    ))  # fmt: skip
    targets = (tiny.TABLE5, "results/tables/table4.csv")
    done = tiny.snakemake(root, *targets)
    assert done.returncode == 0, done.stdout + done.stderr
    for group in files:
        taken, trained = (
            torch.load(folder / "teacher" / f"{group}-LT-seed0" / "checkpoint.pt", weights_only=True)
            for folder in (root / LIST, study / LIST)
        )
        assert all(torch.equal(taken["model"][name], trained["model"][name]) for name in trained["model"])
        history = pd.read_parquet(root / LIST / "teacher" / f"{group}-LT-seed0" / "history.parquet")
        assert list(history["epoch"]) == [0]
    pd.testing.assert_frame_equal(*(
        pd.read_parquet(next((folder / LIST / "student").glob("dtkd-*-LT-FT-seed0")) / "predictions.parquet")
        for folder in (root, study)
    ))  # fmt: skip
    assert tiny.pending(root) == set()
    swapped = {"static": files["dynamic"], "dynamic": files["static"]}
    tiny.configure(root, lambda config: config["teachers"].update(checkpoints={"tiny": swapped}))
    done = tiny.snakemake(root, *targets)
    assert done.returncode == 1
    said = "is the dynamic teacher, and teachers.checkpoints has it for static; swap them"
    assert said in done.stdout + done.stderr
