"""Eq. 1: class means, the split, and the paper's own split."""

import json

import numpy as np
import pandas as pd
import pytest

from dtkd.common.errors import DtkdError
from dtkd.config import Split
from dtkd.data import published
from dtkd.motion import subsets


def flows(values):
    """Per class the table of a few videos with these means."""
    return {
        name: pd.DataFrame(
            {"video": [f"{name}_{i}" for i in range(len(means))], "mean": means, "q90": np.multiply(means, 2)}
        )
        for name, means in values.items()
    }


def means_of(values):
    return subsets.class_means(flows({f"c{i:03d}": [value] for i, value in enumerate(values)}))


def static(split):
    return [name for name, entry in split["classes"].items() if entry["subset"] == "static"]


def test_class_means_are_unweighted_over_videos():
    means = subsets.class_means(flows({"run": [4.0, 6.0, 5.0], "chew": [0.5]}))
    assert list(means.index) == ["chew", "run"]
    assert means.loc["run"].tolist() == [5.0, 1.0, 3]
    assert means.loc["chew"].tolist() == [0.5, 0.0, 1]


def test_class_means_of_another_measure_and_of_some_videos():
    tables = flows({"run": [4.0, 6.0], "chew": [0.5, 0.7]})
    names = ["run_0", "run_1", "chew_0", "chew_1"]
    index = pd.DataFrame({"video": names, "class": ["run", "run", "chew", "chew"],
                          "list1": ["train", "test", "test", "train"]})  # fmt: skip
    means = subsets.class_means(subsets.train_flows(tables, index, "list1"), "q90")
    assert means["mean"].tolist() == [1.4, 8.0]
    assert subsets.split(means)["criterion"]["measure"] == "q90"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"measure": "speed"}, "no measure 'speed': choose one of mean, q90"),
    ],
)
def test_class_means_refuses(arguments, message):
    with pytest.raises(DtkdError, match=message):
        subsets.class_means(flows({"run": [4.0], "chew": [0.5]}), **arguments)


def test_a_train_video_is_one_of_its_class():
    """Each class has a 001.avi, and only the one of chew is a train video."""
    tables = {name: pd.DataFrame({"video": ["001", "002"], "mean": [value, 9.0]}) for name, value in
              (("run", 1.0), ("chew", 2.0))}  # fmt: skip
    index = pd.DataFrame({"video": ["001", "002"] * 2, "class": ["run", "run", "chew", "chew"],
                          "list1": ["test", "train", "train", "test"]})  # fmt: skip
    means = subsets.class_means(subsets.train_flows(tables, index, "list1"))
    assert means["mean"].to_dict() == {"chew": 2.0, "run": 9.0}
    with pytest.raises(DtkdError, match="class chew has no videos"):
        subsets.class_means(subsets.train_flows(tables, index[:2], "list1"))


def test_class_means_refuses_what_is_not_a_number():
    with pytest.raises(DtkdError, match="class run has a flow mean that is not a number"):
        subsets.class_means(flows({"run": [np.nan], "chew": [0.5]}))


@pytest.mark.parametrize(("classes", "boundary", "count"), [(101, "inclusive", 26), (51, "inclusive", 13),
                                                            (101, "strict", 25), (51, "strict", 13)])  # fmt: skip
def test_table_2s_numbers_of_static_classes(classes, boundary, count):
    for seed in range(10):
        values = np.random.default_rng(seed).gamma(2, 0.6, classes)
        split = subsets.split(means_of(values), boundary=boundary)
        assert len(static(split)) == count
        assert static(split) == [f"c{i:03d}" for i in sorted(np.argsort(values)[:count])]


def test_split_is_plain_and_survives_json():
    split = subsets.split(means_of([3.0, 1.0, 2.0, 4.0, 5.0]))
    assert split["threshold"] == 2.0
    assert split["criterion"] == {
        "source": "flow", "measure": "mean", "threshold": "quantile", "quantile": 0.25, "method": "linear",
        "boundary": "inclusive",
    }  # fmt: skip
    assert split["classes"]["c001"] == {"mean": 1.0, "std": 0.0, "videos": 1, "subset": "static"}
    assert static(split) == ["c001", "c002"]
    assert json.loads(json.dumps(split)) == split


def test_split_by_a_value_and_by_another_quantile():
    means = means_of([1.0, 2.0, 3.0, 4.0])
    by_value = subsets.split(means, value=3.0)
    assert static(by_value) == ["c000", "c001", "c002"]
    assert by_value["criterion"]["value"] == 3.0
    assert static(subsets.split(means, value=3.0, boundary="strict")) == ["c000", "c001"]
    assert static(subsets.split(means, quantile=0.5)) == ["c000", "c001"]


@pytest.mark.parametrize(
    ("values", "arguments", "message"),
    [
        ([1, 2], {"value": 0.5}, "no static class .*raise split.value or set split.boundary"),
        ([1, 2], {"value": 2.0}, "no dynamic class .*lower split.value or set split.boundary"),
        (
            [1, 1, 2],
            {"quantile": 0.25, "boundary": "strict"},
            "no static class .*raise split.quantile or set split.boundary: inclusive",
        ),
        ([1, 2, 2], {"quantile": 0.75}, "no dynamic class .*lower split.quantile or set split.boundary: strict"),
        *[
            (
                [1, 1, 1],
                {"boundary": boundary},
                "cannot tell classes apart: the mean of flow is 1 in each; look whether",
            )
            for boundary in ("inclusive", "strict")
        ],
        ([1], {}, "at least two classes"),
        ([1, 2], {"quantile": 1.0}, "not between 0 and 1"),
        ([1, 5, 5, 5, 9], {"threshold": "otsu"}, "split.threshold: otsu leaves 1 dynamic class .*threshold: quantile"),
        ([1, 2, 9], {"threshold": "otsu"}, "split.threshold: otsu leaves two classes on both sides, and there are 3"),
        ([1, 7, 8, 9], {"threshold": "kmeans"}, "split.threshold: kmeans leaves 1 static class"),
        ([1, 5, 5, 5, 9], {"threshold": "gap"}, "split.threshold: gap leaves 1 dynamic class"),
        ([1, 2, 3], {"threshold": "gap"}, "split.threshold: gap leaves two classes on both sides, and there are 3"),
        ([1, 2], {"threshold": "mode"}, "choose one of quantile, value, otsu, gap, kmeans"),
        ([1, 2], {"boundary": "open"}, "choose one of inclusive, strict"),
    ],
)
def test_split_refuses(values, arguments, message):
    with pytest.raises(DtkdError, match=message):
        subsets.split(means_of(values), **arguments)


def test_a_split_says_which_threshold_made_it_and_what_it_is():
    split = subsets.split(means_of([1.0, 2.0, 7.0, 9.0]), threshold="otsu")
    assert split["criterion"] == {"source": "flow", "measure": "mean", "threshold": "otsu", "boundary": "inclusive"}
    assert (split["threshold"], static(split)) == (4.5, ["c000", "c001"])


def test_subset_summary_is_table_1s():
    summary = subsets.subset_summary(subsets.split(means_of([1.0, 2.0, 3.0, 4.0, 5.0]))).set_index("subset")
    assert list(summary.index) == ["overall", "dynamic", "static"]
    assert summary.loc["overall"].tolist() == [5, 2.0, 3.0, pytest.approx(2.5**0.5), 2.0]
    assert summary.loc["dynamic"].tolist() == [3, 3.5, 4.0, 1.0, 1.0]
    assert summary.loc["static"].tolist() == [2, 1.25, 1.5, pytest.approx(0.5**0.5), 0.5]


@pytest.mark.parametrize(("dataset", "counts"), [("ucf101", (26, 75)), ("hmdb51", (13, 38))])
def test_published_split_has_table_2s_counts(dataset, counts):
    split = subsets.published_split(dataset, published.classes(dataset))
    assert static(split) == published.static_classes(dataset)
    assert (len(static(split)), len(split["classes"]) - len(static(split))) == counts
    table = published.table(2).query("dataset == @dataset").groupby("subset")["classes"].first()
    assert (table["static"], table["dynamic"]) == counts
    assert json.loads(json.dumps(split)) == split
    with pytest.raises(DtkdError, match="no mean flow"):
        subsets.subset_summary(split)


def test_published_split_takes_means_along():
    names = published.classes("hmdb51")
    means = subsets.class_means(flows({name: [float(i)] for i, name in enumerate(names)}))
    split = subsets.published_split("hmdb51", names, means)
    assert split["classes"][names[3]]["mean"] == 3.0
    assert subsets.subset_summary(split)["classes"].tolist() == [51, 38, 13]


def test_published_split_names_classes_that_do_not_fit():
    names = [*published.classes("ucf101"), "running"]
    names.remove("TaiChi")
    with pytest.raises(DtkdError, match=r"missing TaiChi; unknown running"):
        subsets.published_split("ucf101", names)
    with pytest.raises(DtkdError, match="no split of dataset 'kinetics'"):
        subsets.published_split("kinetics", [])


def test_a_listed_split_has_the_classes_that_are_named():
    means = means_of([1.0, 2.0, 3.0])
    split = subsets.listed_split("mine", ["c000", "c001", "c002"], {"static": ["c002", "c000"]}, means)
    assert static(split) == ["c000", "c002"]
    assert split["classes"]["c001"] == {"mean": 2.0, "std": 0.0, "videos": 1, "subset": "dynamic"}
    assert (split["criterion"], split["threshold"]) == ({"source": "listed", "measure": "mean"}, None)
    assert json.loads(json.dumps(split)) == split


@pytest.mark.parametrize(("names", "message"), [
    (["c000", "c0001"], r"split\.static\.mine: 'c0001' is not one of its classes; did you mean 'c001'\?"),
    (["c000", "c001"], r"split\.static\.mine: no class is left to be dynamic"),
])  # fmt: skip
def test_a_listed_split_refuses(names, message):
    with pytest.raises(DtkdError, match=message):
        subsets.listed_split("mine", ["c000", "c001"], {"static": names})


@pytest.mark.parametrize(("classes", "boundary", "count"), [
    (101, "inclusive", 26), (101, "strict", 25), (51, "strict", 13), (5, "inclusive", 2), (5, "strict", 1),
])  # fmt: skip
def test_a_random_split_has_the_sizes_of_eq_1(classes, boundary, count):
    names = [f"c{i:03d}" for i in range(classes)]
    drawn = [static(subsets.random_split(names, 0.25, boundary, seed)) for seed in (0, 0, 1, 2)]
    assert [len(chosen) for chosen in drawn] == [count] * 4
    assert drawn[0] == drawn[1] == static(subsets.random_split(reversed(names), 0.25, boundary, 0))
    assert len({tuple(chosen) for chosen in drawn}) > 1
    by_motion = subsets.split(means_of(np.random.default_rng(5).permutation(classes)), boundary=boundary)
    assert len(static(by_motion)) == count


def test_a_random_split_meets_every_class():
    names = [f"c{i}" for i in range(8)]
    met = [name for seed in range(400) for name in static(subsets.random_split(names, 0.25, "inclusive", seed))]
    assert {name: 60 < met.count(name) < 140 for name in names} == dict.fromkeys(names, True)  # 100 on average


def test_settings_choose_the_split():
    means = means_of([1.0, 2.0, 3.0, 4.0])
    names = list(means.index)
    for given, wanted in (
        ({}, subsets.split(means)),
        ({"quantile": 0.5, "boundary": "strict"}, subsets.split(means, 0.5, "strict")),
        ({"value": 3.5}, subsets.split(means, value=3.5)),
        ({"threshold": "gap"}, subsets.split(means, threshold="gap")),
        (
            {"source": "listed", "static": {"mine": ["c003"]}},
            subsets.listed_split("mine", names, {"static": ["c003"]}, means),
        ),
        ({"source": "random", "seed": 3}, subsets.random_split(names, 0.25, "inclusive", 3, means)),
    ):
        assert subsets.of_settings(Split(**given).settings("mine"), "mine", names, means) == wanted


def test_published_numbers_are_as_printed():
    assert [len(published.table(n)) for n in range(1, 7)] == [6, 18, 12, 8, 26, 6]
    table5 = published.table(5).set_index("model")
    assert table5.loc["SU12", ["LT", "FT", "top1"]].tolist() == [False, False, 96.14]
    misprint = pd.read_csv(published.FOLDER / "misprints.csv").query("place == 'table5'").iloc[0]
    assert table5.loc[misprint["model"], misprint["column"]] == float(misprint["printed"])
    with pytest.raises(ValueError, match="Tables 1 to 6"):
        published.table(7)


def test_splits_come_in_the_order_of_the_labels(tmp_path):
    split_file, index_file = tmp_path / "split.json", tmp_path / "videos.parquet"
    split_file.write_text(
        json.dumps({"classes": {name: {"subset": "static"} for name in ("HammerThrow", "Hammering")}})
    )
    pd.DataFrame({"class": ["HammerThrow", "Hammering"], "label": [1, 0]}).to_parquet(index_file)
    read = subsets.read_splits(["d"], [str(split_file)], [str(index_file)])
    assert list(read["d"]["classes"]) == ["Hammering", "HammerThrow"]
    assert list(subsets.read_splits(["d"], [str(split_file)])["d"]["classes"]) == ["HammerThrow", "Hammering"]


def test_classes_whose_frame_rate_differs_are_named():
    index = pd.DataFrame({"class": list("aaabbbccc"), "fps": [25, 25, 30, 25, 25, 25, 50, 50, 25]})
    [warning] = subsets.differing_rates(index)
    assert warning.startswith("the videos of c have 50 frames a second, the data set's 25: ")
    assert "flow.unit: second" in warning
    assert subsets.differing_rates(index.assign(fps=25)) == []
    assert subsets.differing_rates(index.assign(fps=0.0)) == []  # files without times
    assert subsets.differing_rates(index.drop(columns="fps")) == []  # an index of an earlier version


def test_a_split_tells_the_unit_of_its_means_where_it_is_not_the_papers():
    flows = {name: pd.DataFrame({"video": ["1"], "mean": [value]}) for value, name in enumerate("abcd", 1)}
    assert "unit" not in subsets.split(subsets.class_means(flows))["criterion"]
    for table in flows.values():
        table.attrs["unit"] = "second"
    split = subsets.split(subsets.class_means(flows))
    assert split["criterion"]["unit"] == "second"
    assert subsets.motion_unit([split]) == "pixels/second"
    for measure, over_time, words in (
        ("mean", "max", "maximum over time, pixels/second"), ("mean", "q90", "90 % quantile over time, pixels/second"),
        ("mean", "share", "share of the time"), ("moving", "mean", "moving, pixels/second"),
    ):  # fmt: skip
        for table in flows.values():
            table.attrs["over_time"] = over_time
        others = {name: table.rename(columns={"mean": measure}) for name, table in flows.items()}
        split = subsets.split(subsets.class_means(others, measure))
        assert split["criterion"].get("over_time", "mean") == over_time
        assert subsets.motion_unit([split]) == words
    del flows["a"].attrs["unit"]
    with pytest.raises(DtkdError, match=r"summed in different ways \(unit: frame, second\)"):
        subsets.class_means(flows)
