"""How much of the motion crops have, and that the windows are those of test and training."""

from math import isnan

import cv2
import numpy as np
import pytest
from conftest import write_video

from dtkd.checks import windows
from dtkd.config import Augment, Clip, Evaluation
from dtkd.data import video
from dtkd.data.datasets import Videos
from dtkd.motion.flow import FrameStatistics, farneback
from dtkd.training import sampling

AUGMENT = Augment(short_side=(48, 52), crop=48, test_short_side=48)
CLIP = Clip(frames=4, rate=2)


def acted(path, where, pan=0.0, frames=12, height=96, width=192):
    """Somebody swings at some places (shares of the width) before a background that the camera may pan over."""
    random = np.random.default_rng(0)
    background = cv2.resize(random.integers(60, 200, (12, 40, 3)).astype(np.uint8), (2 * width, height))
    images = []
    for t in range(frames):
        image = background[:, round(pan * t) : round(pan * t) + width].copy()
        for place in where:
            x, y = round(width * place + 6 * np.sin(1.2 * t)), round(height / 2 + 6 * np.cos(1.2 * t))
            cv2.circle(image, (x, y), 12, (250, 30, 30), -1)
            cv2.circle(image, (x + 4, y - 3), 4, (20, 220, 20), -1)
        images.append(image)
    return write_video(path, images)


def view(path, evaluation=None, augment=AUGMENT, clip=CLIP):
    [found] = windows.views(path.parent, [path.name], [video.info(path)], [0], clip=clip, augment=augment,
                            evaluation=evaluation or Evaluation(), seed=3)  # fmt: skip
    return found


def test_the_centre_crop_has_what_moves_in_the_centre(tmp_path):
    found = view(acted(tmp_path / "a.avi", [0.5]))
    assert found.test > 0.95
    assert found.train > 0.6
    assert found.frame.shape == (96, 192, 3)


def test_it_misses_who_acts_at_the_sides(tmp_path):
    """A third of the training crops, those at one end, have one of the two."""
    found = view(acted(tmp_path / "a.avi", [0.1, 0.9]))
    assert found.test < 0.05
    assert 0.05 < found.train < 0.5


def test_three_crops_have_it(tmp_path):
    assert view(acted(tmp_path / "a.avi", [0.1, 0.9]), Evaluation(crops_per_clip=3)).test > 0.95


@pytest.mark.parametrize("fit", ["letterbox", "squash"])
def test_whole_frames_have_it(tmp_path, fit):
    """Training too, in which the frame may be a little larger than the crop."""
    found = view(acted(tmp_path / "a.avi", [0.1, 0.9]), augment=AUGMENT.model_copy(update={"fit": fit}))
    assert found.test == 1
    assert found.train > 0.9


def test_the_cameras_motion_is_none(tmp_path):
    """What moves beside it counts: at the side, though the whole frame moves."""
    found = view(acted(tmp_path / "a.avi", [0.9], pan=2.0))
    assert found.test < 0.3


def test_where_nothing_moves_there_is_no_share(tmp_path):
    found = view(acted(tmp_path / "a.avi", []))
    assert isnan(found.test)
    assert isnan(found.train)


def test_training_windows_are_those_that_training_draws(tmp_path, monkeypatch):
    """By seed, epoch and video, after the clip's start was drawn."""
    path = acted(tmp_path / "a.avi", [0.5], frames=30)
    videos = Videos(("a.avi",), (path,), (0,), (video.info(path),))
    drawn, real = [], sampling.random_window
    found = view(path).drawn
    monkeypatch.setattr(
        sampling, "random_window", lambda *args, **named: drawn.append(real(*args, **named)) or drawn[-1]
    )
    data = sampling.TrainingClips(videos, CLIP, AUGMENT, seed=3)
    for epoch in range(windows.SHOWN_DRAWS):
        data[epoch, 0]
    assert [own for [own] in drawn] == list(found)
    assert len(set(found)) > 1


def test_what_is_shown_is_what_the_network_gets(tmp_path):
    path = acted(tmp_path / "a.avi", [0.2])
    found = view(path)
    clip = sampling.TestClips(Videos(("a",), (path,), (0,)), CLIP, AUGMENT)[0][0][0]  # (C, T, H, W)
    shown = windows.seen(found.frame, found.windows[0], AUGMENT.crop)
    frames = clip.permute(1, 2, 3, 0).numpy().astype(int)
    assert min(np.abs(frame - shown).mean() for frame in frames) < 6
    mirrored = windows.seen(found.frame, found.windows[0]._replace(mirrored=True), AUGMENT.crop)
    assert (mirrored[:, ::-1] == shown).all()


def test_shares_by_hand():
    motion = np.zeros((10, 20), np.float32)
    motion[0, 0], motion[5, 10], motion[9, 19] = 1, 2, 5
    whole, none = sampling.Window(0, 0, 100, 100), sampling.Window(0, 0, 1, 1)
    shape = (100, 200, 3)
    assert windows.share(motion, [whole], shape) == 1 / 8
    assert windows.share(motion, [sampling.Window(0, 100, 100, 100)], shape) == 7 / 8
    assert windows.share(motion, [whole, sampling.Window(0, 100, 100, 100)], shape) == 1
    assert windows.share(motion, [sampling.Window(40, 50, 60, 60), sampling.Window(40, 60, 60, 60)], shape) == 2 / 8
    assert windows.share(motion, [none], shape) == 0
    assert windows.share(motion, [sampling.Window(-50, 0, 200, 200)], shape) == 1, "letterbox: margins above and below"
    assert windows.rectangle(sampling.Window(-50, 0, 200, 200), shape) == (0, 0, 100, 200)


@pytest.mark.parametrize(("labels", "most", "chosen"), [
    ([0, 0, 0, 0, 1, 1], 4, [0, 3, 4, 5]),
    ([0, 0, 0, 0, 1, 1], 2, [0, 4]),
    ([0, 1, 2], 1, [0, 1, 2]),
    ([0] * 100, 5, [0, 25, 50, 74, 99]),
])  # fmt: skip
def test_chosen_videos_are_spread_over_the_classes(labels, most, chosen):
    assert windows.chosen(labels, most) == chosen


def test_own_motion_is_what_a_pan_leaves():
    random = np.random.default_rng(0)
    first = cv2.resize(random.integers(0, 255, (15, 20)).astype(np.uint8), (160, 120), interpolation=cv2.INTER_CUBIC)
    second = np.roll(first, 2, axis=1)
    cv2.circle(first, (40, 60), 10, 255, -1)
    cv2.circle(second, (48, 60), 10, 255, -1)
    motion = windows.own_motion(farneback()(first, second), FrameStatistics(120, 160))
    assert motion[45:75, 25:65].sum() > 0.7 * motion.sum()
