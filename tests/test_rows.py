"""What each table and figure shows: the paper's rows in the paper's study, every seed's files, the chosen student."""

from pathlib import Path

import pytest
import yaml
from snakemake.utils import update_config

from dtkd import published, rows, study

PROJECT = Path(__file__).parents[1]


def shipped(overlay=None, **changes):
    config = yaml.safe_load((PROJECT / "config.yaml").read_text(encoding="utf-8"))
    if overlay:
        update_config(config, yaml.safe_load((PROJECT / "studies" / overlay).read_text(encoding="utf-8")))
    update_config(config, changes)
    return study.read(config)


@pytest.fixture(scope="module")
def paper():
    return shipped("paper.yaml")


def test_table_3_has_the_papers_rows(paper):
    printed = published.table(3)
    found = rows.table3(paper)
    assert [(row["dataset"], row["model"], row["list"], row["backbone"], row["frozen"]) for row in found] == [
        (row.dataset, row.model, row.list, row.backbone, row.frozen) for row in printed.itertuples()
    ]
    assert all(row["as_published"] for row in found)


def test_table_4_has_the_papers_names(paper):
    printed = published.table(4)
    found = [(row["dataset"], row["model"], row["subset"], row["LT"]) for row in rows.table4(paper)]
    assert set(found) == {(row.dataset, row.model, row.subset, row.frozen) for row in printed.itertuples()}
    assert len(found) == len(printed) == 8


def test_teachers_stand_beside_their_lists_baseline(paper):
    for row in rows.teachers(paper):
        baseline = {"ucf101": "U1", "hmdb51": "H1"}[row["dataset"]]
        runs = rows.baseline_runs(paper, row["dataset"], paper.baselines[row["dataset"]][baseline])
        assert row["baseline"] == rows.predictions(paper, runs)
    assert [{**row, "baseline": 0} for row in rows.teachers(paper)] == [
        {**row, "baseline": 0} for row in rows.table4(paper)
    ]
    config = paper.model_dump(mode="json")
    config["students"] = {"ucf101": {"mine": {"S_alpha": 0.3, "KD_T": 2, "KD_alpha": 0.4, "list": 2}}}
    config["analysis"]["chosen"] = {}
    second = study.read(config)
    assert {row["baseline"][0] for row in rows.teachers(second)} == {
        "results/ucf101/list2/baseline/slowfast_r101_16x8-seed0/predictions.parquet"
    }
    assert {name: list(own) for name, own in rows.baselines_to_beat(second).items()} == {"ucf101": ["U1", "U2"]}


def test_table_5_has_the_papers_rows(paper):
    found = rows.table5(paper)
    assert [row["model"] for row in found if row["method"] != "baseline"] == published.table(5)["model"].tolist()
    assert [row["model"] for row in found if row["method"] == "baseline"] == ["U1", "H1"]
    assert all(row["as_published"] for row in found)


def test_table_6_compares_the_papers_students_with_their_teachers(paper):
    one, other = rows.table6(paper)
    assert (one["model"], other["model"]) == ("SU12", "SH3")
    assert one["teachers"]["static"] == ["results/ucf101/list1/teacher/static-seed0/predictions.parquet"]
    assert other["teachers"]["dynamic"] == ["results/hmdb51/list1/teacher/dynamic-LT-seed0/predictions.parquet"]


@pytest.mark.parametrize("change", [
    {"model": {"backbone": "slowfast_r50_8x8"}},
    {"clip": {"frames": 32}},
])  # fmt: skip
def test_another_network_or_clip_is_not_the_papers(change):
    assert not any(row["as_published"] for row in rows.table5(shipped("paper.yaml", **change)))


@pytest.mark.parametrize(("split", "papers"), [
    ({"source": "random"}, False), ({"value": 9}, False), ({"quantile": 0.5}, False), ({"boundary": "strict"}, True),
    ({"source": "published", "quantile": 0.5}, True),
])  # fmt: skip
def test_other_subsets_are_not_the_papers_and_the_baselines_are(split, papers):
    study = shipped("paper.yaml", split=split)
    assert {row["as_published"] for row in rows.table5(study) if row["method"] == "baseline"} == {True}
    assert {row["as_published"] for row in rows.table5(study) if row["method"] != "baseline"} == {papers}
    assert {row["as_published"] for row in rows.table4(study)} == {papers}


def test_every_seed_has_its_file():
    given = shipped(seeds=[0, 4], results="elsewhere")
    for row in rows.table3(given) + rows.table4(given) + rows.table5(given):
        assert [path.split("seed")[1].split("/")[0] for path in row["predictions"]] == ["0", "4"]
    assert all(len(row["baseline"]) == 2 for row in rows.teachers(given))
    for row in rows.table3(given) + rows.table4(given) + rows.table5(given):
        assert all(path.startswith("elsewhere/") for path in row["predictions"])
    (row, _) = rows.table6(given)
    assert len(row["student"]) == len(row["teachers"]["static"]) == len(row["teachers"]["dynamic"]) == 2
    assert all(len(files) == 2 for files in rows.lists(given)["demo_ucf"].values())


def test_tables_read_what_the_protocol_writes():
    given = shipped(evaluation={"clips_per_video": 10, "crops_per_clip": 3})
    files = [path for row in rows.table5(given) for path in row["predictions"]]
    assert {Path(path).name for path in files} == {"predictions-10x3-softmax.parquet"}


def test_figures_5_and_6_show_the_papers_runs(paper):
    assert list(rows.lists(paper)["ucf101"]) == ["U1 (list 1)", "U2 (list 2)", "U3 (list 3)"]
    assert list(rows.rivals(paper)["ucf101"]) == ["SU12 (DTKD)", "SU13 (BSKD)", "U1 (baseline)"]
    assert list(rows.rivals(paper)["hmdb51"]) == ["SH3 (DTKD)", "SH13 (BSKD)", "H1 (baseline)"]


def test_plain_distillation_stands_in_table_5_alone():
    """It has no subsets' teachers, so no settings of them and no place where two teachers are compared."""
    config = shipped().model_dump(mode="json")
    rival = {"method": "kd", "KD_T": 2, "KD_alpha": 0.4}
    config["students"]["demo_ucf"] = {"rival": rival} | config["students"]["demo_ucf"]
    given, without = study.read(config), shipped()
    (row,) = [row for row in rows.table5(given) if row["model"] == "rival"]
    assert {key: row[key] for key in ("method", "LT", "FT", "S_alpha", "KD_T", "KD_alpha")} == {
        "method": "kd", "LT": None, "FT": None, "S_alpha": None, "KD_T": 2, "KD_alpha": 0.4,
    }  # fmt: skip
    assert row["predictions"] == ["results/demo_ucf/list1/student/kd-T2-A0.4-slowfast_small-seed0/predictions.parquet"]
    for shown in (rows.table4, rows.table6, rows.rivals, rows.against_baseline, rows.students):
        assert shown(given) == shown(without)


@pytest.mark.parametrize(("row", "said"), [
    ({}, None), ({"weighting": "blend"}, "blend"), ({"FT": False, "unfrozen": "joint"}, "joint"),
    ({"list": 2}, "list 2"), ({"unfrozen": "joint"}, None),
    ({"weighting": "blend", "FT": False, "unfrozen": "joint"}, "blend, joint"),
    ({"method": "bskd", "S_alpha": None, "weighting": "blend"}, None),
    ({"method": "kd", "S_alpha": None, "teacher": "U1"}, "taught by U1"),
], ids=str)  # fmt: skip
def test_what_table_5_has_no_column_for_is_its_variant(row, said):
    config = shipped().model_dump(mode="json")
    row = {"S_alpha": 0.3, "KD_T": 2, "KD_alpha": 0.4} | row
    config["students"] = {"demo_ucf": {"mine": row}}
    config["analysis"]["chosen"] = {}
    shown = {row["model"]: row["variant"] for row in rows.table5(study.read(config))}
    assert shown["mine"] == said
    assert shown["U1"] is None
    assert ("U2" in shown) == ("list" in row)
    assert shown.get("U2", "list 2") == "list 2", "its students are compared with it"


def test_without_a_choice_the_first_student_is_shown():
    given = shipped(analysis={"chosen": {"demo_ucf": "SU4"}})
    config = given.model_dump(mode="json")
    config["analysis"]["chosen"] = {}
    first = study.read(config)
    assert [row["model"] for row in rows.table6(given)] == ["SU4", "SH3"]
    assert [row["model"] for row in rows.table6(first)] == ["SU1", "SH1"]
    assert rows.against_baseline(first)["demo_hmdb"]["baseline"][0] == "H1"
    assert next(iter(rows.students(given)["demo_ucf"])) == "SU4"


def test_a_study_without_students_shows_none():
    config = shipped().model_dump(mode="json")
    config["students"], config["analysis"]["chosen"] = {}, {}
    given = study.read(config)
    shown = [rows.table4, rows.teachers, rows.table6, rows.baselines_to_beat, rows.rivals, rows.against_baseline,
             rows.students]  # fmt: skip
    assert not any(show(given) for show in shown)
    assert len(rows.table5(given)) == 2
