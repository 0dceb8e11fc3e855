"""Tests of what is not used, and nobody would notice."""

import os
from pathlib import Path

import pytest
from listed import put

from dtkd.data.datasets import Source
from dtkd.data.unlisted import passed_over


def test_files_that_folders_pass_over(folders):
    source = Source("folders", folders)
    assert passed_over(source) == (
        f"{folders}: passes over 1 file with another suffix (.txt: 1), such as a/notes.txt; to use one, end its name "
        "in one of .avi .mp4 .mkv .mov .webm .mpg .mpeg .m4v .wmv and put it directly into its class's folder, or list "
        "it in a CSV file (format: csv)"
    )
    (folders / "a/notes.txt").unlink()
    assert passed_over(source) is None, "neither hidden files nor others beside the class folders"
    put(folders, dict.fromkeys(["b/1.MTS", "a/2.mts", "a/3", "c/day/b/4.mp4", "c/day/4.txt", "c/day/._4.mp4"], "x"))
    put(folders, dict.fromkeys(["5.avi", "c/.trash/6.avi"], "x"))
    (folders / "c/day" / os.fsdecode(b"\xff.avi")).write_bytes(b"x")
    told = passed_over(source)
    assert "passes over 3 files with other suffixes (.mts: 2, none: 1), such as a/2.mts, and 3 videos not " in told
    assert "not directly in a class's folder, such as 5.avi; to use one" in told
    (folders / "5.avi").unlink()
    (folders / "c/day/b/4.mp4").unlink()
    assert r"1 video not directly in a class's folder, such as 'c/day/\udcff.avi'" in passed_over(source)


def test_videos_that_no_ucf101_list_names(small):
    put(Path(small.videos), {"Run/notes.txt": "x", "Run/._v 0.avi": "x", "Walk/notes.txt": "x"})
    assert passed_over(small) == (
        f"{small.videos}: passes over 2 videos that no list names, such as Jump/v 1.avi; to use them, add them to "
        f"{small.annotations}"
    )
    put(Path(small.videos), {"Walk/1.avi": "x"})
    assert ", and 1 folder of videos that is no class of the lists, such as Walk; " in passed_over(small)


def test_a_class_that_has_lost_its_hmdb51_lists(small_hmdb51):
    """A class is there if it has lists: without them it is gone, and no error can tell."""
    videos = Path(small_hmdb51.videos)
    (videos / "sword/2 [x]!.avi").unlink()
    Path(small_hmdb51.annotations).rename(videos / "lists")
    inside = Source("hmdb51", videos, videos / "lists")
    put(videos / "lists", {"explained.avi": "x"})
    assert passed_over(inside) is None
    (videos / "lists/sword_test_split1.txt").unlink()
    assert passed_over(inside) == (
        f"{videos}: passes over 1 folder of videos that is no class of the lists, such as sword; to use them, add them "
        f"to {videos}/lists"
    )


def test_videos_that_no_csv_names(table):
    """Only beside those that it names: the folder may hold anything else."""
    assert passed_over(table) is None
    put(Path(table.videos), {"wave/9.mp4": "x", "wave/9.txt": "x", "elsewhere/9.mp4": "x"})
    assert passed_over(table) == (
        f"{table.videos}: passes over 1 video that no list names, such as wave/9.mp4; to use them, add them to "
        f"{table.annotations}"
    )


@pytest.mark.parametrize("dataset", ["ucf101", "hmdb51"])
def test_the_official_datasets_leave_nothing(dataset, request):
    assert passed_over(request.getfixturevalue(dataset)) is None
