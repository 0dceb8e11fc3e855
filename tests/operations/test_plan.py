"""A plan's arithmetic by hand, and how it follows the config. Nothing is measured but in the last tests."""

import json
from dataclasses import replace

import official
import pandas as pd
import pytest
import torch
import yaml
from conftest import draw
from torch.utils.flop_counter import FlopCounterMode

import plan as script
from dtkd.common.errors import DtkdError
from dtkd.config import read
from dtkd.data import published
from dtkd.data.groups import SUBSETS
from dtkd.models import backbones
from dtkd.operations import plan
from dtkd.operations.plan import Machine, Measured, Size, Task

MEASURED = Measured(clip_seconds=0.1, flow_seconds=4.0, flow_bytes=10_000)
GPU = Machine("a GPU", devices=1, rate=1e13, cores=8, decoders=7)
PAPER = official.DATA.parents[1] / "studies" / "paper.yaml"


def paper(**changes):
    """studies/paper.yaml, merged with config.yaml, with other values at top level."""
    merged = script.study_of([PAPER], PAPER.parents[1]).model_dump(mode="json")
    return read(merged | changes)


@pytest.fixture(scope="module")
def sizes():
    """The paper's datasets by their known numbers, with the published split."""
    known = paper(split={"source": "published"})
    return {name: plan.size(known, name) for name in known.use}


def costs(chosen, sizes):
    found = plan.tasks(chosen, sizes, dict.fromkeys(chosen.used_datasets(), MEASURED))
    return {task.name: task for task in found}


def test_the_papers_numbers_without_its_videos(sizes):
    for row in published.table(2).replace("overall", "all").itertuples():
        own = sizes[row.dataset]
        assert own.train[row.list][row.subset] == row.train
        assert own.test[row.list][row.subset] == row.test
    assert [own.videos for own in sizes.values()] == [13_320, 6_766]
    assert [own.classes for own in sizes.values()] == [101, 51]


def test_it_is_the_format_whose_numbers_are_known(tmp_path):
    """Whatever the data set is called; one in folders has no such numbers."""
    place = {"videos": str(tmp_path / "videos"), "annotations": str(tmp_path / "lists")}
    config = paper().model_dump(mode="json")
    config |= {"use": ["mine"], "baselines": {"mine": {"B": {"list": 1}}}, "students": {}, "analysis": {"chosen": {}}}
    for name, videos in (("ucf101", 13_320), ("hmdb51", 6_766)):
        own = plan.size(read(config | {"datasets": {"mine": {"format": name} | place}}), "mine")
        assert (own.videos, own.train[3]["all"]) == (videos, {"ucf101": 9624, "hmdb51": 3570}[name])
        assert own.notes[0].startswith(f"mine: {tmp_path / 'lists'} is not there; the official lists' numbers are used")
    unknown = {"format": "csv"} | place
    with pytest.raises(DtkdError, match="there is no such file"):
        plan.size(read(config | {"datasets": {"mine": unknown}}), "mine")


def test_listed_classes_count_as_static(tmp_path):
    """The demo's, of whose three datasets one is for pretraining only, whatever split an earlier study has left."""
    config = script.study_of([], PAPER.parents[1]).model_dump(mode="json") | {"results": str(tmp_path)}
    (tmp_path / "demo_ucf").mkdir()
    (tmp_path / "demo_ucf" / "split.json").write_text('{"classes": {"JumpRope": {"subset": "dynamic"}}}')
    static = {"demo_ucf": ["JumpRope", "Typing"], "demo_hmdb": ["wave"]}
    own = {name: plan.size(read(config | {"split": {"source": "listed", "static": static}}), name)
           for name in ("demo_ucf", "demo_hmdb", "demo_source")}  # fmt: skip
    for name, share in (("demo_ucf", 2 / 16), ("demo_hmdb", 1 / 12)):
        assert own[name].train[1]["static"] == pytest.approx(share * own[name].train[1]["all"])
    static["demo_ucf"] = ["JumpRop"]
    with pytest.raises(DtkdError, match=r"split\.static\.demo_ucf: 'JumpRop' is not one of its classes; did you mean"):
        plan.size(read(config | {"split": {"source": "listed", "static": static}}), "demo_ucf")


def test_the_official_lists_say_the_same(tmp_path, sizes):
    for name, write in (("ucf101", official.write_ucf101), ("hmdb51", official.write_hmdb51)):
        videos, annotations = write(tmp_path / name, create_videos=False)
        place = {"format": name, "videos": str(videos), "annotations": str(annotations)}
        chosen = paper(split={"source": "published"}, datasets=paper().model_dump()["datasets"] | {name: place})
        own = plan.size(chosen, name)
        assert (own.by_class, own.train, own.test) == (sizes[name].by_class, sizes[name].train, sizes[name].test)


def test_a_baseline_by_hand(sizes):
    """U1: ten epochs of 9,537 clips, three passes each, and of 3,783 test clips; 213.0 G multiply-adds a pass."""
    macs = plan.multiply_adds("slowfast_r101_16x8", 101, 64, 256)
    assert macs == pytest.approx(213.0e9, rel=0.001)
    found = costs(paper(), sizes)["ucf101/list1/baseline/slowfast_r101_16x8-seed0"]
    assert found.flops == pytest.approx(2 * macs * (10 * 9537 * 3 + 10 * 3783))
    assert found.clips == 10 * (9537 + 3783)
    assert found.disk == pytest.approx(2 * 53_085_613 * 4 + 2 * 3783 * 101 * 4)
    assert GPU.seconds(found, MEASURED.clip_seconds) == pytest.approx(found.flops / 1e13)
    assert GPU.seconds(found, clip_seconds=2.0) == pytest.approx(found.clips * 2 / 7), "decoding is the slower"


def test_a_training_step_is_three_forward_passes():
    """As torch counts it; the clip's own gradient, which only the first layer's is spared, is asked for here."""
    model = backbones.build("slowfast_tiny", 10).train()
    clip = torch.zeros(2, 3, 8, 32, 32, requires_grad=True)
    with FlopCounterMode(display=False) as counter:
        model(clip).sum().backward()
    assert counter.get_total_flops() == 3 * 2 * 2 * plan.multiply_adds("slowfast_tiny", 10, 8, 32)


@pytest.mark.parametrize("classes", [5, 400, 700])
def test_another_number_of_classes_changes_the_head_alone(classes):
    model = backbones.build("slowfast_tiny", classes)
    assert plan.multiply_adds("slowfast_tiny", classes, 8, 32) == backbones.flops(model, 8, 32)
    assert plan.parameters("slowfast_tiny", classes) == backbones.parameter_counts(model)[0]


def test_what_each_role_costs(sizes):
    found = costs(paper(), sizes)
    macs, list1 = plan.multiply_adds("slowfast_r101_16x8", 101, 64, 256), sizes["ucf101"]
    features = found["ucf101/list1/features/slowfast_r101_16x8-seed0.pt"]
    assert features.flops == pytest.approx(2 * macs * (10 * 9537 + 3783)), "each test video's centre clip is one"
    assert features.disk == pytest.approx((10 * 9537 + 3783) * 2304 * 4)
    frozen = found["ucf101/list1/baseline/slowfast_r101_16x8-frozen-seed0"]
    locked, free = (found[f"ucf101/list1/teacher/static{lock}-seed0"] for lock in ("-LT", ""))
    train, test = list1.train[1]["static"], list1.test[1]["static"]
    assert free.flops == pytest.approx(2 * macs * (30 * train + 10 * test + 2 * 3783))
    for head in (frozen, locked):
        assert head.flops == head.clips == 0, "what it learns from is known"
        assert features.name in head.after
    logits = found["ucf101/list1/targets/frozen-LT-seed0.pt"]
    assert logits.flops == pytest.approx(2 * macs * 2 * 10 * 9537)
    assert logits.disk == pytest.approx(2 * 10 * 9537 * 101 * 4)
    assert set(logits.after) == {f"ucf101/list1/teacher/{subset}-LT-seed0" for subset in SUBSETS}
    students = {name: task for name, task in found.items() if "/student/" in name and name.startswith("ucf101")}
    assert len(students) == 13
    taught = students["ucf101/list1/student/dtkd-S0.3-T2-A0.2-LT-FT-seed0"]
    assert taught.flops == found["ucf101/list1/baseline/slowfast_r101_16x8-seed0"].flops, "the logits are known"
    together = students["ucf101/list1/student/dtkd-S0.3-T2-A0.4-seed0"]
    assert together.flops == taught.flops, "what its teachers say is known, too, though they go on learning"
    learning = found["ucf101/list1/targets/continued-seed0.pt"]
    assert learning.flops == pytest.approx(2 * macs * 4 * 10 * 9537), "each clip is asked of two, and one learns"
    assert together.after[-1] == learning.name


def test_what_teachers_show_is_on_the_disk_as_well(sizes):
    """Beside their answers, their pooled features, two bytes each."""
    students = {"ucf101": {"said": {"method": "kd", "KD_T": 4, "KD_alpha": 0.5}, "shown": {"method": "rkd"}}}
    for own in students["ucf101"].values():
        own |= {"list": 1}
    config = paper(split={"source": "published"}).model_dump(mode="json")
    config |= {"use": ["ucf101"], "students": students, "analysis": {"chosen": {}}}
    config["baselines"] = {"ucf101": config["baselines"]["ucf101"]}
    found = costs(read(config), sizes)
    said, shown = sorted((task.disk for name, task in found.items() if "/targets/" in name))
    numbers = plan.features_of("slowfast_r101_16x8")
    assert numbers == 2304
    assert said == pytest.approx(10 * 9537 * 101 * 4)
    assert shown == pytest.approx(said + 10 * 9537 * 2304 * 2)


def test_each_network_costs_its_own(sizes):
    """Students of other networks; what teachers say to their clips costs the teachers' networks, once for all."""
    config = script.study_of([PAPER, PAPER.with_name("compress.yaml")], PAPER.parents[1]).model_dump(mode="json")
    config["teachers"]["groups"] = {"static": {"backbone": "x3d_s", "clip": {"frames": 16, "rate": 8, "crop": 160}}}
    found = costs(read(config | {"split": {"source": "published"}}), sizes)
    macs = plan.multiply_adds("r2plus1d_18", 101, 16, 112)
    student = found["ucf101/list1/student/dtkd-S0.3-T2-A0.4-FT-as-r2plus1d_18-16x8-112px-published_pixels-seed0"]
    assert student.flops == pytest.approx(2 * macs * (10 * 9537 * 3 + 10 * 3783))
    teachers = plan.multiply_adds("x3d_s", 101, 16, 160) + plan.multiply_adds("slowfast_r101_16x8", 101, 64, 256)
    logits = found["ucf101/list1/targets/frozen-seed0.pt"]
    assert logits.flops == pytest.approx(2 * teachers * 10 * 9537)
    assert logits.clips == 2 * 10 * 9537, "each network's clips are decoded for it"
    (targets,) = (name for name in student.after if "frozen-seed0" in name)
    assert targets == logits.name, "shared by students of all networks"


def test_single_keys_are_merged_as_snakemake_does():
    usual = script.study_of([PAPER], PAPER.parents[1])
    given = script.study_of([PAPER], PAPER.parents[1], ["results=elsewhere", "train={epochs: 2}"])
    assert given == usual.model_copy(
        update={"results": "elsewhere", "train": usual.train.model_copy(update={"epochs": 2})}
    )
    with pytest.raises(DtkdError, match=r"^--config: Invalid config definition"):
        script.study_of([PAPER], PAPER.parents[1], ["results"])


@pytest.mark.parametrize("row", [
    {}, {"weighting": "blend"}, {"FT": False}, {"LT": False, "FT": False}, {"method": "bskd", "S_alpha": None},
    {"method": "kd", "S_alpha": None},
], ids=str)  # fmt: skip
def test_a_student_costs_what_a_plain_training_costs(row, sizes):
    row = {"S_alpha": 0.3, "KD_T": 2, "KD_alpha": 0.4} | row
    chosen = paper(students={"ucf101": {"SU12": row}}, use=["ucf101"], analysis={"chosen": {}})
    found = costs(chosen, sizes)
    (task,) = [task for name, task in found.items() if "/student/" in name]
    assert task.flops == found["ucf101/list1/baseline/slowfast_r101_16x8-seed0"].flops


def test_teachers_that_train_for_longer(sizes):
    """Their training costs more (of locked ones, their features), and their logits on the student's clips do not."""
    row = {"S_alpha": 0.3, "KD_T": 2, "KD_alpha": 0.4}
    for LT, wanted in ((True, {"features/slowfast_r101_16x8-seed0.pt"}),
                       (False, {"teacher/static-seed0", "teacher/dynamic-seed0"})):  # fmt: skip
        usual, longer = (costs(paper(students={"ucf101": {"SU12": row | {"LT": LT}}}, use=["ucf101"],
                                     teachers={"train": train}), sizes)
                         for train in ({}, {"epochs": 20}))  # fmt: skip
        changed = {name for name in usual if usual[name].flops != longer[name].flops}
        assert changed == {f"ucf101/list1/{name}" for name in wanted}


def test_plain_distillation_pays_for_one_teacher(sizes):
    """A baseline's one pass over every clip, which does not wait for any flow."""
    row = {"method": "kd", "KD_T": 2, "KD_alpha": 0.4}
    given = {"mine": row | {"teacher": "small"}, "usual": row}
    chosen = paper(students={"ucf101": given}, use=["ucf101"], analysis={"chosen": {}},
                   baselines={"ucf101": {"U1": {}, "small": {"backbone": "slowfast_r50_8x8"}}})  # fmt: skip
    found = costs(chosen, sizes)
    for backbone in ("slowfast_r50_8x8", "slowfast_r101_16x8"):
        logits = found[f"ucf101/list1/targets/frozen-{backbone}-seed0.pt"]
        macs = plan.multiply_adds(backbone, 101, 64, 256)
        assert logits.flops == pytest.approx(2 * macs * 10 * 9537)
        assert logits.after == (f"ucf101/list1/baseline/{backbone}-seed0",)
        student = found[f"ucf101/list1/student/kd-T2-A0.4-{backbone}-seed0"]
        assert student.flops == found["ucf101/list1/baseline/slowfast_r101_16x8-seed0"].flops
        assert student.after == (logits.name,)


def test_a_mixture_waits_for_what_both_kinds_of_teachers_say(sizes):
    """Each kind is asked by itself, and once: the student by plain distillation reads the baseline's answers, too."""
    row = {"KD_T": 2, "KD_alpha": 0.4}
    given = {"mixture": row | {"method": "mixture"}, "plain": row | {"method": "kd"}}
    chosen = paper(students={"ucf101": given}, use=["ucf101"], analysis={"chosen": {}})
    found = costs(chosen, sizes)
    logits = [name for name in found if "/targets/" in name]
    assert logits == [f"ucf101/list1/targets/frozen-{name}-seed0.pt" for name in ("LT", "slowfast_r101_16x8")]
    student = found["ucf101/list1/student/mixture-T2-A0.4-LT-FT-slowfast_r101_16x8-seed0"]
    assert student.after[-2:] == tuple(logits)
    assert any("flow" in name for name in student.after)


def test_a_search_trains_as_many_epochs_as_its_rungs_have_places(sizes):
    """Six candidates to the first epoch, two to the second, one to the end; the test is of the winner alone."""
    row = {"method": "kd", "KD_T": 2, "KD_alpha": 0.4}
    searched = row | {"search": {"grid": {"KD_T": [2, 4, 8], "KD_alpha": [0.2, 0.4]}, "rungs": [1, 2]}}
    train = paper().train.model_dump() | {"epochs": 5, "selection": "validation"}
    chosen = paper(students={"ucf101": {"plain": row, "tuned": searched}}, use=["ucf101"], analysis={"chosen": {}},
                   train=train, seeds=[0, 1], baselines={"ucf101": {"U1": {}}})  # fmt: skip
    found = costs(chosen, sizes)
    rungs = {epoch: [task for name, task in found.items() if f"/search/tuned-seed0/epoch{epoch}/" in name]
             for epoch in (1, 2, 5)}  # fmt: skip
    assert {epoch: len(tasks) for epoch, tasks in rungs.items()} == {1: 6, 2: 2, 5: 1}
    whole = found["ucf101/list1/student/kd-T2-A0.4-slowfast_r101_16x8-seed0"]
    winner, other = (found[f"ucf101/list1/student/search-tuned-seed{seed}"] for seed in (0, 1))
    assert sum(task.flops for task in rungs[5]) == pytest.approx(3 * rungs[1][0].flops)
    spent = sum(task.flops for tasks in rungs.values() for task in tasks)
    assert spent == pytest.approx((6 + 2 + 3) / 5 * (whole.flops - winner.flops))
    assert other.flops == whole.flops, "of another seed it is trained in full"
    assert set(rungs[2][0].after) == {task.name for task in rungs[1]}
    assert {task.name for task in rungs[5]} < set(winner.after)
    assert {task.name for task in rungs[5]} < set(other.after)


def test_jobs_of_the_paper(sizes):
    chosen = paper()
    found = plan.tasks(chosen, sizes, dict.fromkeys(chosen.use, MEASURED))
    rows = {row["stage"]: row for row in plan.plan(chosen, sizes, found, GPU, dict.fromkeys(chosen.use, MEASURED)).rows}
    jobs = {stage: row["jobs"] for stage, row in rows.items()}
    assert jobs == {"flow": 152, "frozen features": 2, "baselines": 12, "teachers": 8, "teachers' logits": 8,
                    "students": 26, "total": 208}  # fmt: skip
    assert rows["flow"]["CPU h"] == pytest.approx((13_320 + 6_766) * 4 / 3600)
    assert rows["flow"]["disk GB"] == pytest.approx((13_320 + 6_766) * 1e-5)
    for column in ("clips", "PFLOP", "GPU h", "CPU h", "disk GB"):
        assert rows["total"][column] == pytest.approx(sum(rows[stage][column] for stage in jobs if stage != "total"))


def test_networks_on_features_are_of_the_numbers_that_there_are():
    config = {
        "name": "of features", "use": ["own"],
        "datasets": {"own": {"format": "features", "videos": "features", "annotations": "lists.csv"}},
        "split": {"measure": "feature_change"}, "model": {"backbone": "temporal_conv", "weights": "none"},
        "clip": {"frames": 8, "rate": 1}, "train": {"epochs": 1, "batch_size": 8, "lr": 0.01},
        "augment": {"short_side": [64, 64], "crop": 64, "test_short_side": 64},
        "baselines": {"own": {"B": {"list": 1}}}, "students": {},
    }  # fmt: skip
    study = read(config)
    (row,) = plan._networks(study, {"own": Size({}, {}, {}, 8, 16, 1)}, study.runs())
    assert (row["numbers"], row["parameters M"] * 1e6) == (16, plan.parameters("temporal_conv", 400, 16))
    assert "crop" not in row


def test_epochs_seeds_and_datasets_scale_it(sizes):
    def flops(**changes):
        return sum(task.flops for task in costs(paper(**changes), sizes).values())

    train = paper().train.model_dump()
    one, two, four = (flops(train=train | {"epochs": epochs}) for epochs in (1, 2, 4))
    assert four - two == pytest.approx(2 * (two - one))
    assert flops(seeds=[0, 1]) == pytest.approx(2 * flops())
    assert flops(use=["ucf101"]) + flops(use=["hmdb51"]) == pytest.approx(flops())


def test_another_protocol_is_evaluated(sizes):
    found = costs(paper(evaluation={"clips_per_video": 10, "crops_per_clip": 3}), sizes)
    own = [task for task in found.values() if task.stage == "evaluation"]
    assert len(own) == 12 + 8 + 26, "Tables 4 and 6 read the teachers' predictions by the same protocol"
    (first,) = [task for task in own if task.name.startswith("ucf101/list1/baseline/slowfast_r101_16x8-seed0")]
    macs = plan.multiply_adds("slowfast_r101_16x8", 101, 64, 256)
    assert first.flops == pytest.approx(2 * macs * 2 * 30 * 3783)


def test_what_is_done_costs_no_more(tmp_path, sizes):
    chosen = paper(results=str(tmp_path))
    before = plan.tasks(chosen, sizes, dict.fromkeys(chosen.use, MEASURED))
    run = tmp_path / "ucf101/list1/baseline/slowfast_r101_16x8-seed0"
    run.mkdir(parents=True)
    (run / "checkpoint.pt").touch()
    (tmp_path / "hmdb51/flow").mkdir(parents=True)
    (tmp_path / "hmdb51/flow/wave.parquet").touch()
    after = plan.tasks(chosen, sizes, dict.fromkeys(chosen.use, MEASURED))
    assert sum(task.done for task in after) == 2
    plans = [plan.plan(chosen, sizes, found, GPU, dict.fromkeys(chosen.use, MEASURED)) for found in (before, after)]
    rows = [each.rows[-1] for each in plans]
    own, flow = [task for task in after if task.done and task.flops], published.videos("hmdb51")["wave"] * 4
    assert rows[0]["GPU h"] - rows[1]["GPU h"] == pytest.approx(own[0].flops / 1e13 / 3600)
    assert rows[0]["CPU h"] - rows[1]["CPU h"] == pytest.approx((own[0].clips * 0.1 + flow) / 3600)
    assert [each.done for each in plans] == [0, 2]
    assert [row["jobs"] for row in rows] == [208, 206]


def test_what_nobody_waits_for_would_not_run():
    """Logits may be removed once their students are done, and a backbone's pretraining once all runs are."""
    found = [
        Task("a: render wave", "render", "cpu"), Task("p", "pretrain", "gpu", ("a: render wave",)),
        Task("b", "baselines", "gpu", ("p",)), Task("t", "teachers", "gpu", ("p",)),
        Task("l", "teachers' logits", "gpu", ("t",)), Task("s", "students", "gpu", ("p", "l")),
    ]  # fmt: skip

    def left(*done):
        return [task.name for task in plan.left([replace(task, done=task.name in done) for task in found])]

    assert left() == [task.name for task in found]
    assert left("s") == ["a: render wave", "p", "b", "t"]
    assert left("b", "t", "s") == []
    assert left("a: render wave", "p", "b", "t") == ["l", "s"]
    assert left("p", "b", "s") == ["t"]


def finished(root, sizes, run, devices=1, nodes=1):
    """A study one run of which took 2,000 s on GPUs: (the study, its tasks, the run's task)."""
    chosen, folder = paper(results=str(root)), root / run
    folder.mkdir(parents=True)
    (folder / "checkpoint.pt").touch()
    (folder / "run.json").write_text(json.dumps({"device": "cuda", "computing": {"devices": devices, "nodes": nodes}}))
    seconds = {"train_seconds": [900.0, 900.0], "wait_seconds": [100.0, 100.0], "test_seconds": [200.0, 200.0]}
    pd.DataFrame(seconds).to_parquet(folder / "history.parquet")
    found = plan.tasks(chosen, sizes, dict.fromkeys(chosen.use, MEASURED))
    (own,) = [task for task in found if task.done]
    return chosen, found, own


def test_finished_runs_tell_the_rate(tmp_path, sizes):
    chosen, found, own = finished(tmp_path, sizes, "ucf101/list1/baseline/slowfast_r101_16x8-seed0")
    assert plan.finished_rate(chosen, found, "cuda") == (pytest.approx(own.flops / 2000), 1)
    assert plan.finished_rate(chosen, found, "cpu") == (0.0, 0)


def test_the_rate_is_that_of_one_device(tmp_path, sizes):
    run = "ucf101/list1/baseline/slowfast_r101_16x8-seed0"
    chosen, found, own = finished(tmp_path, sizes, run, devices=4, nodes=2)
    assert plan.finished_rate(chosen, found, "cuda") == (pytest.approx(own.flops / 2000 / 8), 1)


def test_a_teachers_answers_after_its_training_are_not_in_the_rate(tmp_path, sizes):
    """Its history does not hold their seconds."""
    chosen, found, own = finished(tmp_path, sizes, "ucf101/list1/teacher/static-seed0")
    timed = own.flops - 2 * plan.multiply_adds("slowfast_r101_16x8", 101, 64, 256) * 2 * 3783
    assert plan.finished_rate(chosen, found, "cuda") == (pytest.approx(timed / 2000), 1)


# The time from start to end


def test_schedule():
    chain = [Task("flow", "flow", "cpu"), Task("a", "teachers", "gpu", ("flow",)), Task("b", "students", "gpu", ("a",))]
    seconds = {"flow": 1.0, "a": 2.0, "b": 3.0} | {f"baseline {k}": 2.0 for k in range(4)}
    found = [*chain, *(Task(f"baseline {k}", "baselines", "gpu") for k in range(4))]
    assert plan.schedule(chain, seconds, {"cpu": 1, "gpu": 1}) == 6
    assert plan.schedule(found, seconds, {"cpu": 1, "gpu": 100}) == 6, "no number of GPUs shortens the chain"
    assert plan.schedule(found, seconds, {"cpu": 1, "gpu": 1}) <= 1 + 5 + 8
    assert plan.schedule(found, seconds, {"cpu": 1, "gpu": 2}) >= (5 + 8) / 2
    assert plan.schedule([], {}, {"cpu": 1, "gpu": 1}) == 0


def test_more_gpus_are_quicker_until_the_chain_is_left(sizes):
    chosen = paper()
    measured = dict.fromkeys(chosen.use, MEASURED)
    found = plan.tasks(chosen, sizes, measured)
    hours = [plan.plan(chosen, sizes, found, Machine("", n, 1e13, 8 * n, 7), measured).hours for n in (1, 8, 1000)]
    total = sum(GPU.seconds(task, 0.1) for task in found if task.pool == "gpu") / 3600
    assert hours[0] > hours[1] > hours[2]
    assert hours[0] >= total
    assert hours[1] >= total / 8


# The command


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A study of eight small videos in the current folder."""
    for name in ("left", "right"):
        (tmp_path / "videos" / name).mkdir(parents=True)
        for seed in range(4):
            draw(tmp_path / "videos" / name / f"{seed}.avi", seed=seed, label=int(name == "left"), frames=30)
    config = {
        "name": "own", "use": ["own"], "device": "cpu", "seeds": [0],
        "datasets": {"own": {"format": "folders", "videos": "videos", "lists": 1, "test_fraction": 0.25}},
        "model": {"backbone": "slowfast_tiny", "weights": "none"}, "clip": {"frames": 8, "rate": 1},
        "augment": {"short_side": [32, 36], "crop": 32, "test_short_side": 32},
        "train": {"epochs": 1, "batch_size": 2, "lr": 0.01},
        "baselines": {"own": {"B": {"list": 1}}},
        "students": {"own": {"A": {"S_alpha": 0.3, "KD_T": 2, "KD_alpha": 0.4, "LT": True, "FT": True}}},
    }  # fmt: skip
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_one_dataset_on_this_machine(own, capsys):
    script.main([])
    shown = capsys.readouterr().out
    cells = [[cell.strip() for cell in line.split("|")[1:4]] for line in shown.splitlines()]
    assert ["baselines", "1", "8"] in cells, "6 clips to train on, 2 to test on"
    assert "measured here" in shown
    assert "own: length and size of its videos are those of 8 of them." in shown
    assert "25% of the videos are taken for static" in shown


@pytest.mark.parametrize(("words", "gpu"), [
    (["--gpus", "1"],
     "1 GPU at 10.7 TFLOP/s (assumed: an RTX 3090, whose peak is 71 TFLOP/s, of which 3-D convolutions sustain 15%; "
     "for another, --tflops), 8 CPU cores"),
    (["--gpus", "4", "--tflops", "989", "--utilisation", "0.3"],
     "4 GPUs at 297 TFLOP/s each (assumed: a GPU whose peak is 989 TFLOP/s, of which 3-D convolutions sustain 30%), "
     "32 CPU cores"),
])  # fmt: skip
def test_it_says_which_gpu_it_assumes(own, capsys, words, gpu):
    script.main(words)
    assert f"\n\nTrainings: {gpu}.\n\n" in capsys.readouterr().out


def test_done_jobs_are_not_listed(own, capsys):
    chosen = script.study_of([])
    for run in chosen.runs().values():
        folder = own / chosen.results / run.folder
        folder.mkdir(parents=True)
        (folder / "checkpoint.pt").touch()
    script.main([])
    shown = capsys.readouterr().out
    assert shown.startswith("**own**: 2 jobs (6 more are done), 0")
    first = [line.split("|")[1].strip() for line in shown.splitlines() if line.startswith("| ")]
    assert first == ["stage", "flow", "total", "data set", "own"], "and no network"
    (own / chosen.results / "own" / "flow").mkdir()
    for name in ("left", "right"):
        (own / chosen.results / "own" / "flow" / f"{name}.parquet").touch()
    script.main([])
    assert capsys.readouterr().out.startswith("**own**: nothing is left to compute, all 8 jobs are done.\n\nGains over")


@pytest.mark.parametrize(("value", "number", "text"), [
    (112.4, 2, "110"), (0.0499, 2, "0.05"), (1_105_213.0, 3, "1,110,000"), (0.0000123, 2, "0.000012"), (0.0, 3, "0"),
    (99.96, 3, "100"), (19.8, 3, "19.8"),
])  # fmt: skip
def test_digits(value, number, text):
    assert plan.digits(value, number) == text


def test_looks_for_persons_are_counted_where_the_measure_is_of_them(own):
    """Each takes a core far more than a pair's flow; half of them takes half as long."""
    size = Size({}, {}, {}, 30, 48, 40)
    seconds = {}
    for words in ("{}", "{measure: person}", "{measure: person}, flow={persons: {every: 4}}"):
        chosen = script.study_of([], pairs=[f"split={words.partition(', flow=')[0]}",
                                            f"flow={words.partition(', flow=')[2] or '{}'}"])  # fmt: skip
        measured = plan.measure(chosen, size, seconds=0)
        assert measured.problem is None
        seconds[words] = measured.flow_seconds
    none, each, few = seconds.values()
    assert each > 10 * none
    assert few < 0.6 * each


def test_a_flow_table_is_as_large_as_foreseen(own):
    chosen = script.study_of([])
    size = plan.size(chosen, "own")
    assert (size.frames, size.width, size.height, size.videos) == (30, 48, 40, 8)
    own, drawn = (plan.measure(chosen, each, seconds=0) for each in (size, Size({}, {}, {}, 30, 48, 40)))
    assert own.flow_bytes > 29 * 40, "29 pairs of some 40 bytes"
    assert drawn.flow_bytes == pytest.approx(own.flow_bytes, rel=0.1)


@pytest.mark.parametrize(("text", "line"), [
    ("flwo: {}", "error: config: flwo: unknown key; did you mean 'flow'?"),
    ("datasets: {own: {videos: elsewhere}}", "error: elsewhere: there is no such folder; correct `videos`"),
    ("- a list", "error: overlay.yaml: is no mapping of keys to values"),
    ("name: [", "error: overlay.yaml, line 2: is not valid YAML: "),
])  # fmt: skip
def test_a_broken_config_is_one_line(own, text, line):
    (own / "overlay.yaml").write_text(text)
    with pytest.raises(SystemExit) as ended:
        script.main(["--configfile", "overlay.yaml"])
    assert str(ended.value).startswith(line)
    assert "\n" not in str(ended.value)


def test_a_missing_overlay_is_one_line(own):
    with pytest.raises(SystemExit, match=r"error: nowhere.yaml: cannot be read \(No such file or directory\)"):
        script.main(["--configfile", "nowhere.yaml"])
