"""What names and times of recording tell of groups, and when they tell nothing."""

import doctest
import os

import av
import numpy as np
import pytest

from dtkd.checks import name_groups
from dtkd.checks.name_groups import by_names, by_numbers, by_times, crossing, start_times
from dtkd.data import datasets
from dtkd.data.video_info import VideoInfo


def test_doctests():
    assert doctest.testmod(name_groups).failed == 0


def files(pattern, groups=6, clips=3, classes=("jump", "run")):
    """Paths of some clips of each group in each class."""
    return [f"{name}/" + pattern.format(cls=name, group=group, clip=clip)
            for name in classes for group in range(1, groups + 1) for clip in range(1, clips + 1)]  # fmt: skip


def classes_of(paths):
    return [path.partition("/")[0] for path in paths]


@pytest.mark.parametrize(("pattern", "of", "first", "number"), [
    ("v_{cls}_g{group:02d}_c{clip:02d}.avi", "group", "jump/v_jump_g01", 12),
    ("person{group:02d}_{cls}_d{clip}.avi", "person", "person01", 6),
    ("S001C00{clip}P00{group}R001A007.avi", "person", "P001", 6),
    ("p{group}_{cls}_s{clip}.mp4", "person", "p1", 6),
    ("Subject-{group} {cls} {clip}.mov", "person", "Subject-1", 6),
    ("{cls}_session{group}_{clip}.mp4", "recording", "session1", 6),
    ("VID_202401{group:02d}_1423{clip}.mp4", "day", "20240101", 6),
    ("2024-01-0{group} {clip}.mp4", "day", "2024-01-01", 6),
    ("trip{group}x_{cls}_f_cm_np1_{clip}.avi", "recording", "jump/trip1x_jump_f_cm_np1", 12),
])  # fmt: skip
def test_usual_names(pattern, of, first, number):
    paths = files(pattern)
    found = by_names(paths, classes_of(paths))
    assert (found.of, found.groups[0], len(set(found.groups))) == (of, first, number)
    assert all(len(set(found.groups[start : start + 3])) == 1 for start in range(0, len(paths), 3))


@pytest.mark.parametrize("pattern", [
    "{group}{clip}.mp4",  # numbers
    "{cls}_{group}{clip}.mp4",  # the class and numbers
    "clip_{group}_take.mp4",
    "IMG_{group}{clip}.mp4",
    "person1_{group}_{clip}x.mp4",  # one for all
])  # fmt: skip
def test_names_that_tell_nothing(pattern):
    paths = files(pattern)
    assert by_names(paths, classes_of(paths)) is None


def test_every_pattern_is_a_group_pattern():
    """As which it is proposed."""
    for _, pattern in name_groups.PATTERNS:
        datasets.Source("folders", "videos", group_pattern=pattern)


def test_one_odd_name_and_there_is_no_pattern():
    paths = [*files("person{group}_{clip}.avi"), "run/another.avi"]
    assert by_names(paths, classes_of(paths)) is None


def test_a_class_with_one_group_cannot_be_divided():
    paths = files("person{group}_{clip}.avi") + [f"sit/person1_{clip}.avi" for clip in range(6)]
    assert by_names(paths, classes_of(paths)) is None


def test_neighbouring_numbers():
    """Numbers that run through all classes: blocks of neighbours, whatever the order of the paths."""
    paths = [f"{'ab'[number % 2]}/{number}.mp4" for number in range(1, 121)]
    paths.sort()
    found = by_numbers(paths, classes_of(paths))
    blocks = {int(path.partition("/")[2].removesuffix(".mp4")): group
              for path, group in zip(paths, found.groups, strict=True)}  # fmt: skip
    assert len(set(found.groups)) == name_groups.BLOCKS
    assert [blocks[number] for number in range(1, 121)] == sorted(found.groups, key=lambda group: int(group[5:]))
    twice = files("{group}{clip}.mp4")
    assert by_numbers(twice, classes_of(twice)) is None, "a number that stands in each class tells no order"
    assert by_numbers(["a/x1.mp4", "b/y2.mp4"] * 20, ["a", "b"] * 20) is None


def times(occasions, videos, seconds=20, pause=10, between=3600):
    return [occasion * between + number * (seconds + pause)
            for occasion in range(occasions) for number in range(videos)]  # fmt: skip


def test_recordings_that_follow_each_other_are_of_one_occasion():
    starts, classes = times(6, 6), ["a", "b", "c"] * 12
    shuffled = np.random.default_rng(0).permutation(36)
    found = by_times([starts[k] for k in shuffled], [20] * 36, [classes[k] for k in shuffled])
    occasions = dict(zip(shuffled.tolist(), found.groups, strict=True))
    assert [occasions[k] for k in range(36)] == [f"occasion{1 + k // 6}" for k in range(36)]


def test_times_that_tell_nothing():
    starts, classes = times(6, 6), ["a", "b", "c"] * 12
    assert by_times(starts, [20] * 36, classes) is None, "in the order of the paths: those of a copy"
    assert by_times(starts[::-1], [20] * 36, classes) is None
    shuffled = np.random.default_rng(0).permutation(36)
    assert by_times([float(k) for k in shuffled], [20] * 36, classes) is None, "all at once"
    assert by_times([1e5 * k for k in shuffled], [20] * 36, classes) is None, "each by itself"
    assert by_times([float("nan"), *map(float, shuffled[1:])], [20] * 36, classes) is None


def test_when_a_recording_began(tmp_path):
    """By the file itself where it says so, else from when it was written."""
    said, silent, old = (tmp_path / name for name in ("said.mp4", "silent.avi", "old.mp4"))
    for path, metadata in ((said, {"creation_time": "2024-01-31T14:23:55Z"}), (silent, {}),
                           (old, {"creation_time": "1904-01-01T00:00:00Z"})):  # fmt: skip
        with av.open(str(path), "w") as file:
            file.metadata.update(metadata)
            stream = file.add_stream("mpeg4", rate=25)
            stream.width = stream.height = 32
            file.mux(stream.encode(av.VideoFrame(32, 32, "yuv420p")))
            file.mux(stream.encode())
        os.utime(path, ns=(0, 2_000_000_000_000_000_000))
    written, info = 2_000_000_000_000_000_000, VideoInfo(50, 25.0, 32, 32)
    for path, start, sure in ((said, 1706711035, True), (silent, 1_999_999_998, False), (old, 1_999_999_998, False)):
        found, told = start_times([path], [written], [info])
        assert (found.tolist(), told) == ([start], sure)
    assert start_times([said, silent], [written] * 2, [info] * 2)[0].tolist() == [1_999_999_998] * 2
    assert np.isnan(name_groups.recorded(tmp_path / "none.mp4"))


def test_crossing():
    assert crossing("aabbcd", ["train", "test", "test", "test", "unused", "train"]) == (1, 3)
