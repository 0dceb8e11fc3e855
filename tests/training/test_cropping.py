"""What clips show of a frame: crops, or the whole frame squashed or with margins; and how much of it they miss."""

from functools import partial

import cv2
import numpy as np
import pytest
import torch
from torchvision.transforms.v2 import functional as F

from dtkd.common.errors import DtkdError
from dtkd.config import Augment
from dtkd.training import cropping, sampling

SIZES = [(240, 320), (40, 100), (100, 40), (32, 32), (16, 500), (520, 1280)]


def augment(fit, low=32, high=40, crop=32, flip=0.0):
    return Augment(short_side=(low, high), crop=crop, test_short_side=crop, flip=flip, fit=fit)


def picture(height, width, seed=0):
    """A smooth coloured frame (H, W, 3), uint8."""
    noise = np.random.default_rng(seed).integers(0, 256, (5, 6, 3)).astype(np.uint8)
    return cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)


def whole(frame, how, **more):
    """The test clip (1, 3, crop, crop), RGB, of one frame (BGR)."""
    return cropping.crop([frame], 1, how.crop, partial(cropping.test_windows, how, crops=1), **more)[:, :, 0]


def drawn(how, height, width, count, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return [sampling.random_window(how, height, width, generator)[0] for _ in range(count)]


def off(ours, theirs):
    return np.abs(ours.astype(float) - theirs.numpy().astype(float)).mean()


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_squash_tests_on_the_whole_frame_scaled_to_the_crop(height, width):
    frame = picture(height, width)
    rgb = torch.from_numpy(frame[..., ::-1].copy()).permute(2, 0, 1)
    assert cropping.test_windows(augment("squash"), height, width, 1) == [(0, 0, height, width, False)]
    assert off(whole(frame, augment("squash"))[0], F.resize(rgb, [32, 32], antialias=True)) < 6  # of 255


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_letterbox_tests_on_the_whole_frame_in_its_proportions_with_margins(height, width):
    frame, long = picture(height, width), max(height, width)
    tall, wide = (max(1, round(32 * length / long)) for length in (height, width))
    [clip] = whole(frame, augment("letterbox"), margins=(10, 20, 30))
    top, left = (32 - tall) // 2, (32 - wide) // 2
    rgb = torch.from_numpy(frame[..., ::-1].copy()).permute(2, 0, 1)
    inside = np.zeros((32, 32), bool)
    inside[top : top + tall, left : left + wide] = True
    assert off(clip[:, inside].reshape(3, tall, wide), F.resize(rgb, [tall, wide], antialias=True)) < 6
    assert (clip[:, ~inside] == np.array([[10], [20], [30]])).all()  # RGB


@pytest.mark.parametrize(("height", "width"), SIZES)
@pytest.mark.parametrize("fit", ["squash", "letterbox"])
def test_whole_frames_are_jittered_as_the_short_side_range_says(fit, height, width):
    """At size s the crop shows 32 / s of what is scaled to s: at most a fifth of a side is ever lost, and all places
    are drawn."""
    windows = drawn(augment(fit), height, width, 400)
    lengths = {"squash": (height, width), "letterbox": (max(height, width),) * 2}[fit]
    for extents, starts, length, reference in zip(
        [[w.height for w in windows], [w.width for w in windows]],
        [[w.top for w in windows], [w.left for w in windows]],
        (height, width), lengths, strict=True,
    ):  # fmt: skip
        assert set(extents) == {round(32 * reference / size) for size in range(32, 41)}
        for extent, start in zip(extents, starts, strict=True):
            if extent <= length:
                assert 0 <= start <= length - extent
            else:  # margins on both sides: the frame stays in the middle
                assert start == (length - extent) // 2
        if min(extents) < length:
            assert min(starts) <= 0 < max(starts)


@pytest.mark.parametrize("fit", ["squash", "letterbox"])
def test_without_a_range_training_shows_the_whole_frame_too(fit):
    how = augment(fit, low=32, high=32, flip=1.0)
    [test], trained = cropping.test_windows(how, 40, 100, 1), drawn(how, 40, 100, 20)
    assert set(trained) == {test._replace(mirrored=True)}
    plain, mirrored = cropping.crop([picture(40, 100)], 1, 32, lambda *_: [test, trained[0]])
    assert (mirrored == plain[..., ::-1]).all()


def test_a_side_that_shrinks_much_does_not_alias():
    """A fine pattern of columns turns grey where only the width shrinks."""
    frame = np.zeros((32, 256, 3), np.uint8)
    frame[:, ::2] = 255
    assert whole(frame, augment("squash")).std() < 16


def test_what_is_seen_at_its_own_scale_is_not_resampled():
    frame = picture(20, 32)
    [clip] = whole(frame, augment("letterbox"))
    assert (clip[:, 6:26] == frame[..., ::-1].transpose(2, 0, 1)).all()
    assert (clip[:, :6] == cropping.GREY[0]).all()


@pytest.mark.parametrize("fit", ["squash", "letterbox"])
def test_several_crops_of_a_whole_frame_are_refused(fit):
    with pytest.raises(DtkdError, match=f"3 crops lie along the longer side, and augment.fit: {fit} shows it all"):
        cropping.test_windows(augment(fit), 40, 100, 3)


# How much is seen


@pytest.mark.parametrize(("height", "width", "crops", "share"), [
    (100, 100, 1, 1.0), (100, 400, 1, 0.25), (400, 100, 1, 0.25), (100, 200, 3, 1.0), (100, 400, 3, 0.75),
])  # fmt: skip
def test_the_share_of_a_frame_that_test_clips_show(height, width, crops, share):
    assert cropping.share_shown(augment("crop"), height, width, crops) == pytest.approx(share)


@pytest.mark.parametrize("fit", ["squash", "letterbox"])
@pytest.mark.parametrize(("height", "width"), SIZES)
def test_whole_frames_are_seen_as_a_whole(fit, height, width):
    assert cropping.share_shown(augment(fit), height, width) == 1.0


def test_a_warning_names_what_most_wide_frames_lose():
    wide = [(520, 1280)] * 3 + [(100, 100)]
    said = cropping.much_unseen(wide, augment("crop"))
    assert said == ("test clips show 41% of a frame of 1280×520, the crop in its middle, and nothing of what happens "
                    "beside it: augment.fit: squash or letterbox shows whole frames")  # fmt: skip
    assert cropping.much_unseen([*wide[2:], (90, 100)], augment("crop")) is None  # one of three
    assert cropping.much_unseen([(1080, 1920)] * 3, augment("crop")) is None
    assert cropping.much_unseen(wide, augment("squash")) is None
    assert cropping.much_unseen([(400, 1000)], augment("crop"), crops=3) is None
    assert cropping.much_unseen([], augment("crop")) is None


def test_a_picture_is_dark_where_no_crop_is():
    frame = np.full((100, 200, 3), 90, np.uint8)
    fed = cropping.as_fed(frame, augment("crop"))
    assert (fed[:, 50:150] == 90).all()
    assert (fed[:, :50] == 30).all()
    assert (fed[:, 150:] == 30).all()
    assert (frame == 90).all()  # itself untouched
    assert (cropping.as_fed(frame, augment("crop"), crops=3) == 90).all()
    assert cropping.as_fed(frame, augment("squash")).shape == (32, 32, 3)
    margin = [cropping.GREY[0]] * 8
    assert cropping.as_fed(frame, augment("letterbox"))[:, 0, 0].tolist() == [*margin, *[90] * 16, *margin]
