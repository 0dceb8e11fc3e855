"""Tests of folders of videos without lists."""

import os

import pandas as pd
from listed import put, refusal

from dtkd.data.datasets import Source, counts, index, videos_by_class


def test_folders(folders):
    source = Source("folders", folders)
    assert list(videos_by_class(source)) == ["a", "b", "c"]
    assert {len(paths) for paths in videos_by_class(source).values()} == {20}
    videos = index(source)
    assert list(videos.columns[4:7]) == ["list1", "list2", "list3"]
    assert counts(videos)[["train", "test"]].values.tolist() == [[42, 18]] * 3
    assert (videos.groupby("class")["list1"].value_counts().unstack()["test"] == 6).all()
    assert (videos[["list1", "list2", "list3"]] == "test").sum(axis=1).max() == 1  # the test sets do not overlap
    pd.testing.assert_frame_equal(videos, index(source))


def test_folders_refusals(folders):
    no_match = Source("folders", folders, group_pattern="q(.)")
    assert "group_pattern: 'q(.)' finds no group in a/p00_0.MP4" in refusal(no_match)
    assert "class a has one group only" in refusal(Source("folders", folders, group_pattern="(.)/"))
    put(folders, {"d/1.avi": "x"})
    assert "class d has one video only" in refusal(Source("folders", folders))
    put(folders, {"e/x.txt": "x"})
    assert refusal(Source("folders", folders), videos_by_class).endswith(
        "/e: no videos (.avi .mp4 .mkv .mov .webm .mpg .mpeg .m4v .wmv) in this class folder, but 1 file with another "
        "suffix, such as x.txt; end their names so, or move the folder out of `videos`"
    )
    put(folders, {"e/day 1/x.mp4": "x"})
    assert refusal(Source("folders", folders), videos_by_class).endswith(
        "in this class folder, but 1 video in a deeper folder, such as e/day 1/x.mp4; put them directly here, or list "
        "them in a CSV file (format: csv)"
    )
    (folders / "e" / os.fsdecode(b"\xff.avi")).write_bytes(b"x")
    assert "is not UTF-8; rename it" in refusal(Source("folders", folders), videos_by_class)
    assert "no class folders here" in refusal(Source("folders", folders / "a"), videos_by_class)
