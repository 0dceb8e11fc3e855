"""Small pictures of videos: of the right frames, and made once."""

import os

import cv2
import numpy as np
import pandas as pd
import pytest
from conftest import draw
from numbered import build, number

from dtkd.data import thumbnails, video
from dtkd.data.video_info import VideoInfo, infos


@pytest.mark.parametrize("case", ["plain.mp4", "mpeg1.mpg", "fragments.mp4"])
def test_pictures_are_of_frames_spread_over_the_video(tmp_path, case):
    """Whatever its key frames; a frame's number can be read from its small picture."""
    path = build(case, tmp_path).path
    known = video.info(path)
    pictures = thumbnails.of_video(path, known)
    assert pictures.shape == (9, 16, 16, 3)
    assert pictures.dtype == np.uint8
    expected = np.linspace(0, known.frames - 1, 9).astype(int).tolist()
    assert [number(picture) for picture in pictures] == expected == thumbnails.numbers(known)


def test_only_what_lies_behind_a_key_frame_is_decoded(tmp_path, monkeypatch):
    """Every run starts where decoding can start, so that a long video costs no more than a few groups of frames."""
    asked = []
    blank = np.zeros((16, 16, 3), np.uint8)
    monkeypatch.setattr(video, "read_bgr", lambda path, indices, known: asked.append(list(indices)) or
                        [blank for _ in indices])  # fmt: skip
    thumbnails.of_video("long.mp4", VideoInfo(8001, 25.0, 64, 48, keys=tuple(range(50, 8000, 50))))
    assert asked == [[1000 * k] for k in range(9)]
    asked.clear()
    thumbnails.of_video("short.mp4", VideoInfo(81, 25.0, 64, 48))
    assert asked == [[10 * k for k in range(9)]]


def test_seconds_are_the_frames_own():
    varying = VideoInfo(9, 4.0, 64, 48, times=tuple(float(t) ** 2 / 10 for t in range(9)))
    steady, silent = VideoInfo(17, 10.0, 64, 48), VideoInfo(17, 0.0, 64, 48)
    assert thumbnails.seconds([varying, steady, silent]).tolist() == [
        [t**2 / 10 for t in range(9)],
        [t / 5 for t in range(9)],
        [2 * t / 25 for t in range(9)],
    ]


@pytest.fixture
def index(tmp_path):
    paths = [draw(tmp_path / f"{seed}.avi", seed=seed).name for seed in range(3)]
    return indexed(tmp_path, paths)


def indexed(root, paths):
    rows = [{"path": path, "bytes": os.stat(root / path).st_size, "mtime_ns": os.stat(root / path).st_mtime_ns}
            | vars(video.info(root / path)) for path in paths]  # fmt: skip
    return pd.DataFrame(rows)


def test_pictures_are_kept_until_the_video_changes(tmp_path, index, monkeypatch):
    kept, made = tmp_path / "thumbnails.parquet", []
    real = thumbnails.of_video
    monkeypatch.setattr(thumbnails, "of_video", lambda path, known: made.append(path.name) or real(path, known))
    first = thumbnails.of_videos(tmp_path, index, infos(index), kept, threads=2)
    assert sorted(made) == ["0.avi", "1.avi", "2.avi"]
    again = thumbnails.of_videos(tmp_path, index, infos(index), kept)
    assert len(made) == 3
    assert (first == again).all()
    draw(tmp_path / "1.avi", seed=9)
    index = indexed(tmp_path, ["2.avi", "1.avi"])
    changed = thumbnails.of_videos(tmp_path, index, infos(index), kept)
    assert made[3:] == ["1.avi"]
    assert (changed[0] == first[2]).all()
    assert (changed[1] != first[1]).any()


def test_a_damaged_store_is_made_anew(tmp_path, index):
    kept = tmp_path / "thumbnails.parquet"
    first = thumbnails.of_videos(tmp_path, index, infos(index), kept)
    kept.write_bytes(kept.read_bytes()[:100])
    assert (thumbnails.of_videos(tmp_path, index, infos(index), kept) == first).all()
    pd.DataFrame({"another": [1]}).to_parquet(kept)
    assert (thumbnails.of_videos(tmp_path, index, infos(index), kept) == first).all()


def test_progress_is_told_of_videos_that_are_decoded(tmp_path, index):
    totals = []

    def progress(iterable, total):
        totals.append(total)
        return iterable

    for _ in range(2):
        thumbnails.of_videos(tmp_path, index, infos(index), tmp_path / "kept.parquet", progress=progress)
    assert totals == [3]


def test_colours_are_bgr_and_areas_are_averaged(tmp_path):
    frame = np.zeros((32, 64, 3), np.uint8)
    frame[:, ::2] = (200, 100, 0)
    writer = cv2.VideoWriter(str(tmp_path / "a.avi"), cv2.VideoWriter_fourcc(*"FFV1"), 25.0, (64, 32))
    for _ in range(3):
        writer.write(frame)
    writer.release()
    pictures = thumbnails.of_video(tmp_path / "a.avi", video.info(tmp_path / "a.avi"))
    assert np.abs(pictures.reshape(-1, 3).astype(int) - (100, 50, 0)).max() <= 2
