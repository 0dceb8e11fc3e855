"""Tests of lists that are drawn."""

import tempfile
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from listed import put

from dtkd.common.errors import DtkdError
from dtkd.data.datasets import Source, index


def test_lists_depend_on_what_they_should(folders):
    base = index(Source("folders", folders))
    more = index(Source("folders", folders, lists=5))
    pd.testing.assert_frame_equal(base, more[base.columns])
    assert not base["list1"].equals(index(Source("folders", folders, seed=1))["list1"])
    assert (index(Source("folders", folders, test_fraction=0.5))["list1"] == "test").sum() == 30
    put(folders, {"a/new.mp4": "x"})
    grown = index(Source("folders", folders))
    other = grown[grown["class"] != "a"].reset_index(drop=True)
    pd.testing.assert_frame_equal(other, base[base["class"] != "a"].reset_index(drop=True))


@given(
    sizes=st.lists(st.lists(st.integers(0, 3), min_size=2, max_size=6), min_size=1, max_size=4),
    fraction=st.floats(0.01, 0.99),
    seed=st.integers(0, 99),
    shared=st.booleans(),
)
@settings(max_examples=40, deadline=None)
def test_every_draw_is_fair(sizes, fraction, seed, shared):
    """Whatever the groups: train and test videos of every class and no group on both sides, or a clear refusal."""
    with tempfile.TemporaryDirectory() as root:
        files = {
            f"class{label}/{'' if shared else label}g{group}_{clip}.avi": "x"
            for label, groups in enumerate(sizes)
            for group, clips in enumerate(groups)
            for clip in range(clips)
        }
        put(Path(root), files)
        source = Source("folders", root, group_pattern="/(.*)_", test_fraction=fraction, seed=seed, lists=2)
        few = any(sum(clips > 0 for clips in groups) < 2 for groups in sizes)
        try:
            videos = index(source)
        except DtkdError:
            if few or shared:
                return
            raise
    group = videos["video"].str.rpartition("_")[0]
    for column in ("list1", "list2"):
        assert (videos.groupby("class")[column].nunique() == 2).all()
        assert (videos.groupby(group)[column].nunique() == 1).all()


@pytest.mark.parametrize(("pattern", "scope"), [("(p[0-9]+)_", "everyone"), ("(?P<group>./p[0-9]+)(_)", "own class")])
def test_groups_stay_together(folders, pattern, scope):
    videos = index(Source("folders", folders, group_pattern=pattern))
    person = videos["video"].str[:3] if scope == "everyone" else videos["path"].str[:5]
    for column in ("list1", "list2", "list3"):
        assert (videos.groupby(person)[column].nunique() == 1).all()
        assert (videos.groupby("class")[column].value_counts().unstack()["test"] == 6).all()
