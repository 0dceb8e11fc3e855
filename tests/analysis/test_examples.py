"""Sample frames with their flow: which classes and videos are chosen, and what the picture of a flow shows."""

import re
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from conftest import draw

from dtkd.analysis.figures import base, examples
from dtkd.config import Augment
from dtkd.motion.flow import Settings, class_flow, video_flow

AUGMENT = Augment(short_side=(32, 32), crop=32, test_short_side=32)
MEANS = {"least": 0.1, "middle": 0.2, "more": 0.3, "most": 0.9}


def split(means, static=()):
    subsets = {name: "static" if name in static else "dynamic" for name in means}
    classes = {name: {"mean": mean, "subset": subsets[name]} for name, mean in means.items()}
    return {"criterion": {"measure": "mean"}, "threshold": 0.15, "classes": classes}


@pytest.mark.parametrize(
    ("means", "chosen"),
    [(MEANS, ["least", "middle", "most"]), ({"b": 2.0, "a": 1.0}, ["a", "b"]), ({"a": 1.0}, ["a"]), ({}, []),
     ({"c": None, "a": None, "b": None, "d": None}, ["a", "b", "d"])],
)  # fmt: skip
def test_classes_of_least_middle_and_most_motion(means, chosen):
    assert examples.chosen_classes(split(means), "dynamic") == chosen
    assert examples.chosen_classes(split(means), "static") == []


def test_the_video_nearest_to_the_classes_mean_among_those_to_train_with():
    flow = pd.DataFrame({"video": ["a", "b", "c"], "mean": [0.1, 0.5, 0.3]})
    assert examples.typical_video(["b", "a"], flow, "mean", 0.35) == "b"  # c is nearest, but for testing
    assert examples.typical_video(["b", "a"], flow, "mean", None) == "a"


def test_the_picture_of_a_flow_has_its_direction_as_hue_and_its_size_as_saturation():
    flow = np.array([[[2, 0], [0, -2], [-2, 0], [0, 2], [0, 0], [9, 0]]], np.float32)
    right, up, left, down, still, fast = examples.coloured(flow, 2.0)[0]
    assert right.argmax() == 0  # red
    assert right[1] == right[2] == 0
    assert up[1] > up[0] > up[2]  # yellowish green: a quarter turn from red
    assert left[0] == 0
    assert left[1] == pytest.approx(left[2])  # cyan
    assert down[2] > down[0] > down[1]  # violet
    assert np.ptp(still) == 0
    np.testing.assert_allclose(fast, right)  # what is faster than the scale is not darker


@pytest.fixture
def dataset(tmp_path):
    rows = []
    for label, name in enumerate(["one", "two"]):
        (tmp_path / name).mkdir()
        for number in range(2):
            draw(tmp_path / name / f"{number}.avi", seed=number, label=label)
            rows.append({"video": f"{number}.avi", "path": f"{name}/{number}.avi", "class": name, "list1": "train"})
    return tmp_path, pd.DataFrame(rows)


def measured(root, index, settings):
    """The folder of the videos' flow, as the workflow writes it."""
    for name, own in index.groupby("class"):
        paths = zip(own["video"], own["path"], strict=True)
        videos = [(video, root / path, root / "flow" / name / f"{video}.parquet") for video, path in paths]
        class_flow(videos, settings).to_parquet(root / "flow" / f"{name}.parquet")
    return root / "flow"


@pytest.mark.parametrize("settings", [Settings(), Settings(step=2), Settings(algorithm="dis_fast", short_side=32)])
def test_an_example_shows_the_flow_of_its_frame(dataset, settings, monkeypatch):
    root, index = dataset
    flow = measured(root, index, settings)
    means = {name: pd.read_parquet(flow / f"{name}.parquet")["mean"][0] for name in ("one", "two")}
    monkeypatch.setattr(examples, "video_flow", None)  # it is stored: of a whole video it is not computed again
    found = list(examples.examples(split(means, ["one"]), index, root, flow, settings, AUGMENT))
    assert [(one.name, one.subset, one.video) for one in found] == [
        ("one", "static", "one/0.avi"), ("two", "dynamic", "two/0.avi")
    ]  # fmt: skip
    for one in found:
        table = video_flow(root / one.video, settings.algorithm, settings.step, settings.short_side)
        assert one.video_mean == pytest.approx(table["mean"].mean(), rel=1e-5)
        assert one.magnitude.mean() == pytest.approx(table["mean"][one.frame_number // settings.step], rel=1e-4)
        assert one.frame.shape == one.fed.shape == (40, 48, 3)
        assert (one.fed[:, 4:44] == one.frame[:, 4:44]).all()  # the crop of 40
        assert (one.fed[:, :4] == one.frame[:, :4] // 3).all()
        assert min(one.flow.shape[:2]) == (settings.short_side or 40)


@pytest.mark.parametrize(("over_time", "unit"), [("max", "frame"), ("q90", "second"), ("share", "frame")])
def test_an_example_is_measured_as_its_class_is(dataset, over_time, unit):
    root, index = dataset
    settings = Settings(over_time=over_time, unit=unit, measure="moving")
    flow = measured(root, index, settings)
    given = split({"one": 0.1, "two": 5.0}, ["one"])
    given["criterion"] = {"measure": "moving", "over_time": over_time, "unit": unit}
    for one in examples.examples(given, index, root, flow, settings, AUGMENT):
        summary = pd.read_parquet(flow / f"{one.name}.parquet").set_index("video")["moving"]
        assert one.video_mean == pytest.approx(summary[one.video.partition("/")[2]], rel=1e-6)
        assert one.unit == {"max": "moving, maximum over time, pixels/frame", "share": "moving, share of the time",
                            "q90": "moving, 90 % quantile over time, pixels/second"}[over_time]  # fmt: skip
        stored = pd.read_parquet(flow / one.name / f"{one.video.partition('/')[2]}.parquet")["moving"]
        if over_time == "max":
            assert one.frame_number == stored.argmax()


def test_an_example_of_persons_is_a_pair_that_has_some(dataset):
    """Those without have no motion of persons that could be near to the video's."""
    root, index = dataset
    flow = measured(root, index, Settings())
    for path in flow.glob("*/*.parquet"):
        pairs = pd.read_parquet(path)
        pairs["persons"] = [0, 0, 0, 1, 2] + [0] * (len(pairs) - 5)
        pairs["person"] = [np.nan] * 3 + [2.0, 7.0] + [np.nan] * (len(pairs) - 5)
        pairs.to_parquet(path)
    for name in ("one", "two"):
        pd.read_parquet(flow / f"{name}.parquet").assign(person=4.5).to_parquet(flow / f"{name}.parquet")
    given = split({"one": 4.5, "two": 4.5}, ["one"])
    given["criterion"] = {"measure": "person", "over_time": "max"}
    settings = Settings(measure="person", over_time="max", person_weights="unread")
    for one in examples.examples(given, index, root, flow, settings, AUGMENT):
        assert (one.frame_number, one.video_mean) == (4, 7.0)
        assert one.unit == "person, maximum over time, pixels/frame"


def test_without_the_videos_tables_the_same_is_shown(dataset):
    root, index = dataset
    flow = measured(root, index, Settings())
    stored, computed = [], []
    for found in (stored, computed):
        found += examples.examples(split({"one": 0.1, "two": 5.0}, ["one"]), index, root, flow, Settings(), AUGMENT)
        for table in flow.glob("*/*.parquet"):
            table.unlink()
    for one, other in zip(stored, computed, strict=True):
        assert (one.video, one.video_mean, one.frame_number) == (other.video, other.video_mean, other.frame_number)
        np.testing.assert_array_equal(one.flow, other.flow)


def test_the_figure_and_its_table(dataset, tmp_path):
    root, index = dataset
    means = {"one": None, "two": None}
    flow = measured(root, index, Settings())
    shown = {"a_$b$": list(examples.examples(split(means, ["one"]), index, root, flow, Settings(), AUGMENT))}
    for name in ("x", "y"):  # the same bytes from the same data
        base.save(examples.draw(shown), {kind: tmp_path / f"{name}.{kind}" for kind in ("png", "pdf")})
    assert (tmp_path / "x.png").read_bytes() == (tmp_path / "y.png").read_bytes()
    table = examples.table(shown)
    assert table.columns.tolist() == ["dataset", "subset", "class", "class_mean", "video", "video_mean", "frame"]
    assert table["class"].tolist() == ["one", "two"]


@pytest.mark.parametrize("names", [("slow", "medium", "fast"), ("a_long_name_of_a_group", "W" * 30, "medium-or-so")])
def test_three_groups_stand_beside_one_another(dataset, names, monkeypatch):
    root, index = dataset
    given = split({"one": 0.1, "two": 5.0}, ["one"])
    given |= {"groups": list(names), "classes": {
        name: {"mean": n / 4, "subset": names[n // 2]} for n, name in enumerate("abcdef")}}  # fmt: skip
    index = pd.concat([index[index["class"] == "one"].replace({"class": {"one": name}}) for name in given["classes"]])
    flow = measured(root, index, Settings())
    found = list(examples.examples(given, index, root, flow, Settings(), AUGMENT))
    assert [(one.subset, one.name) for one in found] == list(zip(np.repeat(names, 2), "abcdef", strict=True))
    figure = examples.draw({"d": found})
    figure.draw_without_rendering()
    (block,) = figure.subfigs
    heads = [text for text in block.texts if text.get_weight() == "bold"][1:]
    assert [text.get_color() for text in heads] == [look.colour for look in base.looks(names).values()]
    boxes = [text.get_window_extent() for text in heads]
    assert all(left.x1 < right.x0 for left, right in pairwise(boxes))


def test_a_long_name_is_cut_and_dollars_are_no_formula(dataset):
    root, index = dataset
    long = "$" + "W" * 40 + "$"
    index = index.replace({"class": {"one": long}})
    flow = measured(root, index, Settings())
    found = examples.examples(split({long: 0.1}, [long]), index, root, flow, Settings(), AUGMENT)
    figure = examples.draw({"d": list(found)})
    titles = [axis.get_title() for block in figure.subfigs for axis in block.axes]
    assert any(re.match(r"\$W{7,}…\n", title) for title in titles)
