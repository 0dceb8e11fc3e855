"""Tests of HMDB51's lists: the official ones, and every refusal."""

from pathlib import Path

import pytest
from listed import put, refusal

from dtkd.data.datasets import Source, counts, index, videos_by_class


def test_hmdb51_index(hmdb51):
    videos = index(hmdb51)
    assert len(videos) == 6766
    assert sorted(set(videos["class"])) == list(videos["class"].drop_duplicates())
    assert {"draw_sword", "sword", "shoot_ball", "climb_stairs", "climb"} <= set(videos["class"])
    for column in ("list1", "list2", "list3"):
        assert videos[column].value_counts().to_dict() == {"train": 3570, "test": 1530, "unused": 1666}


def test_hmdb51_lists(small_hmdb51):
    videos = index(small_hmdb51)
    assert videos["path"].tolist() == [
        "draw_sword/0 [x]!.avi", "draw_sword/1 [x]!.avi", "draw_sword/2 [x]!.avi",
        "sword/0 [x]!.avi", "sword/1 [x]!.avi",
    ]  # fmt: skip
    assert videos["label"].tolist() == [0, 0, 0, 1, 1]
    assert videos["list1"].tolist() == ["train", "test", "unused", "train", "test"]
    assert counts(videos).values.tolist() == [[1, "overall", 2, 2, 2, 4]]


@pytest.mark.parametrize(("file", "text", "expected"), [
    ("sword_test_split1.txt", "a.avi 1 \nb.avi 3 \n", "sword_test_split1.txt, line 2: id '3' of 'b.avi' is unknown"),
    ("sword_test_split1.txt", "a.avi -1\n", "id '-1' of 'a.avi' is unknown"),
    ("sword_test_split1.txt", "a.avi\n", "line 1: 'a.avi' should be '<video> <id>'"),
    ("sword_test_split1.txt", "../a.avi 1\n", "line 1: '../a.avi' must be a relative path"),
    ("sword_test_split1.txt", "/a.avi 1\n", "line 1: '/a.avi' must be a relative path"),
    ("sword_test_split1.txt", "x/a.avi 1\n", "should be '<video> <id>', a file name"),
    ("sword_test_split1.txt", "a.avi 1\na.avi 2\n", "line 2: sword/a.avi is test here and train on line 1"),
    ("sword_test_split1.txt", "a.avi 1\na.avi 1\n", "line 2: sword/a.avi is listed twice"),
    ("sword_test_split1.txt", "\n", "sword_test_split1.txt: the list is empty"),
    ("sword_test_split1.txt", "a.avi 1\n", "class sword has no test video in list 1"),
    ("sword_test_split2.txt", "a.avi 1\n", "draw_sword_test_split2.txt is missing"),
])  # fmt: skip
def test_hmdb51_refusals(small_hmdb51, file, text, expected):
    put(Path(small_hmdb51.annotations), {file: text})
    assert expected in refusal(small_hmdb51, videos_by_class)


def test_hmdb51_wrong_folder(small_hmdb51):
    assert "no <class>_test_split1.txt here" in refusal(Source("hmdb51", small_hmdb51.videos, small_hmdb51.videos))
