"""Tests of dtkd.data.datasets: the official lists, the traps in them, and every refusal."""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import official
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import dtkd
from dtkd.common.errors import DtkdError
from dtkd.data import published
from dtkd.data.datasets import (
    _READERS,
    _SCENES,
    Source,
    check_scenes,
    counts,
    index,
    passed_over,
    video_name,
    videos_by_class,
)

PROJECT = Path(__file__).parents[2]
REAL = PROJECT.parent / "shared" / "annotations"


@pytest.fixture(scope="module")
def ucf101(tmp_path_factory):
    return Source("ucf101", *official.write_ucf101(tmp_path_factory.mktemp("ucf101")))


@pytest.fixture(scope="module")
def hmdb51(tmp_path_factory):
    return Source("hmdb51", *official.write_hmdb51(tmp_path_factory.mktemp("hmdb51")))


def put(root: Path, files: dict[str, str | bytes]) -> None:
    """Write small files, text as it is."""
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(text if isinstance(text, bytes) else text.encode())


def refusal(source: Source, function=index) -> str:
    """The one line a user gets."""
    with pytest.raises(DtkdError) as caught:
        function(source)
    message = str(caught.value)
    assert "\n" not in message
    return message


# The official datasets


@pytest.mark.parametrize("dataset", ["ucf101", "hmdb51"])
def test_table_2(dataset, request):
    """All 72 cells: 9 rows x (train, test, total, classes) x 2 datasets."""
    videos = index(request.getfixturevalue(dataset))
    paper = published.table(2).query("dataset == @dataset")
    subsets = dict.fromkeys(videos["class"], "dynamic") | dict.fromkeys(published.static_classes(dataset), "static")
    table = counts(videos, subsets)
    assert table.shape == (9, 6)
    pd.testing.assert_frame_equal(table, paper[list(table.columns)].reset_index(drop=True))
    pd.testing.assert_frame_equal(counts(videos), table.query("subset == 'overall'").reset_index(drop=True))


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


def test_hmdb51_index(hmdb51):
    videos = index(hmdb51)
    assert len(videos) == 6766
    assert sorted(set(videos["class"])) == list(videos["class"].drop_duplicates())
    assert {"draw_sword", "sword", "shoot_ball", "climb_stairs", "climb"} <= set(videos["class"])
    for column in ("list1", "list2", "list3"):
        assert videos[column].value_counts().to_dict() == {"train": 3570, "test": 1530, "unused": 1666}


def test_videos_by_class_reads_lists_only(ucf101, tmp_path):
    """The workflow's question needs no video, no pandas, and little time."""
    _, annotations = official.write_ucf101(tmp_path, create_videos=False)
    listed = videos_by_class(Source("ucf101", tmp_path / "nowhere", annotations))
    assert listed == videos_by_class(ucf101)
    assert sum(map(len, listed.values())) == 13320
    assert all(paths == sorted(paths) for paths in listed.values())
    assert list(listed) == list(official.ucf101_clips())
    code = (
        "import sys, time; from dtkd.data.datasets import Source, videos_by_class\n"
        f"source = Source('ucf101', 'nowhere', {str(annotations)!r})\n"
        "start = time.process_time(); videos_by_class(source); assert time.process_time() - start < 0.5\n"
        "assert not {'pandas', 'numpy', 'sklearn', 'torch', 'pydantic'} & set(sys.modules)"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(dtkd.__file__).parents[1])}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)


@pytest.mark.skipif(not REAL.is_dir(), reason="the official lists are not here")
def test_fixture_is_the_official_lists(ucf101, hmdb51):
    names = sorted(path.name for path in Path(ucf101.annotations).iterdir())
    assert names == sorted(path.name for path in (REAL / "ucf101").iterdir())
    for name in names:
        assert (Path(ucf101.annotations) / name).read_bytes() == (REAL / "ucf101" / name).read_bytes()
    real = videos_by_class(Source("hmdb51", "nowhere", REAL / "hmdb51"))
    made_up = videos_by_class(hmdb51)
    assert list(real) == list(made_up)
    assert [len(paths) for paths in real.values()] == [len(paths) for paths in made_up.values()]


# UCF101's lists


@pytest.fixture
def small(tmp_path):
    """Two classes with four videos each, one list, in the UCF101 format."""
    put(
        tmp_path,
        {
            **{f"videos/{name}/v {number}.avi": "x" for name in ("Jump", "Run") for number in range(4)},
            "lists/classInd.txt": "1 Run\n2 Jump\n",
            "lists/trainlist01.txt": "Run/v 0.avi 1\nRun/v 1.avi 1\nJump/v 0.avi 2\n",
            "lists/testlist01.txt": "Run/v 2.avi\nJump/v 2.avi\nJump/v 3.avi\n",
        },
    )
    return Source("ucf101", tmp_path / "videos", tmp_path / "lists")


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


# Files


def test_all_missing_videos_are_reported_at_once(small):
    videos = Path(small.videos)
    for name in ("Run/v 1.avi", "Jump/v 0.avi", "Jump/v 2.avi", "Jump/v 3.avi"):
        (videos / name).unlink()
    message = refusal(small)
    assert f"{videos}: 4 of 6 videos are missing: Run/v 1.avi, Jump/v 0.avi, Jump/v 2.avi and 1 more" in message
    assert f"Run/v 1.avi is named in {Path(small.annotations) / TRAIN} line 2" in message
    assert "correct the lists or `videos`" in message
    assert len(videos_by_class(small)) == 2


def test_missing_videos_are_hinted_at(small):
    videos = Path(small.videos)
    (videos / "Run" / "v 1.avi").rename(videos / "Run" / "V 1.avi")
    assert "1 of 6 videos is missing: Run/v 1.avi (did you mean V 1.avi?);" in refusal(small)
    (videos / "Run" / "V 1.avi").rename(videos / "Run" / "v 1.mp4")
    assert "Run/v 1.avi (did you mean v 1.mp4?);" in refusal(small)
    (videos / "Run" / "v 1.mp4").rename(videos / "Run" / "v 1.avi")
    (videos / "Jump").rename(videos / "JUMP")
    assert "3 of 6 videos are missing: Jump/v 0.avi (did you mean JUMP?), " in refusal(small)
    (videos / "JUMP").rename(videos.parent / "JUMP")
    assert "Jump/v 0.avi (there is no folder Jump), " in refusal(small)


def test_no_videos_folder(small):
    source = Source("ucf101", Path(small.videos) / "none", small.annotations)
    assert "there is no such folder; correct `videos`" in refusal(source)


def test_folders_and_broken_links_are_no_videos(small):
    videos = Path(small.videos)
    (videos / "Run" / "v 0.avi").rename(videos / "Run" / "real.avi")
    (videos / "Run" / "v 0.avi").symlink_to("real.avi")
    assert len(index(small)) == 6
    (videos / "Run" / "real.avi").unlink()
    (videos / "Run" / "v 1.avi").unlink()
    (videos / "Run" / "v 1.avi").mkdir()
    assert "2 of 6 videos are missing: Run/v 0.avi, Run/v 1.avi;" in refusal(small)


def test_a_changed_video_shows(small):
    before = index(small).set_index("path")
    put(Path(small.videos), {"Run/v 1.avi": "longer"})
    os.utime(Path(small.videos) / "Run" / "v 1.avi", ns=(5, 7))
    after = index(small).set_index("path")
    assert after.loc["Run/v 1.avi", ["bytes", "mtime_ns"]].tolist() == [6, 7]
    pd.testing.assert_frame_equal(before.drop("Run/v 1.avi"), after.drop("Run/v 1.avi"))


# HMDB51's lists


@pytest.fixture
def small_hmdb51(tmp_path):
    put(
        tmp_path,
        {
            **{f"videos/{name}/{number} [x]!.avi": "x" for name in ("draw_sword", "sword") for number in range(3)},
            "lists/draw_sword_test_split1.txt": "0 [x]!.avi 1 \n1 [x]!.avi 2 \n2 [x]!.avi 0 \n",
            "lists/sword_test_split1.txt": "0 [x]!.avi 1 \r\n1 [x]!.avi 2 \r\n",
            "lists/class_list.txt": "anything",
        },
    )
    return Source("hmdb51", tmp_path / "videos", tmp_path / "lists")


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


# CSV


@pytest.fixture
def table(tmp_path):
    names = ["wave/1.mp4", "wave/2.mp4", "wave/3.mp4", "monday/1.mp4", "monday/a, b.mp4"]
    put(
        tmp_path,
        {f"videos/{name}": "x" for name in names}
        | {
            "table.csv": (
                "\ufeffvideo, class, split, split3, note\r\n"
                "wave/1.mp4,wave,train,test,\r\n./wave/2.mp4, wave ,test,train,\r\n\r\n,,,,\r\n"
                "wave/3.mp4,wave,unused,train,?\r\n"
                'monday/1.mp4,bow,train,train,\r\n"monday/a, b.mp4",bow,test,test,\r\n'
            )
        },
    )
    return Source("csv", tmp_path / "videos", tmp_path / "table.csv")


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


# Class folders


@pytest.fixture
def folders(tmp_path):
    """3 classes of 10 people with 2 clips each, and things that are no videos."""
    clips = [f"p{person:02d}_{take}.MP4" for person in range(10) for take in (0, 1)]
    put(tmp_path, {f"{name}/{clip}": "x" for name in "cab" for clip in clips})
    put(tmp_path, {"a/.hidden.mp4": "x", "a/notes.txt": "x", ".git/x.mp4": "x", "readme.md": "x"})
    return tmp_path


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


@pytest.mark.parametrize(("pattern", "scope"), [("(p[0-9]+)_", "everyone"), ("(?P<group>./p[0-9]+)(_)", "own class")])
def test_groups_stay_together(folders, pattern, scope):
    videos = index(Source("folders", folders, group_pattern=pattern))
    person = videos["video"].str[:3] if scope == "everyone" else videos["path"].str[:5]
    for column in ("list1", "list2", "list3"):
        assert (videos.groupby(person)[column].nunique() == 1).all()
        assert (videos.groupby("class")[column].value_counts().unstack()["test"] == 6).all()


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


# Clips of one scene


SCENES = {
    "UCF101": "Run/v_Run_g{scene:02d}_c{clip:02d}.avi",
    "HMDB51": "kick/My_film_{scene}_kick_f_cm_np1_ri_med_{clip}.avi",
    "KTH": "boxing/person{scene:02d}_boxing_d{clip}_uncomp.avi",
    "clips cut from YouTube": "abseiling/0347Z-_XyP{scene}_{clip:06d}_{clip:06d}.mp4",
}


def named(known, scenes, clips):
    """Videos of two classes whose names are like those of a data set."""
    return [
        re.sub("Run|kick|boxing|abseiling", name, SCENES[known]).format(scene=scene, clip=clip)
        for name in ("Run", "jump") for scene in range(1, scenes + 1) for clip in range(1, clips + 1)
    ]  # fmt: skip


@pytest.mark.parametrize("known", SCENES)
@pytest.mark.parametrize("others", [[], ["Run/1.avi", "Run/2.avi", "Jump/2.avi", "Jump/3.avi"]])
def test_scenes_that_names_tell_of(known, others, tmp_path):
    """They are not parted without a word; with the pattern that is offered, each is on one side."""
    paths = [*named(known, 5, 3), *others]
    with pytest.raises(DtkdError) as caught:
        check_scenes("videos", paths)
    message = str(caught.value)
    assert message.startswith(f"videos: by their names, such as {paths[0]} (like those of {known}), 30 videos show a ")
    assert message.endswith("'`, or say `group_pattern: none` if they are none")
    put(tmp_path, dict.fromkeys(paths, "x"))
    videos = index(Source("folders", tmp_path, group_pattern=message.split("'")[1]))
    scenes = videos["path"].str.extract(r"(/v_\w+_g\d\d|My_film_\d_[A-Za-z]+|person\d\d|XyP\d)(?=_)")[0].dropna()
    assert len(scenes) == 30
    for column in ("list1", "list2", "list3"):
        assert (videos.loc[scenes.index].groupby(scenes)[column].nunique() == 1).all()
        assert set(videos[column]) == {"train", "test"}


@pytest.mark.parametrize("paths", [
    named("UCF101", 9, 1),  # one clip a scene
    ["a/1.avi", "a/2.avi"], ["a/talk_c1.avi", "a/talk_c2.avi"], ["a/g1_c1.avi", "a/g1_c2.avi"],
    ["a/my_film_1.avi", "a/my_film_2.avi"], ["a/person01_1.avi", "a/person01_2.avi"], ["a/000001_000002.mp4"] * 2,
])  # fmt: skip
def test_names_that_tell_nothing(paths):
    check_scenes("videos", paths)


@pytest.mark.skipif(not REAL.is_dir(), reason="the official lists are not here")
@pytest.mark.parametrize("known", ["UCF101", "HMDB51"])
def test_names_tell_what_the_official_lists_keep_together(known):
    scene, rest = _SCENES[known]
    read = _READERS[known.lower()](Source(known.lower(), "nowhere", REAL / known.lower()))
    for entries in read.lists.values():
        sides = {}
        for path, (side, _, _) in entries.items():
            sides.setdefault((read.classes[path], re.search(f"/({scene}){rest}", path)[1]), set()).add(side)
        assert len(sides) > 1500
        assert all(len(own - {"unused"}) < 2 for own in sides.values())


# What is not used, and nobody would notice


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


# Settings and counts


@pytest.mark.parametrize(("settings", "expected"), [
    ({"format": "ucf"}, "format: 'ucf' is unknown; choose one of ucf101, hmdb51, folders, csv"),
    ({"format": "csv"}, "annotations: format csv needs it: a CSV file"),
    ({"format": "folders", "annotations": "x"}, "annotations: format folders draws its own lists"),
    ({"format": "csv", "annotations": "x", "group_pattern": "(x)"}, "group_pattern: format csv has its own lists"),
    ({"format": "folders", "group_pattern": "x"}, "needs parentheses"),
    ({"format": "folders", "group_pattern": "(x"}, "is no regular expression"),
    ({"format": "folders", "lists": 0}, "lists: must be at least 1"),
    ({"format": "folders", "test_fraction": 1.0}, "test_fraction: must lie between 0 and 1"),
])  # fmt: skip
def test_source_refusals(settings, expected):
    with pytest.raises(DtkdError) as caught:
        Source(videos="videos", **settings)
    assert expected in str(caught.value)


@pytest.mark.parametrize(("subsets", "expected"), [
    ({"Run": "static"}, "class Jump is missing from the subsets"),
    ({"Run": "static", "Jump": "static", "Walk": "static"}, "class Walk is missing from the videos"),
    ({"Run": "static", "Jump": "slow"}, "class Jump has subset 'slow'; choose one of static, dynamic"),
])  # fmt: skip
def test_counts_refusals(small, subsets, expected):
    with pytest.raises(DtkdError) as caught:
        counts(index(small), subsets)
    assert expected in str(caught.value)


def test_counts_of_an_empty_subset(small):
    table = counts(index(small), {"Run": "static", "Jump": "static"})
    assert table.values.tolist() == [
        [1, "overall", 2, 3, 3, 6], [1, "dynamic", 0, 0, 0, 0], [1, "static", 2, 3, 3, 6]
    ]  # fmt: skip


# Anything at all in a list


LINES = st.lists(
    st.one_of(
        st.text(max_size=20),
        st.tuples(
            st.sampled_from(["Run/", "Jump/", "run/", "../", "/", "", "Run\\"]),
            st.sampled_from(["a", "b c", "..", "v\u2028", "é", " x", "{cls}", "<r>", "\x85", "$(x)", "a" * 300]),
            st.sampled_from([".avi", ".MP4", "", "/x.avi"]),
            st.sampled_from(["", " 1", " 2", "\t2 ", " 0", " 1 ", ",Run,train", ",Jump,test", '"']),
        ).map("".join),
    ),
    max_size=6,
)


@pytest.mark.parametrize("format", ["ucf101", "hmdb51", "csv"])
@given(lines=LINES, tail=st.booleans(), ending=st.sampled_from(["\n", "\r\n", "\r"]), data=st.binary(max_size=8))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_list_is_read_or_refused(format, lines, tail, ending, data, tmp_path):
    """Either DtkdError, or videos that the text names, inside the root, each under one class."""
    text = ending.join(lines) + (ending if tail else "")
    raw = text.encode() + (data if len(lines) == 1 else b"")
    good = {
        "ucf101": (
            "trainlist01.txt",
            {"classInd.txt": "1 Run\n2 Jump\n", "testlist01.txt": "Run/t.avi\nJump/t.avi\n"},
            b"Run/t2.avi 1\nJump/t2.avi 2\n",
        ),
        "hmdb51": ("Run_test_split1.txt", {"Jump_test_split1.txt": "t.avi 1\nt2.avi 2\n"}, b"t.avi 1\nt2.avi 2\n"),
        "csv": ("list.csv", {}, b"video,class,split\nr.avi,Run,train\ns.avi,Run,test\n"),
    }
    name, others, start = good[format]
    put(tmp_path, {**others, name: start + raw})
    source = Source(format, "videos", tmp_path / name if format == "csv" else tmp_path)
    classes, problem = {}, ""
    try:
        classes = videos_by_class(source)
    except DtkdError as error:
        problem = str(error)
    assert "\n" not in problem
    paths = [path for paths in classes.values() for path in paths]
    assert len(paths) == len(set(paths))
    for path in paths:
        assert not os.path.isabs(path)
        assert os.path.normpath(path) == path
        assert path.split("/")[0] != ".."
        assert path.isprintable()
        assert not set(path) & set("{}<>")
        everything = (start + raw).decode("utf-8-sig") + "".join(others.values())
        assert path.partition("/")[2 if format == "hmdb51" else 0] in everything
