"""The tables from hand-made predictions: exact numbers, the paper's only beside their own rows, and what is written."""

import csv
import doctest
import json
import re
import runpy
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import official
import pandas as pd
import pytest
from scipy import special, stats
from sklearn.metrics import accuracy_score
from snakemake.iocontainers import Namedlist

import dtkd
from dtkd.analysis import significance, tables
from dtkd.analysis.figures import base as figures
from dtkd.common.errors import DtkdError
from dtkd.data import published
from dtkd.data.datasets import Source, index
from dtkd.motion import subsets

SU4 = {"method": "dtkd", "LT": True, "FT": True, "S_alpha": 0.3, "KD_T": 2, "KD_alpha": 0.4}
SU13 = {"method": "bskd", "LT": True, "FT": True, "S_alpha": None, "KD_T": 2, "KD_alpha": 0.4}
NETWORK = {"parameters": 53_085_613, "trainable": 232_805, "parameters_published_head": 53_774_808,
           "multiply_adds": 83_470_000_000}  # fmt: skip
SCRIPTS = Path(dtkd.__file__).parents[1]
NAN = np.nan


def save(path, labels, logits, last=None, videos=None):
    """One `predictions.parquet`; returns its path as rows give it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    last = logits if last is None else last
    pd.DataFrame({
        "video": videos or [f"a/{n}.avi" for n in range(len(labels))], "label": labels,
        "logits": list(np.asarray(logits, np.float32)), "logits_last": list(np.asarray(last, np.float32)),
    }).to_parquet(path, index=False)  # fmt: skip
    return str(path)


def logits_of(ranks, classes=8):
    """Logits of samples of class 0 whose label has the given ranks, 0 the best."""
    rows = np.zeros((len(ranks), classes), np.float32)
    for row, rank in zip(rows, ranks, strict=True):
        row[1:] = -np.arange(1, classes)
        row[0] = -rank - 0.5
    return rows


def ranked(path, ranks, last=None):
    return save(path, [0] * len(ranks), logits_of(ranks), logits_of(last or ranks))


def drawn(path, labels, classes, seed, masked=(), videos=None):
    """Random logits that lean towards the label; ``masked`` classes are out of the question."""
    random = np.random.default_rng(seed)
    logits = random.normal(size=(len(labels), classes)) + np.eye(classes)[labels]
    logits[:, list(masked)] = -np.inf
    return save(path, labels, logits, random.normal(size=logits.shape), videos)


def split_of(classes, criterion=None):
    """A `split.json`: per class its subset and mean flow."""
    entries = {name: {"subset": s, "mean": mean, "std": 0.1, "videos": 3} for name, (s, mean) in classes.items()}
    criterion = {"source": "flow", "measure": "mean", "quantile": 0.25} | (criterion or {})
    return {"criterion": criterion, "threshold": 1.0, "classes": dict(sorted(entries.items()))}


# Four classes whose labels are not in the order of their names, as in UCF101.
ORDER = ["walk", "Typing", "jump", "archery"]
SPLIT = split_of(
    {"walk": ("dynamic", 2.0), "Typing": ("static", 0.5), "jump": ("dynamic", 3.0), "archery": ("static", 0.7)}
)
INDEX = pd.DataFrame({
    "video": [f"{n}.avi" for n in range(16)], "class": np.repeat(sorted(ORDER), 4),
    "label": [ORDER.index(name) for name in np.repeat(sorted(ORDER), 4)],
    "list1": ["train", "train", "test", "unused"] * 4, "list2": ["test", "train", "train", "train"] * 4,
})  # fmt: skip


def own(label):
    return SPLIT["classes"][ORDER[label]]["subset"]


# Table 1


@pytest.mark.parametrize(("source", "said"), [
    ("flow", ""),
    ("listed", "; static: the classes that the study lists"),
    ("random", "; static: classes drawn at random"),
])  # fmt: skip
def test_captions_say_whose_subsets_they_are(source, said):
    split = split_of({"walk": ("static", 1.0), "run": ("dynamic", 2.0)}, {"source": source})
    caption = tables.table1({"mine": split}).attrs["caption"]
    assert caption == f"Mean optical flow of the classes of each subset (pixels/frame){said}."


def test_table1_beside_the_papers():
    random = np.random.default_rng(0)
    means = dict(zip(published.classes("hmdb51"), random.uniform(0.3, 3, 51), strict=True))
    flow = pd.DataFrame({"mean": pd.Series(means), "std": 0.1, "videos": 3})
    split = subsets.published_split("hmdb51", means, flow)
    table = tables.table1({"mine": SPLIT, "hmdb51": split})
    assert table["subset"].tolist() == ["overall", "dynamic", "static"] * 2
    assert table["classes"].tolist() == [4, 2, 2, 51, 38, 13]
    assert table.loc[0, ["q1", "mean", "std", "iqr"]].tolist() == pytest.approx(
        [0.65, 1.55, np.std([2, 0.5, 3, 0.7], ddof=1), 2.25 - 0.65]
    )
    static = [means[name] for name in published.static_classes("hmdb51")]
    assert table.loc[5, "mean"] == pytest.approx(np.mean(static))
    assert table.loc[5, "iqr"] == pytest.approx(stats.iqr(static))
    assert table.loc[5, "std"] == pytest.approx(np.std(static, ddof=1))
    assert table.loc[3:, ["paper_q1", "paper_mean", "paper_std", "paper_iqr"]].to_numpy().tolist() == [
        [0.688, 1.160, 0.598, 0.837], [0.934, 1.369, 0.551, 0.743], [0.495, 0.548, 0.110, 0.157]
    ]  # fmt: skip
    for name in ("q1", "mean", "std", "iqr"):
        assert table.loc[:2, f"diff_{name}"].isna().all()
        np.testing.assert_allclose(table.loc[3:, f"diff_{name}"], (table[name] - table[f"paper_{name}"])[3:])


def test_table1_of_another_measure_has_no_counterpart_and_without_means_there_is_none():
    classes = {name: ("static" if n < 9 else "dynamic", 1.0 + n) for n, name in enumerate(published.classes("ucf101"))}
    assert tables.table1({"ucf101": split_of(classes)})["paper_q1"].tolist() == [0.508, 0.531, 0.280]
    for other in ({"measure": "q90"}, {"unit": "second"}, {"over_time": "max"}):
        assert tables.table1({"ucf101": split_of(classes, other)})["paper_q1"].isna().all()
    with pytest.raises(DtkdError, match=r"^hmdb51: .* no mean flow for class brush_hair"):
        tables.table1({"hmdb51": subsets.published_split("hmdb51", published.classes("hmdb51"))})


# Table 2


def test_table2_of_the_official_lists_is_the_papers_in_all_72_cells(tmp_path):
    sources = {"ucf101": Source("ucf101", *official.write_ucf101(tmp_path / "u")),
               "hmdb51": Source("hmdb51", *official.write_hmdb51(tmp_path / "h"))}  # fmt: skip
    indexes = {name: index(source) for name, source in sources.items()}
    splits = {name: subsets.published_split(name, published.classes(name)) for name in sources}
    table, paper, cells = tables.table2(indexes, splits), published.table(2), ["classes", "train", "test", "total"]
    assert table[["dataset", "list", "subset", *cells]].to_numpy().tolist() == paper.to_numpy().tolist()
    for name in cells:
        assert table[f"paper_{name}"].tolist() == paper[name].tolist()
        assert table[f"diff_{name}"].tolist() == [0] * 18

    splits["ucf101"]["classes"]["Archery"]["subset"] = "dynamic"  # 145 videos, 41 of them in list 1's test
    changed = tables.table2(indexes, splits)
    assert changed.loc[1, ["diff_classes", "diff_train", "diff_test", "diff_total"]].tolist() == [1, 104, 41, 145]


def test_table2_of_other_data():
    table = tables.table2({"mine": INDEX}, {"mine": SPLIT})
    assert table[["list", "subset", "classes", "train", "test", "total"]].to_numpy().tolist() == [
        [1, "overall", 4, 8, 4, 12], [1, "dynamic", 2, 4, 2, 6], [1, "static", 2, 4, 2, 6],
        [2, "overall", 4, 12, 4, 16], [2, "dynamic", 2, 6, 2, 8], [2, "static", 2, 6, 2, 8],
    ]  # fmt: skip
    assert table.filter(regex="paper_|diff_").isna().to_numpy().all()
    with pytest.raises(DtkdError, match="different datasets"):
        tables.table2({"mine": INDEX}, {"mine": split_of({"walk": ("static", 1.0)})})


# Three groups

GROUPS = ("slow", "medium", "fast")
GROUPED = SPLIT | {"groups": list(GROUPS), "threshold": [1.0, 2.5], "criterion": {
    "source": "flow", "measure": "mean", "threshold": "quantile", "quantile": [0.5, 0.75], "boundary": "inclusive",
}, "classes": {name: entry | {"subset": GROUPS[(entry["mean"] > 1) + (entry["mean"] > 2.5)]}
               for name, entry in SPLIT["classes"].items()}}  # fmt: skip
BOTH = {"three": GROUPED, "two": SPLIT}


def test_each_of_three_groups_has_its_rows_of_tables_1_and_2(tmp_path):
    table1, table2 = tables.table1(BOTH), tables.table2(dict.fromkeys(BOTH, INDEX), BOTH)
    assert table1["subset"].tolist() == ["overall", "fast", "medium", "slow", "overall", "dynamic", "static"]
    assert table1["classes"].tolist() == [4, 1, 1, 2, 4, 2, 2]
    assert table1["mean"].tolist() == pytest.approx([1.55, 3, 2, 0.6, 1.55, 2.5, 0.6])
    first = table2[(table2["dataset"] == "three") & (table2["list"] == 1)]
    assert first[["subset", "classes", "train", "test", "total"]].to_numpy().tolist() == [
        ["overall", 4, 8, 4, 12], ["fast", 1, 2, 1, 3], ["medium", 1, 2, 1, 3], ["slow", 2, 4, 2, 6]
    ]  # fmt: skip
    for name, table in (("one", table1), ("two", table2)):
        assert all(f"| {group} " in written(table, tmp_path / name)["md"] for group in GROUPS)


@pytest.fixture
def three(tmp_path):
    """A student, its baseline and a teacher for each of three groups, two seeds each, and the labels of the videos."""
    labels = np.random.default_rng(3).integers(0, 4, 60).tolist()
    names = ("student", "baseline", *GROUPS)
    files = {name: [drawn(tmp_path / name / f"{seed}.parquet", labels, 4, 10 * n + seed) for seed in (0, 1)]
             for n, name in enumerate(names)}  # fmt: skip
    return files, [GROUPED["classes"][ORDER[label]]["subset"] for label in labels]


def test_each_of_three_teachers_is_tested_on_its_own_groups_videos(three):
    files, groups = three
    rows = [{"dataset": "three", "model": f"{group}-LT", "list": 1, "subset": group, "LT": True, "outputs": "full",
             "as_published": False, "predictions": files[group], "baseline": files["baseline"]}
            for group in reversed(GROUPS)]  # fmt: skip
    for make in (tables.table4, tables.teachers):
        table = make(rows, {"three": GROUPED}, {"three": INDEX})
        assert table["subset"].tolist() == ["fast", "medium", "slow"]
        assert table["videos"].tolist() == [groups.count(group) for group in reversed(GROUPS)]


def test_the_cross_teacher_of_three_groups_is_the_mean_of_two(three, tmp_path):
    files, groups = three
    row = {"model": "S1", "list": 1, "student": files["student"], "as_published": False, "kl": "forward", "floor": None}
    rows = [row | {"dataset": "three", "teachers": {group: files[group] for group in GROUPS}},
            row | {"dataset": "two", "teachers": {"static": files["slow"], "dynamic": files["fast"]}}]  # fmt: skip
    table = tables.table6(rows, BOTH, dict.fromkeys(BOTH, INDEX))
    assert table["subset"].tolist() == ["overall", *GROUPS, "overall", "static", "dynamic"]
    for number, group in enumerate(GROUPS, start=1):
        kept = [n for n, own_group in enumerate(groups) if own_group == group]
        means = {name: np.array([entropies(*pair, "forward", None)[kept].mean()
                                 for pair in zip(files["student"], files[name], strict=True)])
                 for name in GROUPS}  # fmt: skip
        for name in GROUPS:
            assert table.loc[number, f"kl_{name}_teacher"] == pytest.approx(means[name].mean(), rel=1e-5)
        matched = means.pop(group)
        cross = sum(means.values()) / 2
        assert table.loc[number, "SM"] == pytest.approx((cross - matched).mean(), rel=1e-5)
        assert table.loc[number, "SIR"] == pytest.approx((cross / matched).mean(), rel=1e-5)
    assert table.loc[:3, ["kl_static_teacher", "kl_dynamic_teacher"]].isna().to_numpy().all()
    assert table.loc[4:, [f"kl_{group}_teacher" for group in GROUPS]].isna().to_numpy().all()
    head, _ = markdown(written(table, tmp_path / "out")["md"])
    teachers = [f"KL(S ‖ {name}-T)" for name in ("slow", "medium", "fast", "St", "Dy")]
    assert head[5:] == [*teachers, "SM", "SIR"]
    assert "from each teacher: " in table.attrs["caption"]


# Table 3


@pytest.fixture
def baselines(tmp_path):
    """U1 to U3 on three lists, two seeds of each, and U4, frozen, of one seed."""
    record = tmp_path / "run.json"
    record.write_text(json.dumps({"network": NETWORK}))
    ranks = {  # top-1 50 and 75, top-5 75 and 100; 25 and 25; 100 and 75; 0
        "U1": ([0, 0, 1, 7], [0, 0, 0, 1]), "U2": ([0, 1, 1, 1], [0, 1, 1, 1]), "U3": ([0, 0, 0, 0], [0, 0, 0, 7]),
        "U4": ([1, 1, 7, 7],),
    }  # fmt: skip
    return [
        {"dataset": "ucf101", "model": model, "list": number, "backbone": "slowfast_r101_16x8", "clip": "64x2",
         "frozen": model == "U4", "record": str(record), "as_published": True, "predictions": [
            ranked(tmp_path / model / f"{n}.parquet", seed, last=[0, 7, 7, 7]) for n, seed in enumerate(ranks[model])
         ]}
        for model, number in (("U1", 1), ("U2", 2), ("U3", 3), ("U4", 1))
    ]  # fmt: skip


def test_table3_sizes_accuracies_and_the_papers(baselines):
    table = tables.table3(baselines)
    assert list(table.columns) == [
        "dataset", "model", "list", "backbone", "clip", "frozen", "params_published", "params", "trainable", "gflops",
        "seeds", "top1", "top1_std", "top5", "top5_std", "top1_last", "top1_last_std", "top5_last", "top5_last_std",
        "paper_top1", "paper_top5", "diff_top1", "diff_top5",
    ]  # fmt: skip
    assert table.loc[0, ["params_published", "params", "trainable", "gflops"]].tolist() == pytest.approx(
        [53.774808, 53.085613, 0.232805, 83.47]
    )
    assert table["seeds"].tolist() == [2, 2, 2, 1]
    assert table["top1"].tolist() == [62.5, 25, 87.5, 0]
    np.testing.assert_allclose(table["top1_std"], [12.5 * 2**0.5, 0, 12.5 * 2**0.5, NAN])
    assert table["top5"].tolist() == [87.5, 100, 87.5, 50]
    assert table["top1_last"].tolist() == [25] * 4
    assert table["paper_top1"].tolist() == [95.14, 95.63, 96.50, 93.23]
    assert table["diff_top5"].tolist() == pytest.approx([87.5 - 99.68, 100 - 99.63, 87.5 - 99.84, 50 - 99.76])


def test_every_published_baseline_finds_itself(baselines):
    printed = published.table(3).to_dict("records")
    table = tables.table3([baselines[0] | row for row in printed])
    assert table["paper_top1"].tolist() == [row["top1"] for row in printed]
    assert table["paper_top5"].tolist() == [row["top5"] for row in printed]


@pytest.mark.parametrize("change", [{"list": 2}, {"backbone": "slowfast_small"}, {"frozen": True}, {"model": "mine"},
                                    {"dataset": "demo_ucf"}, {"as_published": False}])  # fmt: skip
def test_a_changed_baseline_has_no_counterpart(baselines, change):
    assert tables.table3([baselines[0] | change])["paper_top1"].isna().all()


def test_table3_of_one_seed_has_no_deviations(baselines):
    table = tables.table3(baselines[3:])
    assert not [name for name in table if name.endswith("_std") or name == "seeds"]


@pytest.mark.parametrize("content", ["{}", "not json", None])
def test_table3_names_the_record_that_is_missing_or_says_nothing(baselines, tmp_path, content):
    record = tmp_path / "other" / "run.json"
    if content is not None:
        record.parent.mkdir()
        record.write_text(content)
    with pytest.raises(DtkdError, match=re.escape(str(record))):
        tables.table3([baselines[0] | {"record": str(record)}])


def test_crossvalidation_over_lists_of_means_over_seeds(baselines):
    second = baselines[2] | {"model": "again", "predictions": baselines[3]["predictions"]}  # a list's first one counts
    (row,) = tables.crossvalidation([baselines[2], second, *baselines[:2], baselines[3]]).to_dict("records")
    assert (row["models"], row["lists"], row["frozen"]) == ("U1, U2, U3", "1, 2, 3", False)
    assert (row["top1"], row["top5"]) == pytest.approx((np.mean([62.5, 25, 87.5]), np.mean([87.5, 100, 87.5])))
    assert row["top1_std"] == pytest.approx(np.std([62.5, 25, 87.5], ddof=1))
    assert row["paper_top1"] == pytest.approx(95.7566667)
    assert row["paper_top1_std"] == pytest.approx(0.688791)  # by hand
    assert row["diff_top1"] == pytest.approx(np.mean([62.5, 25, 87.5]) - 95.7566667)


def test_crossvalidation_has_the_papers_only_if_it_has_them_all(baselines):
    changed = [*baselines[:2], baselines[2] | {"model": "mine"}]
    assert np.isnan(tables.crossvalidation(changed)["paper_top1"]).all()
    assert tables.crossvalidation(baselines[:2])["paper_top1"].tolist() == pytest.approx([(95.14 + 95.63) / 2])


def test_crossvalidation_needs_two_lists_of_one_kind_of_baseline(baselines, tmp_path):
    other_clip = baselines[1] | {"clip": "32x2"}
    table = tables.crossvalidation([baselines[0], other_clip, baselines[3]])
    assert table.empty
    texts = written(table, tmp_path / "out")
    assert texts["csv"].startswith("dataset,models,lists,backbone,clip,frozen,top1,top1_std,top5,top5_std,paper_top1,")
    assert "| Models" in texts["md"]
    assert texts["tex"].count(r"\\") == 1  # the head alone


# Table 4


@pytest.fixture
def teachers(tmp_path):
    """Both teachers of "mine", two seeds each, of all test videos, masked; and each seed's labels and logits."""
    labels = np.random.default_rng(0).integers(0, 4, 60).tolist()
    masked = {"static": [0, 2], "dynamic": [1, 3]}
    rows = [
        {"dataset": "mine", "model": subset, "list": 1, "subset": subset, "LT": True, "outputs": "masked",
         "as_published": True,
         "predictions": [drawn(tmp_path / subset / f"{seed}.parquet", labels, 4, seed, masked[subset])
                         for seed in seeds]}
        for subset, seeds in (("dynamic", (0, 1)), ("static", (2, 3)))
    ]  # fmt: skip
    return rows, labels, {"mine": SPLIT}, {"mine": INDEX}


def test_table4_counts_own_videos_by_the_indexs_labels(teachers):
    rows, labels, splits, indexes = teachers
    table = tables.table4(rows, splits, indexes)
    for row, cells in zip(rows, table.to_dict("records"), strict=True):
        kept = [n for n, label in enumerate(labels) if own(label) == row["subset"]]
        expected = []
        for file in row["predictions"]:
            logits = np.stack(pd.read_parquet(file)["logits"])[kept]
            expected.append(100 * accuracy_score([labels[n] for n in kept], logits.argmax(axis=1)))
        assert (cells["classes"], cells["videos"], cells["seeds"]) == (2, len(kept), 2)
        assert cells["top1"] == pytest.approx(np.mean(expected))
        assert cells["top1_std"] == pytest.approx(np.std(expected, ddof=1))
        assert 0 < cells["top1"] < cells["top5"] == 100
        assert cells["top1_last"] != cells["top1"]
    assert "paper" not in table.attrs["caption"]


def test_table4_takes_predictions_of_the_own_subset_alone(teachers, tmp_path):
    rows, labels, splits, indexes = teachers
    whole = pd.read_parquet(rows[0]["predictions"][0])
    part = tmp_path / "part.parquet"
    whole[[own(label) == "dynamic" for label in labels]].to_parquet(part)
    one, other = (tables.table4([rows[0] | {"predictions": [file]}], splits, indexes)
                  for file in (rows[0]["predictions"][0], str(part)))  # fmt: skip
    pd.testing.assert_frame_equal(one, other)


def test_every_published_teacher_finds_itself(teachers):
    rows, *_ = teachers
    printed = published.table(4).rename(columns={"frozen": "LT"}).to_dict("records")
    rows = [{**rows[row["subset"] == "static"], **row} for row in printed]
    both = [dict.fromkeys(("ucf101", "hmdb51"), value) for value in (SPLIT, INDEX)]
    table = tables.table4(rows, *both)
    assert table["paper_top1"].tolist() == [row["top1"] for row in printed]
    np.testing.assert_allclose(table["diff_top1"], table["top1"] - table["paper_top1"])
    swapped = tables.table4([rows[0] | {"LT": True}, rows[0] | {"as_published": False}], *both)
    assert swapped["paper_top1"].isna().all()


def test_table4_refuses_what_does_not_fit(teachers, tmp_path):
    rows, labels, splits, indexes = teachers
    file = rows[0]["predictions"][0]
    with pytest.raises(DtkdError, match=r"mine: split.json and videos.parquet have different classes"):
        tables.table4(rows, {"mine": split_of({"walk": ("static", 1.0)})}, indexes)
    narrow = drawn(tmp_path / "narrow.parquet", [0, 1], 3, 0)
    with pytest.raises(DtkdError, match=f"{re.escape(narrow)}: has 3 classes, the dataset 4"):
        tables.table4([rows[0] | {"predictions": [narrow]}], splits, indexes)
    none = drawn(tmp_path / "none.parquet", [1, 3], 4, 0)
    with pytest.raises(DtkdError, match=f"{re.escape(none)}: has no test video of a dynamic class"):
        tables.table4([rows[0] | {"predictions": [none]}], splits, indexes)
    short = drawn(tmp_path / "short.parquet", labels[:-1], 4, 0)
    with pytest.raises(DtkdError, match=f"{re.escape(short)}: its 59 test videos are not the 60 of {re.escape(file)}"):
        tables.table4([rows[0] | {"predictions": [file, short]}], splits, indexes)


def test_a_class_without_test_videos_still_counts_as_a_class(teachers, tmp_path):
    rows, _, splits, indexes = teachers
    file = drawn(tmp_path / "one.parquet", [0, 0, 0], 4, 0)
    (row,) = tables.table4([rows[0] | {"predictions": [file]}], splits, indexes).to_dict("records")
    assert (row["classes"], row["videos"]) == (2, 3)


# Teachers beside the baseline


@pytest.fixture
def specialists(tmp_path):
    """Eight test videos, two a class, of a baseline and of both subsets' teachers, LT and not."""
    labels = [0, 0, 1, 1, 2, 2, 3, 3]  # static: 1, 3 (Typing, archery); dynamic: 0, 2

    def answers(name, given, masked=()):
        logits = np.eye(4)[given] * 2.0
        logits[:, list(masked)] = -np.inf
        return save(tmp_path / f"{name}.parquet", labels, logits)

    baseline = [answers("base", [0, 1, 1, 0, 2, 2, 0, 0])]  # static 1 of 4, dynamic 3 of 4
    made = {
        ("static", True): answers("static-LT", [1, 1, 1, 1, 3, 3, 3, 1], masked=[0, 2]),  # 3 of 4
        ("static", False): answers("static", [0, 0, 1, 0, 0, 0, 2, 3]),  # 2 of 4, and it may say any class
        ("dynamic", True): answers("dynamic-LT", [0, 0, 0, 0, 0, 2, 0, 0], masked=[1, 3]),  # 3 of 4
    }
    return [
        {"dataset": "mine", "list": 1, "subset": subset, "LT": locked, "predictions": [file], "baseline": baseline}
        for (subset, locked), file in made.items()
    ]


def test_teachers_and_the_baseline_on_the_teachers_own_videos(specialists, tmp_path):
    table = tables.teachers(specialists, {"mine": SPLIT}, {"mine": INDEX})
    assert list(table.columns) == ["dataset", "list", "subset", "LT", "videos", "baseline_top1", "teacher_top1", "gain",
                                   "gain_low", "gain_high", "p"]  # fmt: skip
    assert table["videos"].tolist() == [4, 4, 4]
    assert table["baseline_top1"].tolist() == [25, 25, 75]
    assert table["teacher_top1"].tolist() == [75, 50, 75]
    assert table["gain"].tolist() == [50, 25, 0]
    assert table["p"].tolist() == [stats.binomtest(0, 2).pvalue, 1, 1]  # LT: two won; not LT: one won; one each way
    assert (table["gain_low"] <= table["gain"]).all()
    assert (table["gain"] <= table["gain_high"]).all()
    rows = list(csv.DictReader(written(table, tmp_path / "out")["csv"].splitlines()))
    assert rows[0] == {
        "dataset": "mine", "list": "1", "subset": "static", "LT": "True", "videos": "4", "baseline_top1": "25.00",
        "teacher_top1": "75.00", "gain": "+50.00", "gain_low": "+0.00", "gain_high": "+100.00", "p": "0.5",
    }  # fmt: skip


def test_teachers_of_several_seeds_meet_as_many_baselines(specialists):
    row = specialists[0]
    twice = row | {"predictions": row["predictions"] + specialists[1]["predictions"], "baseline": row["baseline"] * 2}
    (found,) = tables.teachers([twice], {"mine": SPLIT}, {"mine": INDEX}).to_dict("records")
    assert (found["seeds"], found["teacher_top1"], found["baseline_top1"]) == (2, 62.5, 25)
    assert (found["teacher_top1_std"], found["baseline_top1_std"]) == (pytest.approx(12.5 * 2**0.5), 0)
    assert found["gain"] == 37.5
    with pytest.raises(DtkdError, match=r"2 seeds, but its baseline .* has 1"):
        tables.teachers([twice | {"baseline": row["baseline"]}], {"mine": SPLIT}, {"mine": INDEX})


def test_a_teacher_of_other_videos_than_the_baseline_is_refused(specialists, tmp_path):
    file = save(tmp_path / "other.parquet", [1, 3], np.eye(4)[[1, 3]])
    with pytest.raises(DtkdError, match=f"^{re.escape(file)}: its 2 test videos are not the 4 of "):
        tables.teachers([specialists[0] | {"predictions": [file]}], {"mine": SPLIT}, {"mine": INDEX})


# Table 5


@pytest.fixture
def study(tmp_path):
    u = [
        ranked(tmp_path / "u/base.parquet", [0, 0, 1, 4, 5, 6, 0, 0], [0, 0, 0, 0, 7, 7, 7, 7]),  # 50, 75; 50, 50
        ranked(tmp_path / "u/su4.parquet", [0, 0, 0, 0, 0, 1, 0, 7], [7] * 8),  # 75, 87.5; 0, 0
        ranked(tmp_path / "u/su13.parquet", [0, 7, 7, 7, 7, 7, 0, 1], [0, 0, 0, 0, 0, 0, 4, 7]),  # 25, 37.5; 75, 87.5
    ]
    h = [
        ranked(tmp_path / "h/base.parquet", [0, 0, 0, 7], [0, 0, 0, 0]),  # 75, 75; 100, 100
        ranked(tmp_path / "h/sh1.parquet", [0, 1, 1, 7], [1, 1, 1, 1]),  # 25, 75; 0, 100
    ]
    rows = [
        {"dataset": "ucf101", "model": "U1", "method": "baseline", "predictions": u[:1]},
        {"dataset": "ucf101", "model": "SU4", "predictions": u[1:2], **SU4},
        {"dataset": "ucf101", "model": "SU13", "predictions": u[2:], **SU13},
        {"dataset": "hmdb51", "model": "H1", "method": "baseline", "predictions": h[:1]},
        {"dataset": "hmdb51", "model": "SH1", "predictions": h[1:], **SU4, "KD_alpha": 0.2},
    ]
    return [{"list": 1, "as_published": True} | row for row in rows]


def test_rows_gains_and_the_papers_numbers(study):
    table = tables.table5(study)
    assert list(table.columns) == ["dataset", "model", *tables.HYPERPARAMETERS, "variant",
                                   "top1", "top5", "top1_last", "top5_last", "gain", "gain_low", "gain_high", "p",
                                   "p_holm", "paper_top1", "paper_top5", "diff_top1", "diff_top5",
                                   "test_videos", "chance", "smallest_gain"]  # fmt: skip
    np.testing.assert_allclose(table["top1"], [50, 75, 25, 75, 25])
    np.testing.assert_allclose(table["top5"], [75, 87.5, 37.5, 75, 75])
    np.testing.assert_allclose(table["top1_last"], [50, 0, 75, 100, 0])
    np.testing.assert_allclose(table["top5_last"], [50, 0, 87.5, 100, 100])
    np.testing.assert_allclose(table["gain"], [NAN, 25, -25, NAN, -50])  # each dataset's own baseline
    np.testing.assert_allclose(table["paper_top1"], [95.14, 96.06, 91.70, 77.10, 78.87])
    np.testing.assert_allclose(table["paper_top5"], [99.68, 99.74, 99.15, 95.28, 95.41])
    np.testing.assert_allclose(table["diff_top1"], table["top1"] - table["paper_top1"])
    np.testing.assert_allclose(table["diff_top5"], table["top5"] - table["paper_top5"])


def test_readings_are_table_5s_rows_in_few_columns(study, tmp_path):
    words = ["baseline", "full teachers, gated", "full teachers, partition (BSKD)", "baseline", "masked teachers"]
    rows = [row | {"reading": reading} for row, reading in zip(study, words, strict=True)]
    table, whole = tables.readings(rows), tables.table5(study)
    assert list(table.columns) == ["dataset", "reading", "KD_T", "KD_alpha", "top1", "top1_last", "gain", "gain_low",
                                   "gain_high", "p_holm"]  # fmt: skip
    assert table["reading"].tolist() == words
    shared = [name for name in table if name != "reading"]
    pd.testing.assert_frame_equal(table[shared], whole[shared])
    alike = tables.readings([row | {"KD_alpha": 0.4} if row["method"] != "baseline" else row for row in rows])
    assert "KD_alpha" not in alike, "it does not vary"
    head, cells = markdown(written(table, tmp_path / "out")["md"])
    assert head == ["Dataset", "Reading", "KD_T", "KD_α", "Top-1 (%)", "Top-1, last epoch (%)", "Gain [95 % CI]",
                    "p (Holm)"]  # fmt: skip
    assert cells[1][1:5] == ["full teachers, gated", "2", "0.4", "75.00"]


def test_p_is_mcnemars_of_one_seed_and_holm_counts_the_students_of_one_baseline(study):
    table = tables.table5(study)
    # SU4: three videos won, one lost; SU13: none won, two lost; SH1: none won, two lost
    expected = [stats.binomtest(won, n).pvalue for won, n in ((3, 4), (0, 2), (0, 2))]
    np.testing.assert_allclose(table["p"], [NAN, *expected[:2], NAN, expected[2]])
    np.testing.assert_allclose(table["p_holm"], [NAN, 1, 1, NAN, 0.5])


def test_what_a_lists_test_videos_can_show_stands_below(study, tmp_path):
    """SU4 differs from U1 on half of the eight videos and SU13 on a quarter; four videos cannot show anything."""
    table = tables.table5(study)
    least = 100 * significance.smallest_gain_seen(8, (4 / 8 + 2 / 8) / 2)
    np.testing.assert_allclose(table["smallest_gain"], [least] * 3 + [NAN] * 2)
    assert table["test_videos"].tolist() == [8] * 3 + [4] * 2
    texts = written(table, tmp_path / "out")
    said = [f"ucf101: 8 test videos of 8 classes, chance 12.50 %; smallest gain that they show with 80 % power "
            f"(p < 0.05 of one student, chosen beforehand; of one seed): {least:.1f} points.",
            "hmdb51: 4 test videos of 8 classes, chance 12.50 %; no gain is large enough for them to show with 80 % "
            "power (p < 0.05 of one student, chosen beforehand; of one seed)."]  # fmt: skip
    assert texts["md"].endswith("".join(f"\n{tables.escaped_markdown(line)}\n" for line in said))
    assert all(tables.escaped_tex(line) in texts["tex"] for line in said)
    assert "Test videos" not in texts["md"]
    alone = tables.table5(study[:1]).attrs["notes"]
    assert alone == ["ucf101: 8 test videos of 8 classes, chance 12.50 %."]


def test_what_rounds_to_zero_is_no_minus_zero(study, tmp_path):
    table = tables.table5(study[:2])
    table.loc[1, ["gain", "gain_low", "diff_top1"]] = [-0.004, -1e-9, -0.001]
    row = list(csv.DictReader(written(table, tmp_path / "out")["csv"].splitlines()))[1]
    assert [row[name] for name in ("gain", "gain_low", "diff_top1")] == ["+0.00"] * 3


def test_students_over_lists_know_videos_by_class_and_name(tmp_path):
    """Two classes have a 001.avi each: they are two videos, of which the student wins the first in both lists."""

    def predictions(name, right):
        logits = np.zeros((2, 8))
        for row, (label, correct) in enumerate(zip([0, 1], right, strict=True)):
            logits[row, label if correct else 7] = 1
        return [save(tmp_path / f"{name}.parquet", [0, 1], logits, videos=["001", "001"])]

    lists = [{"predictions": predictions(f"s{n}", [1, 0]), "baseline": predictions(f"b{n}", [0, 0])} for n in (1, 2)]
    row = {"dataset": "mine", "models": "S, S-2", "lists": "1, 2", **SU4, "of_lists": lists}
    [found] = tables.students_over_lists([row]).to_dict("records")
    assert (found["videos"], found["gain"], found["p"]) == (2, 50, 1)


def test_students_over_lists_count_a_video_once(tmp_path):
    """Two lists share video b; the student wins a and b in the first, b in the second, and loses c in that."""

    def answers(name, videos, right):
        return [save(tmp_path / f"{name}.parquet", [0] * len(videos), logits_of(np.where(right, 0, 3)), videos=videos)]

    lists = [
        {"predictions": answers("s1", ["a", "b"], [1, 1]), "baseline": answers("b1", ["a", "b"], [0, 0])},
        {"predictions": answers("s2", ["b", "c", "d", "e"], [1, 0, 1, 0]),
         "baseline": answers("b2", ["b", "c", "d", "e"], [0, 1, 1, 0])},
    ]  # fmt: skip
    row = {"dataset": "mine", "models": "S, S-2", "lists": "1, 2", **SU4, "of_lists": lists}
    found, other = tables.students_over_lists([row, row | {"models": "again"}]).to_dict("records")
    assert (found["videos"], found["top1"], found["baseline_top1"]) == (5, 75, 25)
    assert found["gain"] == pytest.approx((100 + 0) / 2)
    assert found["top1_std"] == pytest.approx(np.std([100, 50], ddof=1))
    assert found["p"] == pytest.approx(stats.permutation_test(  # a +1, b +2, c -1
        ([1, 2, -1],), np.mean, permutation_type="samples").pvalue)  # fmt: skip
    assert found["gain_low"] < found["gain"] < found["gain_high"]
    assert found["p_holm"] == other["p_holm"] == min(1, 2 * found["p"])


def test_three_seeds_average_and_pool_by_video(tmp_path):
    random, files = np.random.default_rng(0), {}
    right = {"U1": random.random((3, 120)) < 0.5, "SU4": random.random((3, 120)) < 0.62}
    for name, seeds in right.items():
        files[name] = [ranked(tmp_path / name / f"{n}.parquet", np.where(each, 0, 3)) for n, each in enumerate(seeds)]
    shared = {"dataset": "ucf101", "list": 1, "as_published": True}
    table = tables.table5([
        {**shared, "model": "U1", "method": "baseline", "predictions": files["U1"]},
        {**shared, **SU4, "model": "SU4", "predictions": files["SU4"]},
    ])  # fmt: skip
    baseline, student = table.to_dict("records")
    for row, seeds in ((baseline, right["U1"]), (student, right["SU4"])):
        assert row["seeds"] == 3
        assert row["top1"] == pytest.approx(100 * seeds.mean())
        assert row["top1_std"] == pytest.approx(np.std(100 * seeds.mean(axis=1), ddof=1))
        assert (row["top5"], row["top5_std"]) == (100, 0)
    difference = right["SU4"].mean(axis=0) - right["U1"].mean(axis=0)
    assert student["gain"] == pytest.approx(student["top1"] - baseline["top1"])
    draws = 100 * random.choice(difference, (4000, 120)).mean(axis=1)
    assert (student["gain_low"], student["gain_high"]) == pytest.approx(np.quantile(draws, [0.025, 0.975]), abs=0.8)
    drawn_p = stats.permutation_test((difference,), np.mean, permutation_type="samples", n_resamples=9999, rng=random)
    assert student["p"] == pytest.approx(drawn_p.pvalue, abs=0.01)
    assert student["p_holm"] == student["p"]  # the only student


def test_a_student_that_is_its_baseline_gains_nothing(study):
    (_, twin) = tables.table5([study[0], study[1] | {"predictions": study[0]["predictions"]}]).to_dict("records")
    assert [twin[name] for name in ("gain", "gain_low", "gain_high", "p", "p_holm")] == [0, 0, 0, 1, 1]


def test_without_a_baseline_of_its_list_a_student_has_no_gain(study):
    table = tables.table5([study[0], study[1] | {"list": 2}])
    assert table[["gain", "gain_low", "gain_high", "p", "p_holm"]].isna().to_numpy().all()


@pytest.mark.parametrize(
    "change",
    [{"S_alpha": 0.31}, {"KD_T": 3}, {"KD_alpha": 0.5}, {"LT": False}, {"FT": False}, {"model": "mine"},
     {"as_published": False}, {"method": "bskd", "S_alpha": None}],
    ids=lambda change: next(iter(change)),
)  # fmt: skip
def test_a_changed_row_has_no_counterpart_in_the_paper(study, change):
    table = tables.table5([study[0], study[1] | change])
    for name in ("paper_top1", "paper_top5", "diff_top1", "diff_top5"):
        assert table[name].isna().tolist() == [False, True]


def test_every_published_row_finds_itself(study):
    shared = {"predictions": study[0]["predictions"], "list": 1, "as_published": True}
    baselines = published.table(3)[["dataset", "model"]].to_dict("records")
    rows = [row | shared | {"method": "baseline"} for row in baselines]
    rows += [row | shared for row in published.table(5).to_dict("records")]
    table = tables.table5(rows)
    expected = pd.concat([published.table(3), published.table(5)])
    np.testing.assert_array_equal(table["paper_top1"], expected["top1"])
    np.testing.assert_array_equal(table["paper_top5"], expected["top5"])


def test_other_videos_than_the_baselines_are_refused_by_name(study, tmp_path):
    base = study[0]["predictions"][0]
    short = ranked(tmp_path / "short.parquet", [0] * 7)
    other = save(tmp_path / "other.parquet", [0] * 8, logits_of([0] * 8), videos=[f"b/{n}.avi" for n in range(8)])
    relabelled = save(tmp_path / "relabelled.parquet", [1] + [0] * 7, logits_of([0] * 8))
    for file in (short, other, relabelled):
        with pytest.raises(DtkdError, match=f"^{re.escape(file)}: .* of {re.escape(base)}"):
            tables.table5([study[0], study[1] | {"predictions": [file]}])
    twice = study[1]["predictions"] * 2
    with pytest.raises(DtkdError, match=f"{re.escape(twice[0])}: 2 seeds, but its baseline {re.escape(base)} has 1"):
        tables.table5([study[0], study[1] | {"predictions": twice}])


def test_missing_and_broken_predictions_are_named_in_one_line(study, tmp_path):
    faults = ("missing", "garbage", "columns", "empty", "ragged", "label")
    broken = {fault: tmp_path / f"{fault}.parquet" for fault in faults}
    broken["garbage"].write_text("not parquet")
    frame = pd.read_parquet(study[0]["predictions"][0])
    frame.drop(columns="logits_last").to_parquet(broken["columns"])
    frame[:0].to_parquet(broken["empty"])
    frame.assign(logits=[[0.0] * (n + 1) for n in range(8)]).to_parquet(broken["ragged"])
    frame.assign(label=8).to_parquet(broken["label"])
    for path in broken.values():
        with pytest.raises(DtkdError) as caught:
            tables.table5([study[0] | {"predictions": [str(path)]}])
        assert str(caught.value).startswith(f"{path}: ")
        assert "\n" not in str(caught.value)


# Table 6


@pytest.fixture
def imitation(tmp_path):
    """A student and its teachers of "mine", two seeds, and the labels of the test videos."""
    labels = np.random.default_rng(5).integers(0, 4, 50).tolist()
    masked = {"student": [], "static": [0, 2], "dynamic": [1, 3]}
    files = {name: [drawn(tmp_path / name / f"{seed}.parquet", labels, 4, 100 * len(name) + seed, masked[name])
                    for seed in (0, 1)] for name in masked}  # fmt: skip
    row = {"dataset": "mine", "model": "S1", "list": 1, "student": files.pop("student"), "teachers": files,
           "as_published": True, "kl": "forward", "floor": None}  # fmt: skip
    return row, labels, {"mine": SPLIT}, {"mine": INDEX}


def entropies(student, teacher, kl, floor):
    """KL per video by SciPy; reverse, with the teacher's probabilities floored."""
    logits = [np.stack(pd.read_parquet(file)["logits"]).astype(float) for file in (student, teacher)]
    p, q = (special.softmax(each, axis=1) for each in logits)
    return (special.rel_entr(q, p) if kl == "forward" else special.rel_entr(p, np.maximum(q, floor))).sum(axis=1)


@pytest.mark.parametrize(("kl", "floor", "said"), [
    ("forward", None, ": Σ T (log T − log S). SM"),
    ("reverse", 1e-12, ": Σ S (log S − log T); a teacher's probability is at least 1e-12. SM"),
    ("reverse", 1e-3, ": Σ S (log S − log T); a teacher's probability is at least 0.001. SM"),
])  # fmt: skip
def test_table6_against_scipy(imitation, kl, floor, said):
    row, labels, splits, indexes = imitation
    table = tables.table6([row | {"kl": kl, "floor": floor}], splits, indexes).set_index("subset")
    assert said in table.attrs["caption"]
    assert list(table.index) == ["overall", "static", "dynamic"]
    for subset in table.index:
        kept = [n for n, label in enumerate(labels) if subset in ("overall", own(label))]
        assert table.loc[subset, "videos"] == len(kept)
        means = {
            name: np.array(
                [entropies(*pair, kl, floor)[kept].mean() for pair in zip(row["student"], files, strict=True)]
            )
            for name, files in row["teachers"].items()
        }
        for teacher, seeds in means.items():
            assert table.loc[subset, f"kl_{teacher}_teacher"] == pytest.approx(seeds.mean(), rel=1e-5)
            assert table.loc[subset, f"kl_{teacher}_teacher_std"] == pytest.approx(seeds.std(ddof=1), rel=1e-4)
        if subset == "overall":
            assert table.loc[subset, ["SM", "SIR", "SM_std", "SIR_std"]].isna().all()
        else:
            matched, cross = means.pop(subset), means.popitem()[1]
            assert table.loc[subset, "SM"] == pytest.approx((cross - matched).mean(), rel=1e-5)
            assert table.loc[subset, "SIR"] == pytest.approx((cross / matched).mean(), rel=1e-5)
            assert table.loc[subset, "SIR_std"] == pytest.approx((cross / matched).std(ddof=1), rel=1e-4)
            assert cross.mean() > matched.mean()


def test_overall_is_the_mean_of_the_subsets_weighted_by_videos(imitation):
    row, _, splits, indexes = imitation
    overall, *parts = tables.table6([row], splits, indexes).to_dict("records")
    for name in ("kl_static_teacher", "kl_dynamic_teacher"):
        weighted = np.average([part[name] for part in parts], weights=[part["videos"] for part in parts])
        assert overall[name] == pytest.approx(weighted, rel=1e-9)


@pytest.mark.parametrize("dataset", ["ucf101", "hmdb51"])
def test_the_papers_own_overall_is_such_a_mean_too(dataset):
    kl = published.table(6).query("dataset == @dataset").set_index("subset")
    videos = published.table(2).query("dataset == @dataset and list == 1").set_index("subset")["test"]
    for name in ("kl_static_teacher", "kl_dynamic_teacher"):
        weighted = np.average(kl.loc[["static", "dynamic"], name], weights=videos[["static", "dynamic"]])
        assert kl.loc["overall", name] == pytest.approx(weighted, abs=0.011)  # two printed decimals


def test_table6_of_the_papers_students(imitation):
    row, _, _, _ = imitation
    rows = [row | {"dataset": "ucf101", "model": "SU12"}, row | {"dataset": "hmdb51", "model": "SH3"}]
    both = [dict.fromkeys(("ucf101", "hmdb51"), value) for value in (SPLIT, INDEX)]
    table, printed = tables.table6(rows, *both), published.table(6)
    pairs = {"kl_static_teacher": "kl_static_teacher", "kl_dynamic_teacher": "kl_dynamic_teacher",
             "SM": "selectivity_margin", "SIR": "selective_imitation_ratio"}  # fmt: skip
    for name, theirs in pairs.items():
        np.testing.assert_array_equal(table[f"paper_{name}"], printed[theirs])
        np.testing.assert_allclose(table[f"diff_{name}"], table[name] - printed[theirs])
    assert tables.table6([rows[0] | {"as_published": False}], *both)["paper_SM"].isna().all()
    assert tables.table6([rows[0] | {"model": "SU11"}], *both)["paper_SM"].isna().all()


def test_a_student_that_is_its_teacher_has_an_infinite_ratio(imitation, tmp_path):
    row, _, splits, indexes = imitation
    twins = row["teachers"]["static"][:1]
    teachers = {"static": twins, "dynamic": row["teachers"]["dynamic"][:1]}
    table = tables.table6([row | {"student": twins, "teachers": teachers}], splits, indexes)
    assert table["kl_static_teacher"].tolist() == [0, 0, 0]
    assert table["SIR"].tolist()[1] == np.inf
    texts = written(table, tmp_path / "out")
    assert "| inf |" in " ".join(texts["md"].split())
    assert r"$\infty$" in texts["tex"]


def test_table6_refuses_teachers_of_other_videos(imitation, tmp_path):
    row, labels, splits, indexes = imitation
    own_only = tmp_path / "own.parquet"
    pd.read_parquet(row["teachers"]["static"][1])[[own(label) == "static" for label in labels]].to_parquet(own_only)
    teachers = {**row["teachers"], "static": [row["teachers"]["static"][0], str(own_only)]}
    message = f"^{re.escape(str(own_only))}: its .* not the 50 of {re.escape(row['student'][0])}"
    with pytest.raises(DtkdError, match=message):
        tables.table6([row | {"teachers": teachers}], splits, indexes)


# Writing


def written(table, folder):
    output = {kind: str(folder / f"table.{kind}") for kind in ("csv", "md", "tex")}
    tables.write(table, output)
    return {kind: Path(path).read_text(encoding="utf-8") for kind, path in output.items()}


def markdown(text):
    """Head and rows of the cells."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    head, _, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return head, rows


def latex(text):
    lines = [line.strip() for line in text.splitlines() if line.rstrip().endswith(r"\\")]
    head, *rows = [[cell.strip() for cell in line.removesuffix(r"\\").split(" & ")] for line in lines]
    return head, rows


def test_csv_has_every_column_by_its_code_name(study, tmp_path):
    rows = list(csv.DictReader(written(tables.table5(study), tmp_path / "out")["csv"].splitlines()))
    assert rows[0] == {
        "dataset": "ucf101", "model": "U1", "method": "baseline", "LT": "", "FT": "", "S_alpha": "", "KD_T": "",
        "KD_alpha": "", "variant": "", "top1": "50.00", "top5": "75.00", "top1_last": "50.00", "top5_last": "50.00",
        "gain": "", "gain_low": "", "gain_high": "", "p": "", "p_holm": "", "paper_top1": "95.14",
        "paper_top5": "99.68", "diff_top1": "-45.14", "diff_top5": "-24.68",
        "test_videos": "8", "chance": "12.50", "smallest_gain": "80.15",
    }  # fmt: skip
    assert rows[1] == {
        "dataset": "ucf101", "model": "SU4", "method": "dtkd", "LT": "True", "FT": "True", "S_alpha": "0.3",
        "KD_T": "2", "KD_alpha": "0.4", "variant": "", "top1": "75.00", "top5": "87.50", "top1_last": "0.00",
        "top5_last": "0.00",
        "gain": "+25.00", "gain_low": "-25.00", "gain_high": "+75.00", "p": "0.625", "p_holm": "1",
        "paper_top1": "96.06", "paper_top5": "99.74", "diff_top1": "-21.06", "diff_top5": "-12.24",
        "test_videos": "8", "chance": "12.50", "smallest_gain": "80.15",
    }  # fmt: skip
    assert [row["S_alpha"] for row in rows] == ["", "0.3", "", "", "0.3"]


def test_markdown_and_latex_hold_the_same_cells_under_readable_heads(study, tmp_path):
    texts = written(tables.table5(study), tmp_path / "out")
    head, rows = markdown(texts["md"])
    assert head == [
        "Dataset", "Model", "Method", "LT", "FT", "S_α", "KD_T", "KD_α", "Top-1 (%)", "Top-5 (%)",
        "Top-1, last epoch (%)", "Top-5, last epoch (%)", "Gain [95 % CI]", "p", "p (Holm)",
        "paper top-1", "paper top-5", "difference top-1", "difference top-5",
    ]  # fmt: skip
    assert rows[1][head.index("Gain [95 % CI]")] == "+25.00 [-25.00, +75.00]"
    assert rows[0][head.index("Gain [95 % CI]")] == ""
    tex_head, tex_rows = latex(texts["tex"])
    assert tex_head[5:9] == [r"$S_\alpha$", "$KD_T$", r"$KD_\alpha$", r"Top-1 (\%)"]
    plain = [[cell.replace("$", "").replace(r"\ ", " ") for cell in row] for row in tex_rows]
    assert plain == rows


def test_latex_is_balanced_and_escaped(study, tmp_path):
    rows = [row | {"dataset": "demo_ucf", "model": f"{row['model']}_x"} for row in study[:2]]
    text = written(tables.table5(rows), tmp_path / "out")["tex"]
    assert r"demo\_ucf & U1\_x" in text
    for symbol in ("toprule", "midrule", "bottomrule", "begin{table}", "end{table}", "begin{tabular}", "end{tabular}"):
        assert text.count(f"\\{symbol}") == 1, symbol
    assert r"\label{tab:table5}" in text
    assert r"95 \% bootstrap" in text
    body = text.split("\n", 1)[1]  # after the comment that names the packages
    assert body.replace(r"\{", "").count("{") == body.replace(r"\}", "").count("}")
    outside = re.sub(r"\$[^$]*\$|\\[%_$&#]", "", body)
    assert not re.search(r"[_^#$<±]", outside.replace("\\ifdim\\width>", ""))
    assert [line.count(" & ") for line in body.splitlines() if line.endswith(r"\\")] == [14] * 3  # every row is as wide


def test_columns_without_values_are_left_out_for_readers_only(study, tmp_path):
    texts = written(tables.table5([row | {"dataset": f"demo_{row['dataset']}"} for row in study]), tmp_path / "out")
    assert "paper" not in texts["md"] + texts["tex"]
    assert texts["csv"].splitlines()[0].endswith("diff_top1,diff_top5,test_videos,chance,smallest_gain")


def test_several_seeds_are_merged_for_readers_and_apart_in_csv(baselines, tmp_path):
    texts = written(tables.table3(baselines), tmp_path / "out")
    rows = list(csv.DictReader(texts["csv"].splitlines()))
    assert [(row["top1"], row["top1_std"]) for row in (rows[0], rows[3])] == [("62.50", "17.68"), ("0.00", "")]
    head, cells = markdown(texts["md"])
    assert [row[head.index("Top-1 (%)")] for row in cells] == ["62.50 ± 17.68", "25.00 ± 0.00", "87.50 ± 17.68", "0.00"]
    assert "std" not in texts["md"]
    assert r"$62.50 \pm 17.68$" in texts["tex"]
    assert cells[3][head.index("Trainable (M)")] == "0.23"
    assert "over seeds" in texts["md"].splitlines()[0]


def test_crossvalidations_paper_is_merged_too(baselines, tmp_path):
    head, cells = markdown(written(tables.crossvalidation(baselines), tmp_path / "out")["md"])
    assert dict(zip(head, cells[0], strict=True))["paper top-1"] == "95.76 ± 0.69"
    assert dict(zip(head, cells[0], strict=True))["Models"] == "U1, U2, U3"


def test_a_deviation_has_the_means_decimals(imitation, tmp_path):
    row, _, splits, indexes = imitation
    head, cells = markdown(written(tables.table6([row], splits, indexes), tmp_path / "out")["md"])
    for teacher in ("St-T", "Dy-T"):
        mean, deviation = cells[0][head.index(f"KL(S ‖ {teacher})")].split(" ± ")
        assert len(mean.partition(".")[2]) == len(deviation.partition(".")[2]) >= 2
    assert cells[0][head.index("SM")] == ""


def test_statistics_keep_their_own_names(tmp_path):
    """A "std" is Table 1's column, no deviation over seeds of another."""
    classes = {name: ("static" if n < 9 else "dynamic", 1.0 + n) for n, name in enumerate(published.classes("ucf101"))}
    head, cells = markdown(written(tables.table1({"ucf101": split_of(classes)}), tmp_path / "out")["md"])
    assert head == ["Dataset", "Subset", "Classes", "Q1", "Mean", "STD", "IQR", "paper Q1", "paper mean", "paper STD",
                    "paper IQR", "difference Q1", "difference mean", "difference STD", "difference IQR"]  # fmt: skip
    assert cells[0][3:5] == ["26.000", "51.000"]
    assert cells[0][7] == "0.508"
    assert cells[0][11] == "+25.492"


NAMES = ["$_$", "US$5 or US$10", "a_b^c", "{x}", r"\alpha", "50 % & more", "#1", "<b>bold</b>", "~tilde|pipe", "`code`",
         "[link](x)", "*star*", "_em_ __bold__", "a--b---c", "&lt;", r"back\\", "'q' \"Q\"", "007", "None"]  # fmt: skip


def test_names_are_never_markup(tmp_path):
    table = pd.DataFrame({"dataset": "demo_ucf", "model": NAMES, "top1": 1.0})
    table.attrs = {"name": "made_up", "caption": "Made up."}
    texts = written(table, tmp_path)
    assert [row["model"] for row in csv.DictReader(texts["csv"].splitlines())] == NAMES
    assert figures.read_table(tmp_path / "table.csv")["model"].tolist() == NAMES

    lines = texts["md"].splitlines()[4:]
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)(?:\\\\)*\|", line)[1:-1]] for line in lines]
    assert {row[0] for row in cells} == {"demo_ucf"}  # within a word it is no markup, and stays legible
    for (_, cell, _), name in zip(cells, NAMES, strict=True):
        assert re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", cell) == name  # as CommonMark takes backslashes away
        bare = re.sub(r"\\[!-/:-@\[-`{-~]|(?<=[a-z])_(?=[a-z])", "", cell)
        assert not re.search(r"[\\`*_\[\]<>|&$~^]", bare), cell

    words = {r"\textbackslash{}": "\\", r"\textasciicircum{}": "^", r"\textasciitilde{}": "~", r"\textbar{}": "|",
             r"\textless{}": "<", r"\textgreater{}": ">", r"\textquotesingle{}": "'", r"\textasciigrave{}": "`",
             r"\symbol{34}": '"', "-{}": "-"}  # fmt: skip
    words |= {f"\\{character}": character for character in "&%$#_{}"}
    known = re.compile("|".join(map(re.escape, words)))
    for line, name in zip(texts["tex"].splitlines()[10:-4], NAMES, strict=True):
        cell = re.fullmatch(r"demo\\_ucf & (.*) & \$1.00\$ \\\\", line)[1].removeprefix("{}")
        assert known.sub(lambda found: words[found[0]], cell) == name
        assert not re.search(r"[\\&%$#_{}~^|<>'`\"]|--", known.sub(lambda found: "x", cell))


def test_a_row_does_not_begin_with_an_option_of_the_last_one_in_latex(tmp_path):
    table = pd.DataFrame({"dataset": ["[2cm]", "*"], "top1": 1.0})
    table.attrs = {"name": "made_up", "caption": "Made up."}
    rows = written(table, tmp_path)["tex"].splitlines()[10:12]
    assert [row[:4] for row in rows] == ["{}[2", "{}* "]


def test_a_name_of_two_lines_stays_in_its_cell(tmp_path):
    table = pd.DataFrame({"dataset": ["a\n\n| b |"], "top1": 1.0})
    table.attrs = {"name": "made_up", "caption": "Made up."}
    texts = written(table, tmp_path)
    assert r"| a  \| b \|" in texts["md"].splitlines()[-1]
    assert r"a  \textbar{} b \textbar{} & $1.00$ \\" in texts["tex"].splitlines()


def test_examples_in_docstrings():
    assert doctest.testmod(tables).failed == 0
    assert doctest.testmod(tables).attempted > 1


def test_small_p_and_significant_digits(tmp_path):
    row = {"p": 0.00012345, "p_holm": 0.012345, "SM": 26.2, "SIR": 170.6199, "kl_static_teacher": 0.0971234,
           "diff_SIR": -12345.6}  # fmt: skip
    table = pd.DataFrame([row])
    table.attrs = {"name": "made_up", "caption": "Made up."}
    texts = written(table, tmp_path)
    assert texts["csv"].splitlines()[1] == "0.000123,0.0123,26.20,170.6,0.09712,-12350"
    assert markdown(texts["md"])[1] == [["<0.001", "0.0123", "26.20", "170.6", "0.09712", "-12350"]]
    assert latex(texts["tex"])[1] == [["$<0.001$", "$0.0123$", "$26.20$", "$170.6$", "$0.09712$", "$-12350$"]]


def test_the_same_predictions_give_the_same_bytes(study, tmp_path):
    assert written(tables.table5(study), tmp_path / "one") == written(tables.table5(study), tmp_path / "two")
    assert sorted(path.name for path in (tmp_path / "one").iterdir()) == ["table.csv", "table.md", "table.tex"]


# Scripts


@pytest.mark.parametrize(
    "name",
    [
        "table1",
        "table2",
        "table3",
        "crossvalidation",
        "table4",
        "teachers",
        "table5",
        "table6",
        "readings",
        "students_over_lists",
    ],
)
def test_scripts_take_what_the_rules_give(
    name, baselines, teachers, specialists, study, imitation, tmp_path, monkeypatch
):
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.setenv(variable, "1")  # restored after the script has set its own
    (tmp_path / "split.json").write_text(json.dumps(SPLIT))
    INDEX.to_parquet(tmp_path / "videos.parquet")
    rows = {"table3": baselines, "crossvalidation": baselines, "table4": teachers[0], "table5": study,
            "table6": [imitation[0]], "teachers": specialists,
            "readings": [row | {"reading": "a"} for row in study],
            "students_over_lists": [study[1] | {"models": "SU4, again", "lists": "1, 2", "of_lists": [
                {"predictions": study[1]["predictions"], "baseline": study[0]["predictions"]}] * 2}]}  # fmt: skip
    given = SimpleNamespace(
        rule="table", threads=1, log=[str(tmp_path / "log")],
        params=Namedlist(fromdict={"rows": rows.get(name), "datasets": ["mine"]}),
        input=Namedlist(fromdict={"splits": [tmp_path / "split.json"], "indexes": [tmp_path / "videos.parquet"]}),
        output=Namedlist(fromdict={kind: str(tmp_path / f"{name}.{kind}") for kind in ("csv", "md", "tex")}),
    )  # fmt: skip
    monkeypatch.setattr("dtkd.common.workflow_job.end_with_parent", lambda: None)  # the tests' process outlives it
    runpy.run_path(str(SCRIPTS / f"{name}.py"), init_globals={"snakemake": given})
    assert (tmp_path / "log").read_text() == "done\n"
    lines = (tmp_path / f"{name}.csv").read_text().splitlines()
    assert len(lines) == 1 + {"table1": 3, "table2": 6, "table3": 4, "crossvalidation": 1, "table4": 2, "table5": 5,
                              "table6": 3, "teachers": 3, "readings": 5, "students_over_lists": 1}[name]  # fmt: skip
    assert f"tab:{name}" in (tmp_path / f"{name}.tex").read_text()


def test_tables_do_without_torch_and_without_scipy_until_asked():
    code = "import sys, dtkd.analysis.tables; assert not {'torch', 'cv2', 'scipy', 'matplotlib'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=SCRIPTS)
