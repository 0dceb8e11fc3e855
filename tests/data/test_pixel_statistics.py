"""Pixel statistics: the mean and deviation of all pixels, of the videos and frames that were asked for."""

import re

import numpy as np
import pytest
from conftest import draw, write_video

from dtkd.common.errors import DtkdError
from dtkd.data import pixel_statistics, video
from dtkd.data.datasets import Videos


def of(paths):
    return Videos(tuple(map(str, paths)), tuple(paths), (0,) * len(paths))


def by_numpy(frames):
    values = np.concatenate([frame.reshape(-1, 3) for frame in frames]).astype(float) / 255
    return values.mean(0), values.std(0)


@pytest.fixture
def paths(tmp_path):
    return [draw(tmp_path / f"{n}.avi", seed=n, label=n % 4, frames=6 + n) for n in range(5)]


def test_all_frames_against_numpy(tmp_path):
    paths = [draw(tmp_path / f"{n}.avi", seed=n, label=n, frames=9) for n in range(3)]
    found = pixel_statistics.statistics(of(paths), frames_per_video=100, most_videos=100)
    mean, std = by_numpy([frame for path in paths for frame in video.read(path, range(9))])
    np.testing.assert_allclose(found["mean"], mean, atol=2e-6)
    np.testing.assert_allclose(found["std"], std, atol=2e-6)
    assert (found["videos"], found["frames"]) == (3, 27)


def test_evenly_spaced_frames_against_numpy(paths):
    found = pixel_statistics.statistics(of(paths), frames_per_video=3, most_videos=10)
    frames = [frame for n, path in enumerate(paths) for frame in video.read(path, [0, (5 + n) // 2, 5 + n])]
    mean, std = by_numpy(frames)
    np.testing.assert_allclose(found["mean"], mean, atol=2e-6)
    np.testing.assert_allclose(found["std"], std, atol=2e-6)
    assert found["frames"] == 15


@pytest.mark.parametrize(("most", "chosen"), [(1, [0]), (2, [0, 4]), (3, [0, 2, 4]), (5, [0, 1, 2, 3, 4])])
def test_at_most_so_many_videos_spread_over_the_list(paths, most, chosen):
    found = pixel_statistics.statistics(of(paths), frames_per_video=2, most_videos=most)
    assert found == pixel_statistics.statistics(of([paths[n] for n in chosen]), frames_per_video=2, most_videos=99)
    assert found["videos"] == len(chosen)


def test_channels_are_rgb_of_0_to_1(tmp_path):
    frames = np.zeros((4, 32, 32, 3), np.uint8)
    frames[..., 0], frames[..., 2] = 200, 50
    frames[:, :16, :, 0] = 100
    found = pixel_statistics.statistics(of([write_video(tmp_path / "red.avi", frames)]), 2, 1)
    np.testing.assert_allclose(found["mean"], [150 / 255, 0, 50 / 255], atol=0.01)
    np.testing.assert_allclose(found["std"], [50 / 255, 0, 0], atol=0.01)


def test_one_colour_throughout(tmp_path):
    """A codec makes a grey level of noise of it; two videos of two colours are told apart."""
    frames = np.full((4, 32, 32, 3), (200, 60, 60), np.uint8)
    frames[1::2] += 1
    paths = [write_video(tmp_path / f"{n}.avi", frames) for n in range(2)]
    with pytest.raises(DtkdError) as error:
        pixel_statistics.statistics(of(paths), 2, 2)
    said = re.fullmatch(
        rf"all training videos, such as {paths[0]}, show one colour alone \(red (\d+), green (\d+), blue (\d+) of "
        r"255\), from which nothing can be learnt: look at the videos, and correct `videos` of the data set",
        str(error.value),
    )
    np.testing.assert_allclose([int(value) for value in said.groups()], (200, 60, 60), atol=3)
    write_video(paths[1], frames[..., ::-1])
    assert (
        min(pixel_statistics.statistics(of(paths), 2, 2)["std"])
        < 0.01
        < max(pixel_statistics.statistics(of(paths), 2, 2)["std"])
    )


def test_a_larger_video_weighs_no_more(tmp_path):
    grey = [write_video(tmp_path / f"{size}.avi", np.full((4, size, size, 3), value, np.uint8))
            for size, value in ((32, 0), (128, 200))]  # fmt: skip
    np.testing.assert_allclose(pixel_statistics.statistics(of(grey), 2, 2)["mean"], [100 / 255] * 3, atol=0.01)
