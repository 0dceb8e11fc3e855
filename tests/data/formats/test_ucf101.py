"""Tests of UCF101's lists: the official ones, and every refusal."""

from pathlib import Path

import pandas as pd
import pytest
from listed import put, refusal

from dtkd.data.datasets import Source, index, videos_by_class


def test_ucf101_index(ucf101):
    videos = index(ucf101)
    assert list(videos.columns) == [
        "video", "path", "class", "label", "list1", "list2", "list3", "bytes", "mtime_ns"
    ]  # fmt: skip
    assert videos["path"].is_unique
    assert (videos["bytes"] == 1).all()
    assert (videos["mtime_ns"] > 10**18).all()
    labels = videos.drop_duplicates("class").set_index("class")["label"]
    assert (labels["ApplyEyeMakeup"], labels["HammerThrow"], labels["YoYo"]) == (0, 35, 100)  # unsorted
    first = videos[videos["class"] == "HandstandPushups"].iloc[0]
    assert first["path"] == "HandstandPushups/v_HandStandPushups_g01_c01.avi"
    assert first["video"] == "v_HandStandPushups_g01_c01.avi"
    assert [first["list1"], first["list2"], first["list3"]] == ["test", "train", "train"]


def test_lists_may_be_untidy(small):
    tidy = index(small)
    assert dict(zip(tidy["path"], tidy["list1"], strict=True)) == {
        "Run/v 0.avi": "train", "Run/v 1.avi": "train", "Run/v 2.avi": "test",
        "Jump/v 0.avi": "train", "Jump/v 2.avi": "test", "Jump/v 3.avi": "test",
    }  # fmt: skip
    for file in Path(small.annotations).iterdir():
        text = file.read_text().replace("\n", "  \r\n\r\n")
        file.write_bytes(b"\xef\xbb\xbf\r\n" + text.replace(".avi 1", ".avi\t1").encode())
    pd.testing.assert_frame_equal(index(small), tidy)


def test_video_outside_a_list_is_unused(small):
    put(
        Path(small.annotations),
        {
            "trainlist2.txt": "Run/v 0.avi 1\nJump/v 1.avi 2\n",
            "testlist2.txt": "Run/v 3.avi\nJump/v 0.avi\n",
        },
    )
    videos = index(small).set_index("path")
    assert videos.loc["Jump/v 1.avi", ["list1", "list2"]].tolist() == ["unused", "train"]
    assert videos.loc["Run/v 3.avi", ["list1", "list2"]].tolist() == ["unused", "test"]


TRAIN, TEST = "trainlist01.txt", "testlist01.txt"


@pytest.mark.parametrize(("file", "text", "expected"), [
    (TRAIN, "Run/v 0.avi 1\n../../etc/passwd 1\n", f"{TRAIN}, line 2: '../../etc/passwd' must be a relative path"),
    (TRAIN, "../x.avi 1\n", f"{TRAIN}, line 1: '../x.avi' must be a relative path"),
    (TEST, "/etc/x.avi\n", f"{TEST}, line 1: '/etc/x.avi' must be a relative path"),
    (TEST, "Run/../Jump/x.avi\n", "must be a relative path"),
    (TEST, "Run/..\n", "must be a relative path"),
    (TEST, "Run\\v 2.avi\n", "must be a relative path"),
    (TEST, "Run/v\0.avi\n", "must be a relative path"),
    (TEST, "C:/x.avi\n", "must be a relative path"),
    (TEST, "Run/deep/v.avi\n", "should be '<class>/<video>, without a label'"),
    (TEST, "Run/v 2.avi 1\n", "should be '<class>/<video>, without a label'"),
    (TEST, "v 2.avi\n", f"{TEST}, line 1: 'v 2.avi' should be"),
    (TRAIN, "Run/v 0.avi\n", "should be '<class>/<video> <label>'"),
    (TRAIN, "Run/v 0.avi 1.5\n", "should be '<class>/<video> <label>'"),
    (TRAIN, "Run/v 0.avi " + "9" * 5000, "should be '<class>/<video> <label>'"),
    (TRAIN, "Run/v 0.avi 1\n\nRun/v 1.avi 2\n", f"{TRAIN}, line 3: Run/v 1.avi has label 2, but classInd.txt"),
    (TRAIN, "Walk/v 0.avi 1\n", f"{TRAIN}, line 1: class Walk is not in classInd.txt"),
    (TRAIN, "run/v 0.avi 1\n", "class run is not in classInd.txt (did you mean Run?)"),
    (TRAIN, "Run/v 0.avi 1\nRun/v 0.avi 1\n", f"{TRAIN}, line 2: Run/v 0.avi is listed twice (first on line 1)"),
    (TEST, "Run/v 2.avi\nRun/v 0.avi\n",
     f"{TEST}, line 2: Run/v 0.avi is test here and train on {TRAIN} line 1 of the same list"),
    (TEST, " \r\n\n", f"{TEST}: the list is empty"),
    (TEST, "Run/v 2.avi\n", "class Jump has no test video in list 1"),
    (TRAIN, "Jump/v 0.avi 2\n", "class Run has no train video in list 1"),
    (TEST, b"Run/v\xff.avi\n", f"{TEST}: is not UTF-8 text (byte 5)"),
    ("testlist02.txt", "Run/v 2.avi\n", "trainlist02.txt is missing"),
    ("testlist1.txt", "Run/v 2.avi\n", "are the same list"),
    ("classInd.txt", "1 Run\n", "class Jump is not in classInd.txt"),
    ("classInd.txt", "1 Run\n3 Jump\n", "classInd.txt: the labels must run from 1 to the number of classes (2)"),
    ("classInd.txt", "", "classInd.txt: the labels must run from 1"),
    ("classInd.txt", "1 Run\n1 Jump\n", "classInd.txt, line 2: label 1 or class Jump is given twice"),
    ("classInd.txt", "1 Run\nJump\n", "classInd.txt, line 2: 'Jump' should be '<label> <class>'"),
    ("classInd.txt", "1 Run\n2 ../Jump\n", "classInd.txt, line 2: '../Jump' cannot be a class"),
    ("classInd.txt", "1 Run\n2 Jump,2\n", "classInd.txt, line 2: 'Jump,2' cannot be a class: no { } < > and comma"),
    (TRAIN, "Run/{cls}.avi 1\n", f"{TRAIN}, line 1: 'Run/{{cls}}.avi' has one of {{ }} < >, which stand for wildcards"),
    (TRAIN, f"Run/{'v' * 200}.avi 1\n", "makes a name of more than 200 bytes; shorten it"),
])  # fmt: skip
def test_ucf101_refusals(small, file, text, expected):
    put(Path(small.annotations), {file: text})
    assert expected in refusal(small, videos_by_class)


def test_missing_lists(small):
    (Path(small.annotations) / "classInd.txt").unlink()
    assert "classInd.txt: there is no such file" in refusal(small)
    assert "no trainlist01.txt and testlist01.txt here" in refusal(Source("ucf101", small.videos, small.videos))
    assert "there is no such folder; correct `annotations`" in refusal(Source("ucf101", small.videos, "nowhere"))
    file = Path(small.annotations) / TRAIN
    assert "is a file; `annotations` must be a folder" in refusal(Source("ucf101", small.videos, file))
