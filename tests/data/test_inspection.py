"""Inspection: every unusable video with its reason; crashes and hangs of a decoder; what is remembered."""

import os
import subprocess

import broken
import numpy as np
import pandas as pd
import pytest
from conftest import draw

from dtkd.common.errors import DtkdError
from dtkd.data import inspection, video
from dtkd.data.video import VideoInfo
from dtkd.motion import flow


def inspect(folder, *names, **options):
    return inspection.inspect(folder, names, folder / "known" / "inspection.parquet", **options)


def test_every_unusable_video_has_its_reason(tmp_path, capfd):
    reasons = broken.unusable(tmp_path)
    sound, found = inspect(tmp_path, *reasons, "missing.avi", threads=2)
    assert sound == {}
    assert found.pop("missing.avi").startswith("cannot be read (No such file")
    assert {name: part for name, part in reasons.items() if part not in found[name]} == {}, found
    assert not any(str(tmp_path) in reason or "\n" in reason or reason[-1] in ".:" for reason in found.values())
    assert capfd.readouterr().err == ""


def test_odd_videos_can_be_used(tmp_path):
    sizes = broken.odd(tmp_path)
    sound, reasons = inspect(tmp_path, *sizes)
    assert reasons == {}
    assert {name: (info.width, info.height) for name, info in sound.items()} == sizes
    assert {info.frames for info in sound.values()} == {broken.FRAMES}
    for name, (width, height) in sizes.items():
        frames = video.read(tmp_path / name, [0, broken.FRAMES - 1])
        assert frames.shape == (2, height, width, 3), name
        motion = flow.video_flow(tmp_path / name)["mean"].to_numpy()
        if name not in ("odd.mkv", "sizes.avi"):
            np.testing.assert_allclose(motion, 2**0.5, atol=0.3, err_msg=name)  # all show the same motion


def test_a_frame_of_8k(tmp_path):
    broken.encode(tmp_path / "8k.avi", "mjpeg", "yuvj420p", [np.zeros((4320, 7680, 3), np.uint8)] * 2)
    assert inspect(tmp_path, "8k.avi") == ({"8k.avi": VideoInfo(2, 25.0, 7680, 4320)}, {})


@pytest.fixture
def unsteady(tmp_path, monkeypatch):
    """Decoders that crash on files called crash* and hang after 5 frames of those called hang*."""
    (tmp_path / "sitecustomize.py").write_text("""
import os, signal, time
from dtkd.data import video

sound = video.scan

def scan(path):
    name = os.path.basename(path)
    if name.startswith("crash"):
        os.kill(os.getpid(), signal.SIGSEGV)
    if name.startswith("hang"):
        time.sleep(1.1)
        yield 5
        time.sleep(600)
    return (yield from sound(path))

video.scan = scan
""")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)


@pytest.mark.parametrize("threads", [1, 3])
def test_a_crash_and_a_hang_are_reasons_and_the_others_go_on(tmp_path, unsteady, threads):
    names = ["1.avi", "crash.avi", "2.avi", "hang.avi", "crash again.avi", "3.avi"]
    for name in names:
        draw(tmp_path / name)
    sound, reasons = inspect(tmp_path, *names, threads=threads, patience=5)
    assert sound == dict.fromkeys(["1.avi", "2.avi", "3.avi"], VideoInfo(12, 25.0, 48, 40))
    assert reasons == {
        "crash.avi": "its decoder crashes at frame 0 or later (SIGSEGV)",
        "hang.avi": "its decoder hangs at frame 5 (silent for 5 s)",
        "crash again.avi": "its decoder crashes at frame 0 or later (SIGSEGV)",
    }


def test_sound_videos_are_inspected_once_and_changed_ones_again(tmp_path, monkeypatch):
    def progress(results, total):
        asked.append(total)
        return results

    asked = []
    for number in range(4):
        draw(tmp_path / f"{number}.avi", seed=number)
    (tmp_path / "3.avi").write_bytes(b"")
    names = [f"{number}.avi" for number in range(4)]
    first = inspect(tmp_path, *names, progress=progress)
    assert inspect(tmp_path, *names, progress=progress) == first, "of no use still"
    os.utime(tmp_path / "1.avi", (5, 5))
    draw(tmp_path / "3.avi", frames=20)
    sound, reasons = inspect(tmp_path, *names, progress=progress)
    assert (sound["3.avi"].frames, reasons) == (20, {})
    assert asked == [4, 1, 2]
    monkeypatch.setattr(subprocess, "Popen", None)  # no child is needed
    assert inspect(tmp_path, *names, progress=progress) == (sound, {})
    assert asked == [4, 1, 2]


@pytest.mark.parametrize("damage", ["half", "other columns", "older form"])
def test_a_damaged_memory_is_none(tmp_path, damage, monkeypatch):
    draw(tmp_path / "1.avi")
    found = inspect(tmp_path, "1.avi")
    file = tmp_path / "known" / "inspection.parquet"
    if damage == "half":
        file.write_bytes(file.read_bytes()[:200])
    elif damage == "other columns":
        pd.DataFrame({"x": [1]}).to_parquet(file)
    else:
        monkeypatch.setattr(inspection, "FORMAT", inspection.FORMAT + 1)
    started = []
    start = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", lambda *args, **options: started.append(1) or start(*args, **options))
    assert inspect(tmp_path, "1.avi") == found
    assert inspect(tmp_path, "1.avi") == found
    assert started == [1]


def test_an_interrupted_inspection_keeps_what_it_has(tmp_path):
    def interrupted(results, total):
        for number, result in enumerate(results):
            if number == 2:
                raise KeyboardInterrupt
            yield result

    names = [f"{number}.avi" for number in range(5)]
    for name in names:
        draw(tmp_path / name)
    with pytest.raises(KeyboardInterrupt):
        inspect(tmp_path, *names, progress=interrupted)
    assert sorted(pd.read_parquet(tmp_path / "known" / "inspection.parquet")["path"]) == names[:2]


INDEX = pd.DataFrame({
    "path": ["a/1.avi", "a/2.avi", "a/3.avi", "b/1.avi", "b/2.avi"], "class": list("aaabb"), "label": [0, 0, 0, 1, 1],
    "list1": ["train", "train", "test", "train", "test"], "list2": ["test", "unused", "train", "test", "train"],
})  # fmt: skip
INFO = VideoInfo(frames=9, fps=25.0, width=48, height=40)


def test_the_index_without_unusable_videos():
    usable = inspection.described(INDEX, dict.fromkeys(["b/2.avi", "b/1.avi", "a/3.avi", "a/1.avi"], INFO))
    assert list(usable["path"]) == ["a/1.avi", "a/3.avi", "b/1.avi", "b/2.avi"]
    assert usable[["frames", "fps", "width", "height"]].drop_duplicates().values.tolist() == [[9, 25.0, 48, 40]]
    listed = inspection.problems(INDEX, {"a/2.avi": 'is empty, "really"'})
    assert listed.values.tolist() == [["a/2.avi", "a", "list1 train, list2 unused", 'is empty, "really"']]
    inspection.check_classes(INDEX, usable, "problems.csv")
    nothing = inspection.problems(INDEX, {})
    assert nothing.to_csv(index=False) == "video,class,lists,reason\n"
    inspection.refuse("videos", nothing, len(INDEX), "problems.csv")


def test_all_unusable_videos_are_refused_at_once():
    listed = inspection.problems(INDEX, dict.fromkeys(INDEX["path"][:4], "is empty"))
    with pytest.raises(DtkdError) as error:
        inspection.refuse("videos", listed, len(INDEX), "problems.csv")
    assert str(error.value) == (
        "videos: 4 of 5 videos cannot be used: a/1.avi (is empty), a/2.avi (is empty), a/3.avi (is empty) and 1 more; "
        "problems.csv lists them all: copy or download them again, take them off the lists, or go on without them "
        "(on_bad_video: skip)"
    )


@pytest.mark.parametrize(("lost", "problem"), [
    ("a/3.avi", "class a has no test video in list1 that can be used (problems.csv says why): fix one"),
    ("a/1.avi", "class a has no test video in list2"),
    ("b/1.avi", "class b has no train video in list1"),
])  # fmt: skip
def test_a_class_that_loses_a_side_is_refused(lost, problem):
    usable = inspection.described(INDEX, {path: INFO for path in INDEX["path"] if path != lost})
    with pytest.raises(DtkdError) as error:
        inspection.check_classes(INDEX, usable, "problems.csv")
    assert problem in str(error.value)
