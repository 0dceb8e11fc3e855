"""Tests of lists in one CSV file."""

from pathlib import Path

import pytest
from listed import refusal

from dtkd.data.datasets import Source, index, video_name, videos_by_class


def test_csv(table):
    videos = index(table)
    assert videos["video"].tolist() == ["monday__1.mp4", "monday__a, b.mp4", "1.mp4", "2.mp4", "3.mp4"]
    assert videos["class"].tolist() == ["bow", "bow", "wave", "wave", "wave"]
    assert videos["label"].tolist() == [0, 0, 1, 1, 1]
    assert videos["list1"].tolist() == ["train", "test", "train", "test", "unused"]
    assert videos["list3"].tolist() == ["train", "test", "test", "train", "train"]
    assert videos_by_class(table) == {
        "bow": ["monday/1.mp4", "monday/a, b.mp4"], "wave": ["wave/1.mp4", "wave/2.mp4", "wave/3.mp4"]
    }  # fmt: skip
    assert video_name("monday/1.mp4", "bow") == "monday__1.mp4"


@pytest.mark.parametrize(("text", "expected"), [
    ("", "table.csv: the file is empty"),
    ("video,class,split\n", "table.csv: no videos below the header"),
    ("video;class;split\n", "table.csv, line 1: no column video; the header needs video,class,split and has"),
    ("video,class,split,Split_2\na.mp4,a,train,x\n", "class a has no test video in list 1"),
    ("video,class,split,split_2\n", "column 'split_2' is unknown; further lists are called split2"),
    ("video,class,split,split2,split2\n", "column 'split2' is there twice"),
    ("video,class,split\na.mp4,a\n", "line 2: 2 fields, but the header has 3"),
    ("video,class,split\na.mp4,a,Train\n", "line 2: split is 'Train'; choose one of train, test, unused"),
    ("video,class,split\n/a.mp4,a,train\n", "line 2: '/a.mp4' must be a relative path"),
    ("video,class,split\n\n../a.mp4,a,train\n", "line 3: '../a.mp4' must be a relative path"),
    ("video,class,split\n\"a\nb.mp4\",a,train\n", "'a\\nb.mp4' must be a relative path"),
    ("video,class,split\n,a,train\n", "line 2: '' must be a relative path"),
    ("video,class,split\na.mp4,,train\n", "line 2: '' cannot be a class"),
    ("video,class,split\na.mp4,../a,train\n", "line 2: '../a' cannot be a class"),
    ("video,class,split\na.mp4,<a>,train\n", "line 2: '<a>' cannot be a class: no { } < > and comma"),
    ("video,class,split\na.mp4,'a',train\n", "and no quote at an end; rename it"),
    (f"video,class,split\na.mp4,{'é' * 101},train\n", "it has more than 200 bytes; shorten it"),
    ("video,class,split\nx/{a}.mp4,a,train\n", "line 2: 'x/{a}.mp4' has one of { } < >"),
    ("video,class,split\na.mp4,a,train\na.mp4,b,train\n", "line 3: a.mp4 is of class b here and of a before"),
    ("video,class,split\na.mp4,a,train\na.mp4,a,test\n", "line 3: a.mp4 is test here and train on line 2"),
    ("video,class,split\na.mp4,a,train\na.mp4,a,train\n", "line 3: a.mp4 is listed twice (first on line 2)"),
    ("video,class,split\nx/a.mp4,a,train\nx__a.mp4,a,test\n", "line 3: x__a.mp4 and x/a.mp4 would have the same name"),
    ("video,class,split,group\na.mp4,a,train,g\nb.mp4,a,test,g\n", "line 3: group 'g' is test here and train on"),
    ("video,class,split\na.mp4,a,\"train\n", "is not valid CSV"),
    ("video,class,split\na.mp4,a,train\nb.mp4,a,test\nb.mp4 ,a,test\n", "line 4: b.mp4 is listed twice"),
])  # fmt: skip
def test_csv_refusals(table, text, expected):
    Path(table.annotations).write_text(text)
    assert expected in refusal(table, videos_by_class)


def test_csv_missing_file_is_named_with_its_line(table):
    (Path(table.videos) / "monday" / "1.mp4").unlink()
    assert f"monday/1.mp4 is named in {table.annotations} line 7" in refusal(table)
    assert "table.csv: cannot be read as a file" not in refusal(Source("csv", table.videos, table.annotations))
    assert "cannot be read as a file" in refusal(Source("csv", table.videos, table.videos))
