"""Which training videos are held out: a share of each class, by group, the same for every run of a list."""

from collections import Counter

import pandas as pd
import pytest

from dtkd.common.errors import DtkdError
from dtkd.data import datasets, validation
from dtkd.data.datasets import Source, Videos


def table(rows):
    """An index of (path, side of list 1)."""
    paths = [path for path, _ in rows]
    classes = [path.split("/")[0] for path in paths]
    labels = [sorted(set(classes)).index(name) for name in classes]
    return pd.DataFrame({"path": paths, "class": classes, "label": labels, "list1": [side for _, side in rows],
                         "list2": "train"})  # fmt: skip


def ucf101(classes=3, groups=10, clips=4):
    """Groups 1 and 2 are tested on."""
    return table([
        (f"C{c}/v_C{c}_g{g:02d}_c{k:02d}.avi", "test" if g <= 2 else "train")
        for c in range(classes) for g in range(1, groups + 1) for k in range(1, clips + 1)
    ])  # fmt: skip


UCF = Source("ucf101", "videos", "lists")


def test_a_share_of_every_class_by_whole_groups():
    index = ucf101()
    held = validation.held_out(index, "list1", UCF, 0.25)
    assert Counter(held["class"]) == {"C0": 8, "C1": 8, "C2": 8}  # two of eight groups
    assert set(Counter(held["group"]).values()) == {4}
    assert set(held["group"]) <= {f"C{c}/v_C{c}_g{g:02d}" for c in range(3) for g in range(3, 11)}, "no test video"
    apart = validation.apart(index, "list1", None)
    assert apart is index


def test_at_least_one_group_however_small_the_share():
    held = validation.held_out(ucf101(), "list1", UCF, 0.01)
    assert Counter(held["class"]) == {"C0": 4, "C1": 4, "C2": 4}


def test_the_sides_of_an_index(tmp_path):
    index, file = ucf101(), tmp_path / "validation-0.25.csv"
    held = validation.held_out(index, "list1", UCF, 0.25)
    held.to_csv(file, index=False)
    found = validation.apart(index, "list1", file)
    sides = {side: set(Videos.of(found, "", "list1", side).names) for side in ("train", validation.SIDE, "test")}
    assert sides[validation.SIDE] == set(held["video"])
    assert sides["train"] | sides[validation.SIDE] == set(Videos.of(index, "", "list1", "train").names)
    assert not sides["train"] & sides[validation.SIDE]
    assert sides["test"] == set(Videos.of(index, "", "list1", "test").names)
    assert list(found["list2"]) == list(index["list2"])


def test_the_draw_is_of_the_list_alone():
    index = ucf101()
    one = validation.held_out(index, "list1", UCF, 0.25)
    assert one.equals(validation.held_out(index, "list1", Source("ucf101", "elsewhere", "lists", seed=3), 0.25))
    everything = index.assign(list1="train")
    assert set(validation.held_out(everything, "list1", UCF, 0.25)["group"]) != set(
        validation.held_out(everything, "list2", UCF, 0.25)["group"]
    )


@pytest.mark.parametrize(("source", "paths", "groups"), [
    (UCF, ["A/v_A_g01_c02.avi", "A/other.avi"], ["A/v_A_g01", "A/other.avi"]),
    (Source("hmdb51", "v", "l"), ["a/Some_Film_a_f_cm_np1_le_bad_0.avi", "b/Some_Film_a_f_cm_np1_le_bad_0.avi"],
     ["a/Some_Film_a", "b/Some_Film_a"]),
    (Source("folders", "v"), ["a/1.avi", "a/2.avi"], ["a/1.avi", "a/2.avi"]),
    (Source("folders", "v", group_pattern="(p[0-9]+)_"), ["a/p1_x.avi", "b/p1_y.avi"], ["p1", "p1"]),
])  # fmt: skip
def test_groups_of_each_format(source, paths, groups):
    assert list(datasets.groups(source, paths).values()) == groups


def test_groups_of_a_csv(tmp_path):
    file = tmp_path / "lists.csv"
    file.write_text("video,class,split,group\n./a/1.avi,a,train,anna\na/2.avi,a,train,\nb/1.avi,b,train,anna\n")
    found = datasets.groups(Source("csv", "v", file), ["a/1.avi", "a/2.avi", "b/1.avi"])
    assert found == {"a/1.avi": "anna", "a/2.avi": "a/2.avi", "b/1.avi": "anna"}
    file.write_text("video,class,split\na/1.avi,a,train\n")
    assert datasets.groups(Source("csv", "v", file), ["a/1.avi"]) == {"a/1.avi": "a/1.avi"}


def test_a_class_that_cannot_be_parted_is_named():
    index = ucf101()
    few = index[(index["class"] != "C1") | (index["path"].str.contains("_g0[123]_"))]
    with pytest.raises(
        DtkdError, match=r"videos of class C1 in list 1 are of 1 group, too few .* train\.selection: last"
    ):
        validation.held_out(few, "list1", UCF, 0.1)


def test_groups_that_span_classes_leave_each_class_both(tmp_path):
    """Of two persons who alone act in a class, one is held out."""
    rows = [(f"{name}/p{p}_{k}.avi", "train") for name in ("a", "b") for p in range(6) for k in range(2)]
    rows += [(f"c/p{p}_0.avi", "train") for p in (0, 1)]
    source = Source("folders", "v", group_pattern="(p[0-9]+)_")
    held = validation.held_out(table(rows), "list1", source, 0.1)
    assert Counter(held["class"]) == {"a": 2, "b": 2, "c": 1}


def test_names_tell_where_a_csv_has_no_groups(tmp_path):
    """Clips of one recording are held out together, or not at all."""
    index = ucf101().query("list1 == 'train'")
    file = tmp_path / "lists.csv"
    file.write_text("video,class,split\n" + "".join(f"{row.path},{row[2]},train\n" for row in index.itertuples()))
    held = validation.held_out(index, "list1", Source("csv", "videos", str(file)), 0.25)
    assert set(Counter(held["group"]).values()) == {4}
