"""The short form of stress/fuzz_videos.py, and that its checks can tell."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "stress"))
import fuzz_videos
import numbered
from fuzz_videos import Seen, mistakes, see

from dtkd.data import video


@pytest.fixture
def reader():
    reader = fuzz_videos.Child()
    yield reader
    reader.close()


def test_random_videos_are_read_as_they_were_written(tmp_path, reader):
    outcomes = fuzz_videos.fuzz_files(tmp_path, range(len(fuzz_videos.STRUCTURES)), 3, reader)
    assert outcomes.wrong == {}
    assert outcomes.disputed == {}
    assert list(outcomes.counts) == list(fuzz_videos.STRUCTURES)
    assert list(tmp_path.iterdir()) == []


def test_damaged_videos_are_read_alike_or_refused(tmp_path, reader):
    numbers = range(0, 3 * len(numbered.CASES), 7)
    outcomes = fuzz_videos.fuzz_mutants(tmp_path, numbers, 2, reader)
    assert outcomes.wrong == {}
    total = sum(outcomes.counts.values(), start=fuzz_videos.Counter())
    assert total["files"] == len(numbers)
    assert total["was sound"] > 5
    assert total["was refused"] > 5
    assert total["was sound"] + total["was refused"] == len(numbers)


def test_the_same_seed_gives_the_same_files(tmp_path):
    for make in (fuzz_videos.random_file, fuzz_videos.mutant):
        contents = []
        for name in ("a", "b"):
            (tmp_path / name).mkdir(exist_ok=True)
            made = make(tmp_path / name, 5, 0)[1]
            path = getattr(made, "path", made)
            contents.append((path.name, path.read_bytes()))
        assert contents[0] == contents[1]


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    return numbered.build("h264_b.mp4", tmp_path_factory.mktemp("case"))


def kinds(wrong):
    return {mistake.partition(":")[0] for mistake in wrong}


def test_a_sound_video_has_no_mistakes(case):
    seen = see(case.path, 0, with_flow=True)
    assert mistakes(case, seen) == []
    assert len(seen.windows) == fuzz_videos.WINDOWS + 2
    assert max(indices[0] for indices, _ in seen.windows) > 32  # some are sought


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"numbers": tuple(range(1, 61))}, "frames"),
        ({"numbers": (), "refusal": "truncated"}, "sound"),
        ({"size": (96, 128)}, "size"),
        ({"times": tuple(i / 24 for i in range(60))}, "times"),
    ],
)
def test_what_differs_from_what_is_right_is_a_mistake(case, changes, kind):
    assert kind in kinds(mistakes(replace(case, **changes), see(case.path, 0)))


def test_a_refusal_is_a_mistake_where_it_is_not_right(case):
    seen = Seen(refused="ends early: truncated?")
    assert kinds(mistakes(case, seen)) == {"refused"}
    assert mistakes(replace(case, refusal="truncated"), seen) == []
    assert kinds(mistakes(replace(case, refusal="size"), seen)) == {"refused"}
    assert mistakes(replace(case, numbers=()), seen) == []


def test_a_frame_that_differs_in_a_window_is_told_without_knowing_what_is_right(case, monkeypatch):
    read_bgr = video.read_bgr

    def one_late(path, indices, known):
        yield from read_bgr(path, [min(index + 1, known.frames - 1) for index in indices], known)

    monkeypatch.setattr(video, "read_bgr", one_late)
    [wrong] = see(case.path, 0).wrong
    assert wrong.startswith("frames: ")
    assert "frame 57 of window [57, 58, 59] is 58 in sequence" in wrong


def test_a_frame_less_and_an_error_of_another_kind_are_told(case, monkeypatch):
    grey_frames = video.grey_frames

    def one_less(path, *arguments):
        yield from list(grey_frames(path, *arguments))[1:]

    monkeypatch.setattr(video, "grey_frames", one_less)
    assert "frames: 59 in sequence, but 60 by inspection" in see(case.path, 0).wrong

    def none(path, indices, known):
        raise KeyError(7)
        yield

    monkeypatch.setattr(video, "read_bgr", none)
    assert any(wrong.startswith("error: in_windows: KeyError(7)") for wrong in see(case.path, 0).wrong)


@pytest.mark.parametrize(("ends", "outcome"), [("os._exit(3)", "crash"), ("time.sleep(600)", "hang")])
def test_a_crash_and_a_hang_are_counted(tmp_path, monkeypatch, ends, outcome):
    (tmp_path / "sitecustomize.py").write_text(
        f"import os, time\nfrom dtkd.data import video\n\ndef grey_frames(path):\n    {ends}\n    yield\n\n"
        "video.grey_frames = grey_frames\n"
    )
    library = Path(video.__file__).parents[2]
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{library}")
    monkeypatch.setattr(fuzz_videos, "PATIENCE", 5 if outcome == "hang" else 60)
    case = numbered.build("plain.mp4", tmp_path)
    child = fuzz_videos.Child()
    seen = child.see(case.path, 0)
    assert kinds(mistakes(case, seen)) == {outcome}
    child.close()


def test_the_catalogue_prints_a_row_for_each_case(tmp_path, reader, capsys):
    assert fuzz_videos.catalogue(tmp_path, ["plain.mp4", "half.mp4"], reader) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[1].split() == ["plain.mp4", "60", "60/60", "12/12", "sound", "nothing"]
    assert said[2].split() == ["half.mp4", "refuse", "refused", "nothing"]
