"""What each table and figure shows: the paper's rows in the paper's study, every seed's files, the chosen student."""

from pathlib import Path

import pytest
import yaml
from snakemake.utils import update_config

from dtkd.analysis import shown_runs
from dtkd.config import read
from dtkd.data import published

PROJECT = Path(__file__).parents[2]


def shipped(overlay=None, **changes):
    config = yaml.safe_load((PROJECT / "config.yaml").read_text(encoding="utf-8"))
    if overlay:
        update_config(config, yaml.safe_load((PROJECT / "studies" / overlay).read_text(encoding="utf-8")))
    update_config(config, changes)
    return read(config)


@pytest.fixture(scope="module")
def paper():
    return shipped("paper.yaml")


def test_table_3_has_the_papers_rows(paper):
    printed = published.table(3)
    found = shown_runs.table3(paper)
    assert [(row["dataset"], row["model"], row["list"], row["backbone"], row["frozen"]) for row in found] == [
        (row.dataset, row.model, row.list, row.backbone, row.frozen) for row in printed.itertuples()
    ]
    assert all(row["as_published"] for row in found)


def test_table_4_has_the_papers_names(paper):
    printed = published.table(4)
    found = [(row["dataset"], row["model"], row["subset"], row["LT"]) for row in shown_runs.table4(paper)]
    assert set(found) == {(row.dataset, row.model, row.subset, row.frozen) for row in printed.itertuples()}
    assert len(found) == len(printed) == 8


def test_other_teachers_are_rows_of_their_own():
    row = {"S_alpha": 0.3, "KD_T": 2, "KD_alpha": 0.4, "teacher_outputs": "masked"}
    found = shown_runs.table4(shipped("paper.yaml", students={"ucf101": {"mine": row}}, use=["ucf101"]))
    assert [(row["model"], row["LT"], row["outputs"]) for row in found] == [
        ("TU1", False, "full"), ("TU2", False, "full"), ("TU3", True, "full"), ("TU4", True, "full"),
        ("TU3-masked", True, "masked"), ("TU4-masked", True, "masked"),
    ]  # fmt: skip
    files = [file for row in found for file in row["predictions"]]
    assert len(set(files)) == len(files)
    assert files[-1] == "results/ucf101/list1/teacher/static-LT-masked-seed0/predictions.parquet"


def test_teachers_stand_beside_their_lists_baseline(paper):
    for row in shown_runs.teachers(paper):
        baseline = {"ucf101": "U1", "hmdb51": "H1"}[row["dataset"]]
        runs = shown_runs.baseline_runs(paper, row["dataset"], paper.baselines[row["dataset"]][baseline])
        assert row["baseline"] == shown_runs.predictions(paper, runs)
    assert [{**row, "baseline": 0} for row in shown_runs.teachers(paper)] == [
        {**row, "baseline": 0} for row in shown_runs.table4(paper)
    ]
    config = paper.model_dump(mode="json")
    config["students"] = {"ucf101": {"mine": {"S_alpha": 0.3, "KD_T": 2, "KD_alpha": 0.4, "list": 2}}}
    config["analysis"]["chosen"] = {}
    second = read(config)
    assert {row["baseline"][0] for row in shown_runs.teachers(second)} == {
        "results/ucf101/list2/baseline/slowfast_r101_16x8-seed0/predictions.parquet"
    }
    assert {name: list(own) for name, own in shown_runs.baselines_to_beat(second).items()} == {"ucf101": ["U1", "U2"]}


def test_table_5_has_the_papers_rows(paper):
    found = shown_runs.table5(paper)
    assert [row["model"] for row in found if row["method"] != "baseline"] == published.table(5)["model"].tolist()
    assert [row["model"] for row in found if row["method"] == "baseline"] == ["U1", "H1"]
    assert all(row["as_published"] for row in found)


def test_table_6_compares_the_papers_students_with_their_teachers(paper):
    one, other = shown_runs.table6(paper)
    assert (one["model"], other["model"]) == ("SU12", "SH3")
    assert one["teachers"]["static"] == ["results/ucf101/list1/teacher/static-seed0/predictions.parquet"]
    assert other["teachers"]["dynamic"] == ["results/hmdb51/list1/teacher/dynamic-LT-seed0/predictions.parquet"]


@pytest.mark.parametrize(("kl", "outputs", "floor"), [
    ("forward", "full", None), ("forward", "masked", None), ("reverse", "full", None), ("reverse", "masked", 1e-6),
])  # fmt: skip
def test_table_6_is_told_of_a_floor_where_there_is_one_alone(kl, outputs, floor):
    """So that a change of it makes no other table again."""
    given = shipped("paper.yaml", analysis={"kl": kl, "kl_floor": 1e-6}, teachers={"outputs": outputs})
    assert [(row["kl"], row["floor"]) for row in shown_runs.table6(given)] == [(kl, floor)] * 2
    assert all(row["as_published"] for row in shown_runs.table6(given)), "all are readings of the paper"


@pytest.mark.parametrize("change", [
    {"model": {"backbone": "slowfast_r50_8x8"}},
    {"clip": {"frames": 32}},
])  # fmt: skip
def test_another_network_or_clip_is_not_the_papers(change):
    assert not any(row["as_published"] for row in shown_runs.table5(shipped("paper.yaml", **change)))


@pytest.mark.parametrize(("split", "papers"), [
    ({"source": "random"}, False), ({"value": 9}, False), ({"quantile": 0.5}, False), ({"boundary": "strict"}, True),
    ({"source": "published", "quantile": 0.5}, True),
])  # fmt: skip
def test_other_subsets_are_not_the_papers_and_the_baselines_are(split, papers):
    study = shipped("paper.yaml", split=split)
    assert {row["as_published"] for row in shown_runs.table5(study) if row["method"] == "baseline"} == {True}
    assert {row["as_published"] for row in shown_runs.table5(study) if row["method"] != "baseline"} == {papers}
    assert {row["as_published"] for row in shown_runs.table4(study)} == {papers}


def test_every_seed_has_its_file():
    given = shipped(seeds=[0, 4], results="elsewhere")
    for row in shown_runs.table3(given) + shown_runs.table4(given) + shown_runs.table5(given):
        assert [path.split("seed")[1].split("/")[0] for path in row["predictions"]] == ["0", "4"]
    assert all(len(row["baseline"]) == 2 for row in shown_runs.teachers(given))
    for row in shown_runs.table3(given) + shown_runs.table4(given) + shown_runs.table5(given):
        assert all(path.startswith("elsewhere/") for path in row["predictions"])
    (row, _) = shown_runs.table6(given)
    assert len(row["student"]) == len(row["teachers"]["static"]) == len(row["teachers"]["dynamic"]) == 2
    assert all(len(files) == 2 for files in shown_runs.lists(given)["demo_ucf"].values())


def test_tables_read_what_the_protocol_writes():
    given = shipped(evaluation={"clips_per_video": 10, "crops_per_clip": 3})
    files = [path for row in shown_runs.table5(given) for path in row["predictions"]]
    assert {Path(path).name for path in files} == {"predictions-10x3-softmax.parquet"}


def test_figures_5_and_6_show_the_papers_runs(paper):
    assert list(shown_runs.lists(paper)["ucf101"]) == ["U1 (list 1)", "U2 (list 2)", "U3 (list 3)"]
    assert list(shown_runs.rivals(paper)["ucf101"]) == ["SU12 (DTKD)", "SU13 (BSKD)", "U1 (baseline)"]
    assert list(shown_runs.rivals(paper)["hmdb51"]) == ["SH3 (DTKD)", "SH13 (BSKD)", "H1 (baseline)"]


def test_figure_6_says_once_what_a_run_is(paper):
    assert list(shown_runs.rivals(paper)["ucf101"])[-1] == "U1 (baseline)"
    assert list(shown_runs.rivals(shipped("own_videos.yaml"))["my_videos"]) == ["S0.5 (DTKD)", "BSKD", "baseline"]


def test_plain_distillation_stands_in_table_5_alone():
    """It has no subsets' teachers, so no settings of them and no place where two teachers are compared."""
    config = shipped().model_dump(mode="json")
    rival = {"method": "kd", "KD_T": 2, "KD_alpha": 0.4}
    config["students"]["demo_ucf"] = {"rival": rival} | config["students"]["demo_ucf"]
    given, without = read(config), shipped()
    (row,) = [row for row in shown_runs.table5(given) if row["model"] == "rival"]
    assert {key: row[key] for key in ("method", "LT", "FT", "S_alpha", "KD_T", "KD_alpha")} == {
        "method": "kd", "LT": None, "FT": None, "S_alpha": None, "KD_T": 2, "KD_alpha": 0.4,
    }  # fmt: skip
    assert row["predictions"] == ["results/demo_ucf/list1/student/kd-T2-A0.4-slowfast_small-seed0/predictions.parquet"]
    for shown in (
        shown_runs.table4,
        shown_runs.table6,
        shown_runs.rivals,
        shown_runs.against_baseline,
        shown_runs.students,
    ):
        assert shown(given) == shown(without)


@pytest.mark.parametrize(("row", "said"), [
    ({}, None), ({"weighting": "blend"}, "blend"), ({"FT": False}, None),
    ({"list": 2}, "list 2"), ({"outside": "zero"}, "zero outside"),
    ({"teacher_outputs": "full"}, None), ({"teacher_outputs": "masked"}, "masked teachers"),
    ({"outside": "zero", "weighting": "partition"}, "partition"),
    ({"outside": "zero", "weighting": "blend", "teacher_outputs": "masked"}, "masked teachers, blend, zero outside"),
    ({"method": "bskd", "S_alpha": None}, None),
    ({"method": "kd", "S_alpha": None, "teacher": "U1"}, "taught by U1"),
], ids=str)  # fmt: skip
def test_what_table_5_has_no_column_for_is_its_variant(row, said):
    config = shipped().model_dump(mode="json")
    row = {"S_alpha": 0.3, "KD_T": 2, "KD_alpha": 0.4} | row
    config["students"] = {"demo_ucf": {"mine": row}}
    config["analysis"]["chosen"] = {}
    shown = {row["model"]: row["variant"] for row in shown_runs.table5(read(config))}
    assert shown["mine"] == said
    assert shown["U1"] is None
    assert ("U2" in shown) == ("list" in row)
    assert shown.get("U2", "list 2") == "list 2", "its students are compared with it"


def test_students_over_lists_differ_in_the_list_alone(paper):
    assert shown_runs.students_over_lists(paper) == [], "the paper's are all of list 1"
    found = shown_runs.students_over_lists(shipped("own_videos.yaml"))
    assert [(row["models"], row["lists"], row["method"], row["variant"]) for row in found] == [
        ("S0.5, S0.5-2, S0.5-3", "1, 2, 3", "dtkd", None), ("BSKD, BSKD-2, BSKD-3", "1, 2, 3", "bskd", None),
        ("KD, KD-2, KD-3", "1, 2, 3", "kd", None),
        ("random-groups, random-groups-2, random-groups-3", "1, 2, 3", "dtkd", "split random"),
    ]  # fmt: skip
    for number, files in enumerate(found[2]["of_lists"], start=1):
        assert [Path(file).parts[-4:-1] for file in files["predictions"] + files["baseline"]] == [
            (f"list{number}", "student", "kd-T2-A0.4-slowfast_small-seed0"),
            (f"list{number}", "baseline", "slowfast_small-seed0"),
        ]


def test_students_of_one_reading_are_no_readings(paper):
    """BSKD, which every study may have beside it, makes no second."""
    assert shown_runs.readings(paper) == shown_runs.readings(shipped()) == []


def test_readings_are_said_in_words_each_run_once():
    config = shipped().model_dump(mode="json")
    row = {"S_alpha": 0.3, "KD_T": 2, "KD_alpha": 0.4}
    bskd = {"method": "bskd", "KD_T": 2, "KD_alpha": 0.4}
    config["students"] = {"demo_ucf": {
        "A": row, "B": row | {"outside": "zero"}, "C": row | {"teacher_outputs": "masked", "weighting": "blend"},
        "D": row | {"weighting": "partition"}, "again": row | {"weighting": "partition", "outside": "zero"},
        "E": bskd | {"teacher_outputs": "masked"}, "rival": {"method": "kd", "KD_T": 2, "KD_alpha": 0.4},
        "F": row | {"list": 2},
    }, "demo_hmdb": {"G": row, "H": bskd}}  # fmt: skip
    config["analysis"]["chosen"] = {}
    found = shown_runs.readings(read(config))
    assert [(row["model"], row["reading"]) for row in found] == [
        ("U1", "baseline"), ("A", "full teachers, gated, confidence outside"),
        ("B", "full teachers, gated, zero outside"), ("C", "masked teachers, blend, confidence outside"),
        ("D", "full teachers, partition (BSKD)"), ("E", "masked teachers, partition (BSKD)"),
        ("U2", "baseline, list 2"), ("F", "full teachers, gated, confidence outside, list 2"),
    ]  # fmt: skip


def test_the_shipped_study_of_readings_has_every_one_at_two_temperatures():
    given, demo = shipped("readings.yaml"), shipped()
    expected = [
        f"{outputs} teachers, {words}" for outputs in ("full", "masked")
        for words in ("gated, confidence outside", "gated, zero outside", "blend, confidence outside",
                      "blend, zero outside", "partition (BSKD)")
    ]  # fmt: skip
    found = shown_runs.readings(given)
    for dataset in given.use:
        own = [(row["reading"], row.get("KD_T")) for row in found if row["dataset"] == dataset]
        assert own == [("baseline", None), *((reading, KD_T) for KD_T in (2, 8) for reading in expected)]
    students = [row for row in found if row["method"] != "baseline"]
    assert {(row["LT"], row["FT"], row["KD_alpha"]) for row in students} == {(False, True, 0.2)}
    assert {row["S_alpha"] for row in students if row["dataset"] == "demo_ucf"} == {0.3, None}
    assert len({file for row in found for file in row["predictions"]}) == len(found)
    assert all(file.startswith("results/readings/") for row in found for file in row["predictions"])
    assert set(given.chosen("demo_ucf")) & {"full-gated-T2"}
    for section in ("use", "datasets", "model", "pretrain", "clip", "augment", "train", "flow", "split", "seeds"):
        assert getattr(given, section) == getattr(demo, section), f"{section} is the demo's"
    assert given.train_settings("teacher") == demo.train_settings("teacher")


def test_without_a_choice_the_first_student_is_shown():
    given = shipped(analysis={"chosen": {"demo_ucf": "SU4"}})
    config = given.model_dump(mode="json")
    config["analysis"]["chosen"] = {}
    first = read(config)
    assert [row["model"] for row in shown_runs.table6(given)] == ["SU4", "SH3"]
    assert [row["model"] for row in shown_runs.table6(first)] == ["SU1", "SH1"]
    assert shown_runs.against_baseline(first)["demo_hmdb"]["baseline"][0] == "H1"
    assert next(iter(shown_runs.students(given)["demo_ucf"])) == "SU4"


def test_a_study_without_students_shows_none():
    config = shipped().model_dump(mode="json")
    config["students"], config["analysis"]["chosen"] = {}, {}
    given = read(config)
    shown = [shown_runs.table4, shown_runs.teachers, shown_runs.table6, shown_runs.baselines_to_beat,
             shown_runs.rivals, shown_runs.against_baseline, shown_runs.students]  # fmt: skip
    assert not any(show(given) for show in shown)
    assert len(shown_runs.table5(given)) == 2


def test_grids_name_the_settings_of_their_students():
    row = {"S_alpha": 0.3, "KD_T": 2, "KD_alpha": 0.4, "grid": {"S_alpha": [0.1, 0.5], "split": [None]}}
    single = row | {"grid": {"KD_T": [4]}}
    given = shipped(use=["demo_ucf"], students={"demo_ucf": {"sweep": row, "single": single}})
    assert shown_runs.grids(given) == {"demo_ucf": {"sweep": {
        "keys": {"S_alpha": ["0.1", "0.5"], "split": ["null"]},
        "students": {"sweep-S0.1-split-null": ["0.1", "null"], "sweep-S0.5-split-null": ["0.5", "null"]},
    }}}  # fmt: skip
    table = {row["model"]: row for row in shown_runs.table5(given)}
    assert set(shown_runs.grids(given)["demo_ucf"]["sweep"]["students"]) < set(table)
    assert table["sweep-S0.5-split-null"]["S_alpha"] == 0.5
    assert shown_runs.grids(shipped()) == {}, "no figure of any"


def test_methods_are_pooled_over_lists_with_what_taught_them():
    found = {row["models"]: row for row in shown_runs.methods(shipped("own_videos.yaml", seeds=[0, 1]))}
    assert next(iter(found)) == "baseline, baseline-2, baseline-3"
    assert not found["baseline, baseline-2, baseline-3"]["compared"], "it is what others are compared with"
    frozen = found["frozen-baseline"]
    assert (frozen["method"], frozen["variant"], frozen["compared"], frozen["teacher_passes"]) == (
        "baseline", "frozen", True, 0,
    )  # fmt: skip
    student = found["S0.5, S0.5-2, S0.5-3"]
    assert (student["lists"], student["teacher_passes"], student["teacher_trainings"]) == ("1, 2, 3", 2, 2)
    assert [len(own[side]) for own in student["of_lists"] for side in ("predictions", "baseline", "history")] == [2] * 9
    assert [Path(file).parts[-4:-1] for file in student["of_lists"][1]["teachers"]] == [
        ("list2", "teacher", f"{group}-seed{seed}") for seed in (0, 1) for group in ("static", "dynamic")
    ]
    learning = found["learning-teachers"]
    assert (learning["teacher_passes"], learning["teacher_trainings"]) == (4, 3)
    generalist = found["KD, KD-2, KD-3"]
    assert (generalist["teacher_passes"], generalist["teacher_trainings"]) == (1, 1)
    assert "/baseline/" in generalist["of_lists"][0]["teachers"][0]


def test_teachers_from_elsewhere_took_no_training_here():
    files = {"demo_ucf": {name: f"{name}.pt" for name in ("static", "dynamic")}}
    study = shipped("methods.yaml", use=["demo_ucf"], teachers={"checkpoints": files})
    found = {row["models"]: row for row in shown_runs.methods(study)}
    assert (found["dtkd"]["teacher_passes"], found["dtkd"]["teacher_trainings"]) == (2, 0)
    assert found["dtkd"]["of_lists"][0]["teachers"] == []


def test_one_of_each_method_is_the_plainest_and_the_chosen_one():
    found = shown_runs.each_method(shipped("methods.yaml"))["demo_ucf"]
    assert list(found)[:4] == ["U1 (baseline)", "dtkd", "bskd", "mixture"]
    assert {"kd", "dkd"} < set(found)
    assert not {"kd-standardised", "mixture-truth"} & set(found)
    assert list(shown_runs.each_method(shipped())["demo_hmdb"]) == ["H1 (baseline)", "SH3 (DTKD)", "SH13 (BSKD)"]


def test_what_answers_take_is_measured_where_it_is_asked_for():
    assert shown_runs.deployment(shipped("paper.yaml")) == []
    found = shown_runs.deployment(shipped("paper.yaml", analysis={"benchmark": True}))
    assert [(row["dataset"], row["model"], row["list"]) for row in found] == [
        ("ucf101", "U1", 1), ("ucf101", "SU12", 1), ("hmdb51", "H1", 1), ("hmdb51", "SH3", 1)
    ]  # fmt: skip
    for row in found:
        assert row["benchmark"] == row["predictions"][0].replace("predictions.parquet", "benchmark.json")


def test_repeats_are_shown_where_there_are_some(paper):
    assert shown_runs.repeated(paper) == {}
    found = shown_runs.repeated(shipped("own_videos.yaml"))["my_videos"]
    assert list(found["S0.5"]) == ["1", "2", "3"]
    assert list(found["S0.3"]) == ["1"]
    assert "baseline" not in found
    several = shown_runs.repeated(shipped(seeds=[0, 1]))
    assert [len(several["demo_ucf"]["SU12"]["1"][side]) for side in ("predictions", "baseline")] == [2, 2]


def test_ranks_need_three_methods_and_five_blocks():
    assert shown_runs.blocks(shipped()) == {}, "one seed of two data sets"
    assert shown_runs.blocks(shipped("subsets.yaml", seeds=[0, 1, 2])) == {}, "one method and the baseline"
    found = shown_runs.blocks(shipped("own_videos.yaml", seeds=[0, 1]))["my_videos"]
    assert list(found) == ["1", "2", "3"]
    assert list(found["2"]) == ["baseline", "DTKD", "BSKD", "KD"]
    assert {len(files) for block in found.values() for files in block.values()} == {2}
    assert all("/list2/" in file for files in found["2"].values() for file in files)
    assert list(shown_runs.blocks(shipped(seeds=[0, 1, 2]))) == ["demo_ucf", "demo_hmdb"]


def test_a_chosen_student_that_is_another_rows_run_is_ranked():
    """Of several rows of one run the first stands for all."""
    rows = {"SU1": {"grid": {"KD_T": [2, 4, 8]}}}
    given = shipped(seeds=[0, 1, 2], students={"demo_ucf": rows}, analysis={"chosen": {"demo_ucf": "SU9"}})
    assert set(shown_runs.blocks(given)) == {"demo_ucf", "demo_hmdb"}
    assert {row["variant"] for row in shown_runs.table3(given)} == {None}


def test_a_search_is_a_row_whose_settings_its_record_has():
    grid = {"KD_T": [2, 4], "FT": [True, False]}
    row = {"S_alpha": 0.3, "KD_T": 2, "KD_alpha": 0.4, "search": {"grid": grid, "rungs": [1]}}
    train = {"selection": "validation", "epochs": 3}
    given = shipped(use=["demo_ucf"], students={"demo_ucf": {"tuned": row}}, train=train)
    (shown,) = [each for each in shown_runs.table5(given) if each["model"] == "tuned"]
    assert (shown["method"], shown["KD_T"], shown["FT"], shown["variant"]) == ("dtkd", None, None, "best of 4")
    assert shown["winner"] == "results/demo_ucf/list1/student/search-tuned-seed0/run.json"
    assert not shown["as_published"]
    (searched,) = shown_runs.searches(given)
    assert list(searched["candidates"].items())[1] == ("T2-no-FT", "KD_T 2, FT false")
    assert [file.rpartition("tuned-seed0/")[2] for file in searched["rankings"]] == [
        "epoch1/ranking.json", "epoch3/ranking.json",
    ]  # fmt: skip
    (cost,) = [each for each in shown_runs.methods(given) if each["models"] == "tuned"]
    assert cost["searched"]
    assert (cost["teacher_passes"], cost["teacher_trainings"]) == (2 + 2, 2 + 1), "the most that a candidate takes"
    assert "tuned" not in {each["model"] for each in shown_runs.readings(given)}
