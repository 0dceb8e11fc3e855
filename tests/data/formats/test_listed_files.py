"""Tests of the files that lists name: missing, renamed, changed."""

import os
from pathlib import Path

import pandas as pd
from listed import put, refusal

from dtkd.data.datasets import Source, index, videos_by_class


def test_all_missing_videos_are_reported_at_once(small):
    videos = Path(small.videos)
    for name in ("Run/v 1.avi", "Jump/v 0.avi", "Jump/v 2.avi", "Jump/v 3.avi"):
        (videos / name).unlink()
    message = refusal(small)
    assert f"{videos}: 4 of 6 videos are missing: Run/v 1.avi, Jump/v 0.avi, Jump/v 2.avi and 1 more" in message
    assert f"Run/v 1.avi is named in {small.annotations}/trainlist01.txt line 2" in message
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
