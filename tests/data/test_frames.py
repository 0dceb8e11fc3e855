"""Every kind of file of the catalogue: the frames that it shows, in order and from anywhere, when, and at what size."""

import random

import numbered
import numpy as np
import pytest

from dtkd.data import inspection, video


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("cases")


@pytest.mark.parametrize("name", numbered.CASES)
def test_a_file_gives_the_frames_that_it_shows_or_is_refused_for_the_right_reason(folder, name):
    case = numbered.build(name, folder)
    if not case.numbers:
        with pytest.raises(video.VideoError, match=case.refusal):
            inspection.scanned(case.path)
        return
    try:
        info = inspection.scanned(case.path)
    except video.VideoError:
        if case.refusal:  # refusing is right too
            return
        raise
    shown = [numbered.number(frame) for frame in video.read_bgr(case.path, range(info.frames), info)]
    assert case.right(shown)
    assert [numbered.number(frame) for frame in video.grey_frames(case.path)] == shown
    assert (info.width, info.height) == case.size
    draw = random.Random(name)
    for _ in range(12):  # windows: near the start, and behind a key frame
        start = draw.randrange(info.frames)
        indices = [min(start + 3 * step, info.frames - 1) for step in range(5)]
        found = [numbered.number(frame) for frame in video.read_bgr(case.path, indices, info)]
        assert found == [shown[index] for index in indices], indices
    if case.times is not None and case.numbers == tuple(shown):
        times = np.array([info.time(index) for index in range(info.frames)])
        np.testing.assert_allclose(times, case.times, atol=max(0.002, 0.1 / info.fps))


def test_what_is_known_of_a_video_survives_json_and_parquet(folder):
    """Times and key frames of a file whose rate varies."""
    path = numbered.build("falls.mp4", folder).path
    known = path.parent / "inspection" / "known.parquet"
    first, _ = inspection.inspect(path.parent, [path.name], known)
    again, _ = inspection.inspect(path.parent, [path.name], known)
    assert first == again == {path.name: video.info(path)}
    assert first[path.name].times is not None
    assert first[path.name].keys
