"""The short form of stress/fuzz_videos.py, and that its check can tell."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "stress"))
import fuzz_videos

from dtkd import video


def test_damaged_videos_are_decoded_or_refused(tmp_path):
    mutants = 3 * len(fuzz_videos.SOURCES)
    outcomes, wrong = fuzz_videos.run(tmp_path, mutants, seed=2)
    assert wrong == {}
    assert outcomes.total() == mutants
    assert set(outcomes) == {"sound", "refused"}


def test_the_check_finds_what_is_wrong(tmp_path, monkeypatch):
    path = fuzz_videos.broken.encode(tmp_path / "sound.avi", "mjpeg", "yuvj420p")
    assert fuzz_videos.check(path, 0) == ("sound", [])
    grey_frames = video.grey_frames

    def one_less(path, *arguments):
        yield from list(grey_frames(path, *arguments))[1:]
        return 11

    monkeypatch.setattr(video, "grey_frames", one_less)
    outcome, wrong = fuzz_videos.check(path, 0)
    assert outcome == "sound"
    assert [problem.partition(":")[0] for problem in wrong] == ["grey", "flow"]


@pytest.mark.parametrize(("ends", "outcome"), [("os._exit(3)", "crash"), ("time.sleep(600)", "hang")])
def test_a_crash_and_a_hang_are_counted(tmp_path, monkeypatch, ends, outcome):
    (tmp_path / "sitecustomize.py").write_text(
        f"import os, time\nfrom dtkd import video\n\ndef scan(path):\n    {ends}\n    yield\n\nvideo.scan = scan\n"
    )
    library = Path(video.__file__).parents[1]
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{library}")
    monkeypatch.setattr(fuzz_videos, "PATIENCE", 5 if outcome == "hang" else 60)
    child = fuzz_videos.Child()
    found, problems = child.check(tmp_path / "any.avi", 0)
    assert found == outcome
    assert problems[0].startswith(outcome)
    child.close()
