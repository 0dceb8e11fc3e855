"""Recorded settings beside the study's: what differs, under the config's names, and what cannot be told."""

import json
from pathlib import Path

import pytest
import yaml

from dtkd.common.errors import DtkdError
from dtkd.common.files import write_json
from dtkd.config import read
from dtkd.operations import recorded_settings

CONFIG = yaml.safe_load((Path(__file__).parents[2] / "config.yaml").read_text(encoding="utf-8"))


@pytest.fixture
def given(tmp_path):
    """The demo's config, its results below a folder whose name is a pattern."""
    return json.loads(json.dumps(CONFIG)) | {"results": str(tmp_path / "re[su]lts")}


def make(given):
    """Write the record of everything, as jobs do; of two classes' flow."""
    for each in recorded_settings.expected(read(given)):
        files = [f"{Path(given['results'])}/demo_ucf/flow/{name}.run.json" for name in ("A", "B.c")]
        for file in files if "*" in each.record else [each.record]:
            Path(file).parent.mkdir(parents=True, exist_ok=True)
            others = {"device": "cpu", "computing": {"channels_last": True}} if file.endswith("/run.json") else {}
            write_json(file, {"settings": each.settings} | others)


def differences(given):
    found = recorded_settings.artefacts(recorded_settings.expected(read(given)))
    return {each.path.removeprefix(f"{given['results']}/"): each.differences for each in found if each.differences}


def test_what_was_made_as_the_study_says_differs_in_nothing(given):
    assert recorded_settings.artefacts(recorded_settings.expected(read(given))) == []  # nothing is there
    make(given)
    assert differences(given) == {}
    found = recorded_settings.artefacts(recorded_settings.expected(read(given)))
    paths = [each.path.removeprefix(f"{given['results']}/") for each in found]
    assert len(paths) == len(set(paths))
    assert {"demo_ucf/list1/targets/frozen-LT-seed0.pt", "demo_ucf/split.json", "demo_ucf/flow/A and 1 more",
            "demo_ucf/list1/baseline/slowfast_small-seed0", "tables/table6.csv", "figures/figure8.png",
            "demo_source/list1/pretrain/slowfast_small-seed0"} <= set(paths)  # fmt: skip


def test_a_baseline_that_drew_its_own_windows_is_not_one_that_sees_a_students(given):
    own = {"clip": {"frames": 4, "rate": 2}}
    given["baselines"]["demo_ucf"]["short"] = own
    make(given)
    assert differences(given) == {}
    given["students"]["demo_ucf"]["S"] = {"S_alpha": 0.3, "KD_T": 2, "KD_alpha": 0.4} | own
    (found,) = differences(given).values()
    assert ("windows of clip.frames", None, 8) in found


def test_a_training_setting_is_named_as_the_config_names_it_and_of_each_run_that_has_it(given):
    make(given)
    epochs = given["pretrain"]["train"]["epochs"]
    given["train"]["lr"] = 0.5
    given["model"]["dropout"] = 0.9
    given["pretrain"]["train"]["epochs"] = 99
    found = differences(given)
    baseline = found["demo_ucf/list1/baseline/slowfast_small-seed0"]
    assert baseline == [("model.dropout", 0.2, 0.9), ("train.lr", 0.003, 0.5)]
    assert str(baseline[1]) == "train.lr 0.003 (the study has 0.5)"
    assert found["demo_source/list1/pretrain/slowfast_small-seed0"] == [("pretrain.train.epochs", epochs, 99)]
    assert found["demo_ucf/list1/targets/frozen-LT-seed0.pt"] == baseline
    runs = [path for path in found if "/list" in path]
    assert len(runs) == len(read(given).runs()) + 8  # and four files of targets of each dataset
    del given["pretrain"]["train"]["lr"]  # then it is train's
    assert ("pretrain.train.lr", 0.003, 0.5) in differences(given)["demo_source/list1/pretrain/slowfast_small-seed0"]


def test_how_a_training_computed_is_known_and_no_difference(given):
    make(given)
    given["train"] |= {"channels_last": False, "devices": 2}
    assert differences(given) == {}
    values = recorded_settings.values(recorded_settings.artefacts(recorded_settings.expected(read(given))))
    runs = read(given).runs().values()
    assert values["train.channels_last"] == [(True, sum(run.role != "pretrain" for run in runs))]
    assert values["pretrain.train.channels_last"] == [(True, sum(run.role == "pretrain" for run in runs))]
    assert values["augment.short_side"][0][0] == [48, 52]


def test_a_rows_own_clip_is_not_the_studys(given):
    make(given)
    given["clip"]["rate"] = 2
    found = differences(given)
    assert found["demo_ucf/list1/baseline/slowfast_small-seed0"] == [("clip.rate", 3, 2)]
    assert "demo_ucf/list1/baseline/slowfast_small-4x6-seed0" not in found
    values = recorded_settings.values(recorded_settings.artefacts(recorded_settings.expected(read(given))))
    assert {value for value, _ in values["clip.frames"]} == {8}


def test_flow_split_and_analysis(given):
    make(given)
    given["flow"]["step"] = 3
    given["split"] = {"value": 1.5}
    given["analysis"]["kl"] = "reverse"
    other = [(f"analysis.{dataset}.kl", "forward", "reverse") for dataset in ("demo_ucf", "demo_hmdb")]
    assert differences(given) == {
        "demo_ucf/flow/A and 1 more": [("flow.step", 1, 3)],
        **{
            f"{dataset}/{name}.json": [("split.value", None, 1.5), ("split.quantile", 0.25, None)]
            for dataset in ("demo_ucf", "demo_hmdb")
            for name in ("split", "stability")
        },
        "tables/table6.csv": other,
        "figures/figure8.png": other,
    }
    given["split"] = {"source": "random"}
    assert ("split.source", "flow", "random") in differences(given)["demo_ucf/split.json"]


def test_classes_with_other_flow_stand_apart(given):
    make(given)
    write_json(f"{given['results']}/demo_ucf/flow/C.run.json", {"settings": {"settings": {"step": 9}}})
    assert differences(given).keys() == {"demo_ucf/flow/C"}


def test_teachers_of_a_time_without_a_choice_were_masked(given):
    make(given)
    teacher = "demo_ucf/list1/teacher/static-LT-seed0"
    file = Path(given["results"], teacher, "run.json")
    made = json.loads(file.read_text())
    assert made["settings"].pop("teacher_outputs") == "full"
    write_json(file, made)
    assert differences(given) == {teacher: [("teacher_outputs", "masked", "full")]}
    given["teachers"]["outputs"] = "masked"
    found = differences(given)
    assert teacher not in found
    assert found.pop("demo_ucf/list1/teacher/dynamic-LT-seed0") == [("teacher_outputs", "full", "masked")]
    assert not any("baseline" in name or "pretrain" in name for name in found)


def test_lists_that_are_drawn(given):
    own = {"format": "folders", "videos": "here", "lists": 3, "split_seed": 1}
    given["datasets"]["demo_ucf"] = own
    make(given)
    file = Path(given["results"], "demo_ucf/videos.run.json")
    made = json.loads(file.read_text())
    made["settings"]["source"] |= {"format": "folders", "videos": "elsewhere", "annotations": None}
    write_json(file, made)
    assert differences(given) == {}  # wherever the same videos lie
    own |= {"split_seed": 2, "test_fraction": 0.5}
    (found,) = differences(given).values()
    assert found == [("datasets.demo_ucf.test_fraction", 0.3, 0.5), ("datasets.demo_ucf.split_seed", 1, 2)]


def test_what_a_record_of_another_version_does_not_say_is_not_compared(given):
    make(given)
    file = Path(given["results"], "demo_ucf/list1/baseline/slowfast_small-seed0/run.json")
    for content in ("{", "[]", '{"settings": null}', '{"settings": {"unheard_of": 1}}'):
        file.write_text(content)
        assert differences(given) == {}
    file.write_text('{"settings": {"train": {"lr": 7}}}')
    assert ("train.lr", 7, 0.003) in differences(given)["demo_ucf/list1/baseline/slowfast_small-seed0"]


def test_a_run_of_other_settings_that_snakemake_does_not_know(given):
    make(given)
    given["train"]["lr"] = 0.5
    study = read(given)
    record = f"{given['results']}/demo_ucf/list1/baseline/slowfast_small-seed0/run.json"
    forgotten = recorded_settings.of_forgotten_runs(study, lambda file: file != record)
    assert list(forgotten) == [record]
    with pytest.raises(DtkdError, match=r"slowfast_small-seed0 was made with other settings: train\.lr .*--forcerun"):
        recorded_settings.refuse_forgotten(record, forgotten)
    recorded_settings.refuse_forgotten(f"{given['results']}/demo_ucf/list2/run.json", forgotten)
    assert recorded_settings.of_forgotten_runs(study, lambda file: True) == {}


def test_a_search_and_its_candidates_are_told_of(given):
    """Both by the config's names; a candidate that Snakemake has forgotten would stand as well."""
    row = {"method": "kd", "KD_T": 2, "KD_alpha": 0.4, "search": {"grid": {"KD_T": [2, 4]}, "rungs": [1]}}
    given["students"]["demo_ucf"] = {"tuned": row}
    given["analysis"] = {}
    given["train"] |= {"selection": "validation"}
    make(given)
    assert differences(given) == {}
    row["search"]["eta"] = 2
    winner, search = "demo_ucf/list1/student/search-tuned-seed0", "demo_ucf/list1/search/tuned-seed0"
    assert differences(given) == {winner: [("students.demo_ucf.tuned.search.eta", 3, 2)]}
    given["train"]["lr"] = 0.1
    first = {f"{search}/epoch1/candidate-T{value}.json": [("train.lr", 0.003, 0.1)] for value in (2, 4)}
    assert first.items() <= differences(given).items()
    forgotten = recorded_settings.of_forgotten_runs(read(given), lambda file: False)
    assert {f"{given['results']}/{file}" for file in (*first, f"{winner}/run.json")} <= forgotten.keys()
