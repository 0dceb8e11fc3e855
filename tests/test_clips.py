"""Clips: a function of seed, epoch and video; never out of a video or a frame; every video as often as asked."""

import random

import numpy as np
import pytest
import torch
from conftest import draw, write_video
from torchvision.transforms.v2 import functional as F

from dtkd import clips, video
from dtkd.datasets import Videos
from dtkd.study import Augment, Clip

CLIP = Clip(frames=4, rate=2)
AUGMENT = Augment(short_side=(32, 40), crop=32, test_short_side=32)


def epoch_of(toy, workers=0, seed=0, epoch=0, clips_per_video=1, batch_size=5):
    """Every clip of an epoch, by (name, which of the video's clips it is in order of its bytes)."""
    batches = clips.EpochBatches(seed, len(toy), clips_per_video, batch_size)
    batches.epoch = epoch
    data = clips.loader(clips.TrainingClips(toy, CLIP, AUGMENT, seed), batches=batches, workers=workers)
    found = {}
    for frames, labels, positions in data:
        for clip, label, position in zip(frames, labels.tolist(), positions.tolist(), strict=True):
            assert label == toy.labels[position]
            found.setdefault(toy.names[position], []).append(clip.numpy().tobytes())
    return {name: sorted(values) for name, values in found.items()}


def subset(videos, positions):
    return Videos(*(tuple(values[p] for p in positions) for values in (videos.names, videos.paths, videos.labels)))


def test_seeds_are_63_bit_and_separate_their_parts():
    seeds = [clips.seed_of(*parts) for parts in ((0, "clip", 1), (0, "clip1"), (0, "clip", 11), (1, "clip", 1), ())]
    assert len(set(seeds)) == len(seeds)
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert clips.seed_of(0, "clip", 3, "a/b.avi") == 1842081364129744372  # the same in every process and release


@pytest.mark.parametrize("workers", [1, 2])
def test_an_epoch_is_the_same_with_any_number_of_workers(toy, workers):
    assert epoch_of(toy[0], workers) == epoch_of(toy[0])


def test_a_clip_depends_on_seed_epoch_and_video_only(toy):
    everything = clips.TrainingClips(toy[0], CLIP, AUGMENT, seed=3)
    items = [(epoch, position) for epoch in range(2) for position in range(len(toy[0]))]
    expected = {item: everything[item][0] for item in items}
    random.Random(0).shuffle(items)
    for item in items:  # in another order
        assert torch.equal(everything[item][0], expected[item])
    positions = [7, 2, 9]
    part = clips.TrainingClips(subset(toy[0], positions), CLIP, AUGMENT, seed=3)
    for new, old in enumerate(positions):  # at another position, with other videos beside it
        clip, label, position = part[1, new]
        assert torch.equal(clip, expected[1, old])
        assert (label, position) == (toy[0].labels[old], new)


def test_clips_differ_between_epochs_seeds_and_a_videos_own_clips(toy):
    epochs = [epoch_of(toy[0], seed=seed, epoch=epoch) for seed in (0, 1) for epoch in (0, 1, 2)]
    distinct = {name: {values[name][0] for values in epochs} for name in toy[0].names}
    assert all(len(seen) >= 5 for seen in distinct.values())  # of 6: two draws may coincide
    assert all(len(set(values)) == 3 for values in epoch_of(toy[0], clips_per_video=3).values())


def test_more_clips_a_video_are_those_of_more_epochs(toy):
    twice = epoch_of(toy[0], clips_per_video=2, epoch=1)
    epochs = [epoch_of(toy[0], epoch=epoch) for epoch in (2, 3)]
    assert twice == {name: sorted([epochs[0][name][0], epochs[1][name][0]]) for name in toy[0].names}


def test_a_clip_leaves_the_global_random_state_alone(toy):
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    epoch_of(toy[0])
    epoch_of(toy[0], workers=1)
    clips.TestClips(toy[1], CLIP, AUGMENT)[0]
    assert torch.equal(torch.random.get_rng_state(), before)


def test_a_training_clip_is_uint8_of_the_crops_size(toy):
    clip, _, _ = clips.TrainingClips(toy[0], CLIP, AUGMENT, seed=0)[0, 0]
    assert clip.dtype == torch.uint8
    assert clip.shape == (3, 4, 32, 32)
    assert clip.is_contiguous()


@pytest.mark.parametrize("frames", [1, 2, 7, 8, 9, 31, 32, 33, 300])
@pytest.mark.parametrize(("count", "rate"), [(1, 1), (4, 2), (8, 3), (64, 2)])
def test_frame_indices_stay_in_the_video_and_keep_the_rate(frames, count, rate):
    clip = Clip(frames=count, rate=rate)
    slack = max(frames - count * rate, 0)
    for start in {0, slack // 2, slack}:
        indices = clips.frame_indices(start, clip, frames)
        assert indices.shape == (count,)
        assert indices[0] == start
        assert indices[-1] < frames
        assert (np.diff(indices) >= 0).all()
        if frames >= count * rate and count > 1:
            assert indices[-1] == start + count * rate - 1  # the whole window, both ends
            assert set(np.diff(indices)) <= {rate, rate + 1}
        elif count > 1:
            assert (indices[0], indices[-1]) == (0, frames - 1)  # a short video, all of it


def test_a_clip_of_a_one_frame_video_repeats_it(tmp_path):
    path = draw(tmp_path / "one.avi", frames=1)
    frames = clips.read_clip(path, 0, Clip(frames=8, rate=2), clips.video_length(path))
    assert frames.shape == (8, 3, 40, 48)
    assert (frames == frames[0]).all()


def test_random_starts_are_in_range_and_reach_every_place():
    generator = torch.Generator().manual_seed(0)
    clip = Clip(frames=8, rate=2)
    starts = [clips.random_start(clip, 20, generator) for _ in range(300)]
    assert set(starts) == set(range(5))
    assert {clips.random_start(clip, frames) for frames in (1, 15, 16)} == {0}


def test_even_starts_reach_both_ends_and_one_is_the_centre():
    clip = Clip(frames=4, rate=2)
    assert clips.even_starts(clip, 28, 1) == [10]
    assert clips.even_starts(clip, 28, 2) == [0, 20]
    assert clips.even_starts(clip, 28, 5) == [0, 5, 10, 15, 20]
    assert clips.even_starts(clip, 5, 3) == [0, 0, 0]


def test_length_is_counted_where_the_container_does_not_say(tmp_path, monkeypatch):
    path = draw(tmp_path / "a.avi", frames=11)
    probed = video.probe(path)
    assert probed.frames == 11
    monkeypatch.setattr(video, "probe", lambda _: video.VideoInfo(0, probed.fps, probed.width, probed.height))
    assert clips.video_length.__wrapped__(path) == 11


def ramps(height, width):
    """Frames (T, 3, H, W) whose red tells the column and whose green tells the row."""
    frames = torch.zeros(2, 3, height, width, dtype=torch.uint8)
    frames[:, 0] = torch.arange(width)
    frames[:, 1] = torch.arange(height)[:, None]
    return frames


@pytest.mark.parametrize(("height", "width"), [(40, 60), (60, 40), (32, 32)])
def test_training_crops_lie_inside_and_move(height, width):
    transform = clips.training_transform(Augment(short_side=(32, 32), crop=24, test_short_side=32, flip=0))
    torch.manual_seed(0)
    scaled = F.resize(ramps(height, width), [32], antialias=True)
    corners = set()
    for _ in range(40):
        crop = transform(ramps(height, width))
        assert crop.dtype == torch.uint8
        assert crop.shape == (2, 3, 24, 24)
        places = [(y, x) for y in range(scaled.shape[2] - 23) for x in range(scaled.shape[3] - 23)
                  if torch.equal(scaled[..., y : y + 24, x : x + 24], crop)]  # fmt: skip
        assert len(places) == 1
        corners.add(places[0])
    assert len(corners) > 15


@pytest.mark.parametrize(("side", "crop"), [(49, 64), (55, 112), (98, 64), (107, 112)])
def test_the_crop_fits_whatever_the_videos_size(side, crop):
    """49 * (64 / 49) is less than 64 in floating point; the short side must be 64 all the same."""
    transform = clips.training_transform(Augment(short_side=(crop, crop), crop=crop, test_short_side=crop))
    for height, width in ((side, side + 20), (side + 20, side)):
        assert transform(ramps(height, width)).shape == (2, 3, crop, crop)


def test_every_short_side_of_the_range_is_drawn():
    transform = clips.training_transform(Augment(short_side=(30, 34), crop=30, test_short_side=30)).transforms[0]
    torch.manual_seed(0)
    sizes = {tuple(transform(ramps(20, 40)).shape[-2:]) for _ in range(100)}
    assert {height for height, _ in sizes} == set(range(30, 35))
    assert all(width == 2 * height for height, width in sizes)


@pytest.mark.parametrize(("flip", "low", "high"), [(0.0, 0, 0), (0.25, 30, 75), (0.5, 75, 125), (1.0, 200, 200)])
def test_flips_happen_as_often_as_asked_and_to_the_whole_clip(flip, low, high):
    augment = Augment(short_side=(32, 32), crop=32, test_short_side=32, flip=flip)
    transform, image = clips.training_transform(augment), ramps(32, 32)
    torch.manual_seed(1)
    flipped = 0
    for _ in range(200):
        out = transform(image)
        mirrored = torch.equal(out, image.flip(-1))
        assert mirrored or torch.equal(out, image)
        flipped += mirrored
    assert low <= flipped <= high


@pytest.mark.parametrize("videos", [1, 2, 7, 8, 9, 16, 17])
@pytest.mark.parametrize("clips_per_video", [1, 3])
@pytest.mark.parametrize("batch_size", [1, 2, 8, 100])
def test_an_epochs_batches(videos, clips_per_video, batch_size):
    batches = clips.epoch_batches(0, 4, videos, clips_per_video, batch_size)
    items = [item for batch in batches for item in batch]
    assert sorted(items) == sorted((4 * clips_per_video + k, v) for k in range(clips_per_video) for v in range(videos))
    sizes = [len(batch) for batch in batches]
    assert max(sizes) <= (batch_size + 1 if batch_size > 1 else 1)
    assert all(size == batch_size for size in sizes[:-1]) or batch_size + 1 in sizes
    if batch_size > 1 and len(items) > 1:
        assert min(sizes) > 1
    sampler = clips.EpochBatches(0, videos, clips_per_video, batch_size)
    sampler.epoch = 4
    assert list(sampler) == batches
    assert len(sampler) == len(batches)


def test_the_order_of_an_epoch_follows_seed_and_epoch():
    assert clips.epoch_batches(0, 1, 50, 1, 8) == clips.epoch_batches(0, 1, 50, 1, 8)
    orders = {tuple(v for batch in clips.epoch_batches(*key, 50, 1, 8) for _, v in batch)
              for key in ((0, 0), (0, 1), (1, 0), (1, 1))}  # fmt: skip
    assert len(orders) == 4


@pytest.mark.parametrize(("height", "width"), [(32, 60), (60, 32)], ids=["landscape", "portrait"])
def test_three_crops_run_along_the_longer_side(height, width):
    augment = Augment(short_side=(32, 32), crop=32, test_short_side=32)
    left, middle, right = clips.test_crops(ramps(height, width), augment, 3)
    along, across = (0, 1) if width > height else (1, 0)
    first = [int(crop[0, along].min()) for crop in (left, middle, right)]
    assert first == [0, 14, 28]
    assert [int(crop[0, across].min()) for crop in (left, middle, right)] == [0, 0, 0]
    assert all(crop.shape == (2, 3, 32, 32) and crop.dtype == torch.uint8 for crop in (left, middle, right))
    assert torch.equal(clips.test_crops(ramps(height, width), augment, 1)[0], middle)


def test_a_smaller_crop_is_centred_across():
    augment = Augment(short_side=(32, 32), crop=24, test_short_side=32)
    crops = clips.test_crops(ramps(32, 60), augment, 3)
    assert [(int(crop[0, 1].min()), int(crop[0, 0].min())) for crop in crops] == [(4, 0), (4, 18), (4, 36)]


def test_views_of_a_test_video(tmp_path):
    """Frames whose grey tells their number, wider than high: one view is the centre, thirty are 10 clips x 3 crops."""
    frames = np.zeros((30, 32, 64, 3), np.uint8)
    frames[:] = (8 * np.arange(30))[:, None, None, None]
    path = write_video(tmp_path / "grey.avi", frames)
    videos = Videos(("grey.avi",), (path,), (2,))
    views, label, position = clips.TestClips(videos, CLIP, AUGMENT)[0]
    assert (views.shape, views.dtype, label, position) == ((1, 3, 4, 32, 32), torch.uint8, 2, 0)
    shown = (views[0].float().mean((0, 2, 3)) / 8).round().int().tolist()
    assert shown == clips.frame_indices(11, CLIP, 30).tolist()  # (30 - 4 * 2) / 2

    views, _, _ = clips.TestClips(videos, CLIP, AUGMENT, clips_per_video=10, crops_per_clip=3)[0]
    assert views.shape == (30, 3, 4, 32, 32)
    first = (views[:, :, 0].float().mean((1, 2, 3)) / 8).round().int().view(10, 3)
    assert first.tolist() == [[start] * 3 for start in clips.even_starts(CLIP, 30, 10)]
