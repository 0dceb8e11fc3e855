"""Proposed lists keep to the signs, are read by `format: csv`, and give up the least sure sign where they must."""

from collections import defaultdict

from dtkd.checks import group_lists
from dtkd.data import datasets

PATHS = [f"{name}/{number}.avi" for name in ("a", "b") for number in range(12)]
CLASSES = [path[0] for path in PATHS]


def proposed(signs, lists=3):
    return group_lists.proposed(PATHS, CLASSES, signs, lists, 0.3, 0)


def test_what_belongs_together_is_on_one_side(tmp_path):
    signs = {"names": [number // 3 for number in range(24)], "places": [*range(20), 18, 19, 18, 19]}
    table, kept = proposed(signs)
    assert kept == ["names", "places"]
    assert list(table.columns) == ["video", "class", "split", "split2", "split3", "group"]
    sides = defaultdict(set)
    for number, row in table.iterrows():
        for sign, groups in signs.items():
            for column in ("split", "split2", "split3"):
                sides[sign, groups[number], column].add(row[column])
    assert all(len(found) == 1 for found in sides.values())
    group_lists.write(tmp_path, table)
    source = datasets.Source("csv", "videos", tmp_path / group_lists.FILE)
    assert datasets.side_counts(source)[1].keys() == {"a", "b"}
    assert {number for number in datasets.side_counts(source)} == {1, 2, 3}


def test_the_least_sure_sign_is_left_out():
    """All of one place: nothing could be tested on."""
    table, kept = proposed({"copies": [number // 2 for number in range(24)], "places": [0] * 24})
    assert kept == ["copies"]
    assert table["group"].nunique() == 12


def test_nothing_to_propose(tmp_path):
    assert proposed({"places": [0] * 24}) is None
    assert proposed({}) is None
    file = tmp_path / group_lists.FILE
    file.write_text("those of an earlier check")
    group_lists.write(tmp_path, None)
    assert not file.exists()
    group_lists.write(tmp_path, None)
