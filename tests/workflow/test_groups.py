"""Three groups of classes through the whole workflow: split, teachers, targets, students, tables, figures, report; and
`train.selection: validation`: nobody trains on what is held out."""

import json

import pandas as pd
import pytest
import tiny
import torch
import yaml

LIST = "results/tiny/list1"
GROUPS = {"calm": ["Archery", "Bowling"], "middling": ["Diving"], "wild": ["JumpRope"]}
STUDENTS = {
    "frozen": {"S_alpha": 0.3, "KD_T": 2, "KD_alpha": 0.4},
    "learning": {"S_alpha": 0.3, "KD_T": 2, "KD_alpha": 0.4, "FT": False, "weighting": "blend"},
    "bskd": {"method": "bskd", "KD_T": 2, "KD_alpha": 0.4},
    "mixture": {"method": "mixture", "KD_T": 2, "KD_alpha": 0.4},
    "several": {"method": "average", "KD_T": 2, "KD_alpha": 0.4, "teachers": ["U1", "U2"]},
}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    root = tiny.write(tmp_path_factory.mktemp("groups") / "study")
    tiny.draw_videos(root)
    tiny.configure(root, lambda config: config.update(
        split={"source": "listed", "groups": {"tiny": GROUPS}}, students={"tiny": STUDENTS}, analysis={},
        baselines={"tiny": {"U1": {}, "U2": {"frozen": True}}},
        train={"epochs": 2, "batch_size": 2, "lr": 0.01, "selection": "validation", "patience": 1},
    ))  # fmt: skip
    done = tiny.snakemake(root)
    assert done.returncode == 0, done.stdout + done.stderr
    return root


def test_the_split_names_its_groups(study):
    split = json.loads((study / "results/tiny/split.json").read_text())
    assert split["groups"] == list(GROUPS)
    assert {name: entry["subset"] for name, entry in split["classes"].items()} == {
        name: group for group, names in GROUPS.items() for name in names
    }


def test_each_group_has_a_teacher_of_its_own_classes(study):
    for group, names in GROUPS.items():
        checkpoint = torch.load(study / LIST / "teacher" / f"{group}-LT-seed0" / "checkpoint.pt", weights_only=True)
        assert checkpoint["settings"]["subset"] == group
        assert checkpoint["own"] is None, "it may predict any class"
        assert set(names) < set(checkpoint["classes"])


def test_targets_have_what_each_says(study):
    for name, history in (
        ("frozen-LT-seed0", None),
        ("continued-LT-seed0", ["loss_calm", "loss_middling", "loss_wild"]),
    ):
        said = torch.load(study / LIST / "targets" / f"{name}.pt", weights_only=True)
        assert said["teachers"] == list(GROUPS)
        assert said["logits"].shape[0] == 3
        assert said["logits"].isfinite().all()
        if history:
            table = pd.read_parquet(study / LIST / "targets" / f"{name}.parquet")
            assert list(table.columns) == ["epoch", "lr", *history]


def test_students_weigh_all_of_them_and_stand_in_the_tables(study):
    (history,) = (study / LIST / "student").glob("dtkd-*-LT-blend-seed0/history.parquet")
    row = pd.read_parquet(history).iloc[0]
    assert {"w_calm", "w_middling", "w_wild"} <= set(row.index)
    assert 0 < row["w_calm"] < 1
    table5 = pd.read_csv(study / tiny.TABLE5)
    assert set(STUDENTS) < set(table5["model"])
    table4 = pd.read_csv(study / "results/tables/table4.csv")
    assert set(table4["model"]) >= {f"{group}-LT" for group in GROUPS}
    table2 = pd.read_csv(study / "results/tables/table2.csv")
    assert {"overall", *GROUPS} == set(table2["subset"])


def test_no_group_is_left_out_of_what_is_shown(study):
    tables = {name: pd.read_csv(study / f"results/tables/{name}.csv") for name in ("table1", "table6", "teachers")}
    assert set(tables["table1"]["subset"]) == set(tables["table6"]["subset"]) == {"overall", *GROUPS}
    assert set(tables["teachers"]["subset"]) == set(GROUPS)
    told = tables["table6"].set_index("subset")
    for group in GROUPS:
        own, *others = (
            told.loc[group, f"kl_{name}_teacher"] for name in sorted(GROUPS, key=lambda name: name != group)
        )
        assert told.loc[group, "SM"] == pytest.approx(sum(others) / 2 - own, abs=1e-5)
    assert set(pd.read_csv(study / "results/figures/examples.csv")["subset"]) == set(GROUPS)
    report = (study / "results/report.html").read_text(encoding="utf-8")
    assert all(f"KL, {group} teacher" in report or f"kl {group} teacher" in report for group in GROUPS)


def test_every_run_is_tested_on_what_none_trains_on(study):
    held = pd.read_csv(study / LIST / "validation-0.1.csv")
    index = pd.read_parquet(study / "results/tiny/videos.parquet")
    assert set(held["class"]) == set(index["class"])
    train = set(index.loc[index["list1"] == "train", "path"])
    assert set(held["video"]) < train
    targets = list((study / LIST).glob("targets/*.pt"))
    assert len(targets) == 2 + 2  # of the groups' teachers, and of the baselines
    for file in targets:
        assert set(torch.load(file, weights_only=True)["videos"]) == train - set(held["video"])
    runs = list((study / LIST).glob("*/*/history.parquet"))
    assert len(runs) == 2 + 3 + 5  # the baselines, the groups' teachers, their students
    for run in runs:
        history = pd.read_parquet(run)
        assert history["val_top1"].notna().all()
        assert pd.notna(history["top1"].iloc[-1])


def test_another_share_of_validation_makes_the_trainings_again(study):
    share = ("--config", "train={validation_fraction: 0.3}")
    plan = tiny.snakemake(study, "--dry-run", tiny.TABLE5, *share)
    assert "Hold out 0.3 of the training videos of tiny, list 1" in plan.stdout
    assert plan.stdout.count("Train student") == len(STUDENTS)


@pytest.mark.parametrize(("groups", "said"), [
    ({"calm": ["Archery", "Bowling"], "wild": ["JumpRope"]}, "split.groups.tiny: Diving is in none of the groups"),
    ({"calm": ["Archery", "Bowling", "Diving"], "wild": ["JumpRope", "Diving"]}, "Diving is in calm and in wild"),
    ({"calm": ["Archery", "Bowling", "Divin"], "wild": ["JumpRope"]},
     "split.groups.tiny.calm: 'Divin' is not one of its classes; did you mean 'Diving'?"),
])  # fmt: skip
def test_groups_that_do_not_fit_end_the_workflow_in_one_line(tmp_path, groups, said):
    root = tiny.write(tmp_path / "study")
    tiny.configure(root, lambda config: config.update(split={"source": "listed", "groups": {"tiny": groups}}))
    done = tiny.snakemake(root, "--dry-run", tiny.TABLE5)
    assert done.returncode == 1
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert said in line


def test_quantiles_make_groups_by_motion(tmp_path):
    root = tiny.write(tmp_path / "study")
    tiny.configure(root, lambda config: config["split"].update(quantile=[0.3, 0.6], names=["a", "b", "c"]))
    jobs = tiny.pending(root)
    assert {f"train_teacher tiny/list1/teacher/{group}-LT-seed0" for group in "abc"} <= jobs
    assert yaml.safe_load((root / "config.yaml").read_text())["split"]["names"] == ["a", "b", "c"]
