"""Clips: a function of seed, epoch and video; never out of a video or a frame; every video as often as asked."""

import multiprocessing
import random
import sys
import threading
import time
from functools import partial

import cv2
import numpy as np
import pytest
import torch
from conftest import draw, write_video
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as F

from dtkd.config import Augment, Clip
from dtkd.data import video, video_info
from dtkd.data.datasets import Videos
from dtkd.training import sampling

CLIP = Clip(frames=4, rate=2)
AUGMENT = Augment(short_side=(32, 40), crop=32, test_short_side=32)


def epoch_of(toy, workers=0, seed=0, epoch=0, clips_per_video=1, batch_size=5):
    """Every clip of an epoch, by (name, which of the video's clips it is in order of its bytes)."""
    batches = sampling.EpochBatches(seed, len(toy), clips_per_video, batch_size)
    batches.epoch = epoch
    data = sampling.loader(sampling.TrainingClips(toy, CLIP, AUGMENT, seed), batches=batches, workers=workers)
    found = {}
    for frames, labels, positions in data:
        for clip, label, position in zip(frames, labels.tolist(), positions.tolist(), strict=True):
            assert label == toy.labels[position]
            found.setdefault(toy.names[position], []).append(clip.numpy().tobytes())
    return {name: sorted(values) for name, values in found.items()}


def subset(videos, positions):
    return Videos(*(tuple(values[p] for p in positions) for values in (videos.names, videos.paths, videos.labels)))


def test_seeds_are_63_bit_and_separate_their_parts():
    seeds = [sampling.seed_of(*parts) for parts in ((0, "clip", 1), (0, "clip1"), (0, "clip", 11), (1, "clip", 1), ())]
    assert len(set(seeds)) == len(seeds)
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert sampling.seed_of(0, "clip", 3, "a/b.avi") == 1842081364129744372  # the same in every process and release


@pytest.mark.parametrize("workers", [1, 2])
def test_an_epoch_is_the_same_with_any_number_of_workers(toy, workers):
    assert epoch_of(toy[0], workers) == epoch_of(toy[0])


def test_a_clip_depends_on_seed_epoch_and_video_only(toy):
    everything = sampling.TrainingClips(toy[0], CLIP, AUGMENT, seed=3)
    items = [(epoch, position) for epoch in range(2) for position in range(len(toy[0]))]
    expected = {item: everything[item][0] for item in items}
    random.Random(0).shuffle(items)
    for item in items:  # in another order
        assert torch.equal(everything[item][0], expected[item])
    positions = [7, 2, 9]
    part = sampling.TrainingClips(subset(toy[0], positions), CLIP, AUGMENT, seed=3)
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
    sampling.TestClips(toy[1], CLIP, AUGMENT)[0]
    assert torch.equal(torch.random.get_rng_state(), before)


def test_a_training_clip_is_uint8_of_the_crops_size(toy):
    clip, _, _ = sampling.TrainingClips(toy[0], CLIP, AUGMENT, seed=0)[0, 0]
    assert clip.dtype == torch.uint8
    assert clip.shape == (3, 4, 32, 32)
    assert clip.is_contiguous()


def long(frames, fps=25.0, **more):
    """What a video of so many frames is."""
    return video.VideoInfo(frames, fps, 64, 32, **more)


@pytest.mark.parametrize("frames", [1, 2, 7, 8, 9, 31, 32, 33, 300])
@pytest.mark.parametrize(("count", "rate"), [(4, 1), (4, 2), (8, 3), (64, 2)])
def test_frame_indices_stay_in_the_video_and_keep_the_rate(frames, count, rate):
    clip = Clip(frames=count, rate=rate)
    slack = max(frames - count * rate, 0)
    for start in {0, slack // 2, slack}:
        indices = sampling.frame_indices(start, clip, long(frames))
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
    videos = Videos(("one.avi",), (draw(tmp_path / "one.avi", frames=1),), (0,))
    frames = sampling.TrainingClips(videos, CLIP, AUGMENT, seed=0)[0, 0][0]
    assert frames.shape == (3, 4, 32, 32)
    assert (frames == frames[:, :1]).all()


def test_random_starts_are_in_range_and_reach_every_place():
    generator = torch.Generator().manual_seed(0)
    clip = Clip(frames=8, rate=2)
    starts = [sampling.random_start(clip, long(20), generator) for _ in range(300)]
    assert set(starts) == set(range(5))
    assert {sampling.random_start(clip, long(frames)) for frames in (1, 15, 16)} == {0}


def test_even_starts_reach_both_ends_and_one_is_the_centre():
    clip = Clip(frames=4, rate=2)
    assert sampling.even_starts(clip, long(28), 1) == [10]
    assert sampling.even_starts(clip, long(28), 2) == [0, 20]
    assert sampling.even_starts(clip, long(28), 5) == [0, 5, 10, 15, 20]
    assert sampling.even_starts(clip, long(5), 3) == [0, 0, 0]


@pytest.mark.parametrize("fps", [25.0, 50.0, 12.5])
def test_a_clip_by_time_covers_the_same_seconds_whatever_the_videos_rate(fps):
    clip = Clip(frames=8, fps=10)
    known = long(round(4 * fps), fps)
    for start in (0.0, 1.28, sampling.slack_of(clip, known)):
        indices = sampling.frame_indices(start, clip, known)
        assert indices.tolist() == [int((start + k / 10) * fps + 1e-6) for k in range(8)]
    assert sampling.even_starts(clip, known, 3) == pytest.approx([0, 1.6, 3.2])
    starts = [sampling.random_start(clip, known, torch.Generator().manual_seed(seed)) for seed in range(200)]
    assert 0 <= min(starts) < 0.1
    assert 3.1 < max(starts) <= 3.2
    assert sampling.frame_indices(3.2, clip, known)[-1] < known.frames


def test_a_clip_by_time_follows_a_rate_that_varies():
    """Thirty frames in the first second, ten in each of the following two."""
    times = (*np.arange(30) / 30, *(1 + np.arange(20) / 10))
    known = long(50, 49 / times[-1], times=times)
    indices = sampling.frame_indices(0.5, Clip(frames=8, fps=5), known)
    assert [round(times[index], 3) for index in indices] == [0.5, 0.7, 0.9, 1.1, 1.3, 1.5, 1.7, 1.9]


def test_a_video_shorter_than_a_clip_by_time_is_spread_over_its_whole_length():
    known = long(10, 20.0)  # half a second
    clip = Clip(frames=4, fps=4)
    assert sampling.slack_of(clip, known) == 0
    assert sampling.frame_indices(0.0, clip, known).tolist() == [0, 2, 5, 7]


@pytest.mark.parametrize("kind", [sampling.TestClips, partial(sampling.TrainingClips, seed=0)])
def test_a_clip_by_time_of_a_video_without_times_is_refused(kind):
    videos = Videos(("a.avi",), ("a.avi",), (0,), (long(10, 0.0),))
    with pytest.raises(video.VideoError, match=r"a\.avi: has no times.*set clip\.rate"):
        kind(videos, Clip(frames=4, fps=4), AUGMENT)[0 if kind is sampling.TestClips else (0, 0)]


def ramp(height, width):
    """A frame (H, W, 3), BGR, whose red tells the column, whose green the row, and whose blue is 7."""
    frame = np.full((height, width, 3), 7, np.uint8)
    frame[..., 2] = np.arange(width)
    frame[..., 1] = np.arange(height)[:, None]
    return frame


def crop(*given):
    return torch.from_numpy(sampling.crop(*given))


def draws(augment, height, width, count, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return [sampling.random_window(augment, height, width, generator)[0] for _ in range(count)]


def test_a_clip_shows_the_windows_pixels_in_rgb():
    """At the source's own scale nothing is resampled; mirrored, the columns run backwards."""
    window = sampling.Window(top=3, left=9, height=24, width=24)
    plain, mirrored = crop(iter([ramp(40, 60)] * 2), 2, 24, lambda *_: [window, window._replace(mirrored=True)])
    expected = torch.from_numpy(ramp(40, 60)[3:27, 9:33, ::-1].copy()).permute(2, 0, 1)
    assert plain.dtype == torch.uint8
    assert torch.equal(plain, expected[:, None].expand(3, 2, 24, 24))
    assert torch.equal(mirrored, plain.flip(-1))


@pytest.mark.parametrize(("height", "width"), [(240, 320), (72, 76), (57, 43), (300, 500)])
def test_clips_are_those_of_torchvisions_transforms(height, width):
    """The same draws give nearly the pixels that scaling the whole frame (antialiased) and cropping give."""
    augment = Augment(short_side=(60, 70), crop=56, test_short_side=60)
    noise = np.random.default_rng(0).integers(0, 256, (5, 6, 3)).astype(np.uint8)
    frame = cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
    whole = torch.from_numpy(frame[..., ::-1].copy()).permute(2, 0, 1)

    def error(ours, theirs):
        return (ours[:, 0].float() - theirs.float()).abs().mean().item()

    for seed in range(20):
        window = partial(sampling.random_window, augment, generator=torch.Generator().manual_seed(seed))
        ours = crop([frame], 1, 56, window)[0]
        torch.manual_seed(seed)
        scaled = F.resize(whole, [int(torch.randint(60, 71, ()))], antialias=True)
        theirs = v2.RandomHorizontalFlip(0.5)(v2.RandomCrop(56)(scaled))
        assert error(ours, theirs) < 12  # of 255: the window is of whole source pixels, half of one off at worst
        assert error(ours, theirs.flip(-1)) > 24
    scaled = F.resize(whole, [60], antialias=True)
    [ours] = crop([frame], 1, 56, partial(sampling.test_windows, augment, crops=1))
    assert error(ours, F.center_crop(scaled, [56, 56])) < 12


def test_a_strong_reduction_does_not_alias():
    """A fine checkerboard turns grey; linear interpolation would still show it."""
    board = np.indices((256, 256)).sum(0) % 2 * 255
    frame = np.repeat(board[..., None], 3, axis=2).astype(np.uint8)
    [clip] = crop([frame], 1, 48, lambda *_: [sampling.Window(0, 0, 256, 256)])
    assert clip.float().std() < 16


@pytest.mark.parametrize(("height", "width"), [(40, 60), (60, 40), (32, 32)])
def test_training_crops_lie_inside_and_move(height, width):
    augment = Augment(short_side=(32, 32), crop=24, test_short_side=32, flip=0)
    windows = draws(augment, height, width, 300)
    side = round(24 * min(height, width) / 32)
    assert {(window.height, window.width) for window in windows} == {(side, side)}
    for offsets, length in (([w.top for w in windows], height), ([w.left for w in windows], width)):
        assert (min(offsets), max(offsets)) == (0, length - side)  # both edges, never beyond
        assert len(set(offsets)) >= 8
    assert not any(window.mirrored for window in windows)


@pytest.mark.parametrize(("side", "crop"), [(49, 64), (55, 112), (98, 64), (107, 112), (7, 5), (1, 9)])
def test_the_crop_fits_whatever_the_videos_size(side, crop):
    """49 * (64 / 49) is less than 64 in floating point; the short side must be 64 all the same."""
    augment = Augment(short_side=(crop, crop + 3), crop=crop, test_short_side=crop)
    for height, width in ((side, side + 20), (side + 20, side)):
        tests = [window for crops in (1, 3) for window in sampling.test_windows(augment, height, width, crops)]
        for window in draws(augment, height, width, 50) + tests:
            assert 0 <= window.top <= height - window.height
            assert 0 <= window.left <= width - window.width
            assert window.height == window.width > 0
        assert {window.height for window in tests} == {side}  # the whole of the short side


def test_every_short_side_of_the_range_is_drawn():
    windows = draws(Augment(short_side=(30, 34), crop=30, test_short_side=30), 300, 400, 200)
    assert {window.height for window in windows} == {round(30 * 300 / side) for side in range(30, 35)}


@pytest.mark.parametrize(("flip", "low", "high"), [(0.0, 0, 0), (0.25, 30, 75), (0.5, 75, 125), (1.0, 200, 200)])
def test_flips_happen_as_often_as_asked(flip, low, high):
    augment = Augment(short_side=(32, 32), crop=32, test_short_side=32, flip=flip)
    assert low <= sum(window.mirrored for window in draws(augment, 32, 32, 200, seed=1)) <= high


@pytest.mark.parametrize("videos", [1, 2, 7, 8, 9, 16, 17])
@pytest.mark.parametrize("clips_per_video", [1, 3])
@pytest.mark.parametrize("batch_size", [1, 2, 8, 100])
def test_an_epochs_batches(videos, clips_per_video, batch_size):
    batches = sampling.epoch_batches(0, 4, videos, clips_per_video, batch_size)
    items = [item for batch in batches for item in batch]
    assert sorted(items) == sorted((4 * clips_per_video + k, v) for k in range(clips_per_video) for v in range(videos))
    sizes = [len(batch) for batch in batches]
    assert max(sizes) <= (batch_size + 1 if batch_size > 1 else 1)
    assert all(size == batch_size for size in sizes[:-1]) or batch_size + 1 in sizes
    if batch_size > 1 and len(items) > 1:
        assert min(sizes) > 1
    sampler = sampling.EpochBatches(0, videos, clips_per_video, batch_size)
    sampler.epoch = 4
    assert list(sampler) == batches
    assert len(sampler) == len(batches)


def test_the_order_of_an_epoch_follows_seed_and_epoch():
    assert sampling.epoch_batches(0, 1, 50, 1, 8) == sampling.epoch_batches(0, 1, 50, 1, 8)
    orders = {tuple(v for batch in sampling.epoch_batches(*key, 50, 1, 8) for _, v in batch)
              for key in ((0, 0), (0, 1), (1, 0), (1, 1))}  # fmt: skip
    assert len(orders) == 4


@pytest.mark.parametrize(("height", "width"), [(32, 60), (60, 32)], ids=["landscape", "portrait"])
def test_three_crops_run_along_the_longer_side(height, width):
    augment = Augment(short_side=(32, 32), crop=32, test_short_side=32)
    windows = sampling.test_windows(augment, height, width, 3)
    assert [max(window.left, window.top) for window in windows] == [0, 14, 28]
    assert all(min(window.left, window.top) == 0 and window.height == window.width == 32 for window in windows)
    assert (windows[2].left > 0) == (width > height)
    assert sampling.test_windows(augment, height, width, 1) == [windows[1]]


def test_a_smaller_crop_is_centred_across():
    augment = Augment(short_side=(32, 32), crop=24, test_short_side=32)
    windows = sampling.test_windows(augment, 32, 60, 3)
    assert [(window.top, window.left) for window in windows] == [(4, 0), (4, 18), (4, 36)]


def test_views_of_a_test_video(tmp_path):
    """Frames whose grey tells their number, wider than high: one view is the centre, thirty are 10 clips x 3 crops."""
    frames = np.zeros((30, 32, 64, 3), np.uint8)
    frames[:] = (8 * np.arange(30))[:, None, None, None]
    path = write_video(tmp_path / "grey.avi", frames)
    videos = Videos(("grey.avi",), (path,), (2,))
    views, label, position = sampling.TestClips(videos, CLIP, AUGMENT)[0]
    assert (views.shape, views.dtype, label, position) == ((1, 3, 4, 32, 32), torch.uint8, 2, 0)
    shown = (views[0].float().mean((0, 2, 3)) / 8).round().int().tolist()
    assert shown == sampling.frame_indices(11, CLIP, long(30)).tolist()  # (30 - 4 * 2) / 2

    views, _, _ = sampling.TestClips(videos, CLIP, AUGMENT, clips_per_video=10, crops_per_clip=3)[0]
    assert views.shape == (30, 3, 4, 32, 32)
    first = (views[:, :, 0].float().mean((1, 2, 3)) / 8).round().int().view(10, 3)
    assert first.tolist() == [[start] * 3 for start in sampling.even_starts(CLIP, long(30), 10)]


# Cached frames and prefetched batches


@pytest.fixture
def decoded(monkeypatch):
    """The paths that are decoded, in order."""
    paths = []
    read = video.read_bgr
    monkeypatch.setattr(video, "read_bgr", lambda path, *args, **kw: paths.append(path) or read(path, *args, **kw))
    return paths


def test_clips_are_the_same_from_kept_frames_and_each_video_is_decoded_once(toy, decoded):
    cache = sampling.FrameCache(megabytes=10)
    kept = (
        sampling.TrainingClips(toy[0], CLIP, AUGMENT, 0, cache),
        sampling.TestClips(toy[1], CLIP, AUGMENT, 2, 3, cache),
    )
    plain = sampling.TrainingClips(toy[0], CLIP, AUGMENT, 0), sampling.TestClips(toy[1], CLIP, AUGMENT, 2, 3)
    for epoch in range(3):
        for position in range(len(toy[0])):
            assert torch.equal(kept[0][epoch, position][0], plain[0][epoch, position][0])
        for position in range(len(toy[1])):
            assert torch.equal(kept[1][position][0], plain[1][position][0])
    assert all(decoded.count(path) == 3 + 1 for path in toy[0].paths)
    assert all(decoded.count(path) == 2 * (3 + 1) for path in toy[1].paths)  # two clips of each


def test_kept_frames_are_bounded_and_a_full_cache_decodes_no_more_than_a_clip(toy, decoded, monkeypatch):
    one = 12 * 40 * 48 * 3  # a video of the toys
    cache = sampling.FrameCache(megabytes=2.5 * one / 2**20)
    data = sampling.TrainingClips(toy[0], CLIP, AUGMENT, 0, cache)
    for epoch in range(2):
        for position in range(len(toy[0])):
            data[epoch, position]
    held = [frame for kept in cache.kept.values() for frame in kept.values()]
    assert sum(frame.nbytes for frame in held) == 2 * one
    assert [decoded.count(path) for path in toy[0].paths] == [1, 1, 3] + [2] * (len(toy[0]) - 3)


def test_frames_of_a_long_video_are_not_kept(tmp_path):
    """Decoding seeks to its clips, which need only a part of its frames."""
    window = CLIP.frames * CLIP.rate
    for length, is_kept in ((window + video_info.SEEK_FROM - 1, True), (window + video_info.SEEK_FROM, False)):
        videos = Videos(("a.avi",), (draw(tmp_path / f"{length}.avi", frames=length),), (0,))
        cache = sampling.FrameCache(megabytes=10)
        sampling.TrainingClips(videos, CLIP, AUGMENT, 0, cache)[0, 0]
        assert bool(cache.kept) == is_kept


def test_a_broken_tail_is_an_error_of_the_clips_that_need_it(tmp_path):
    """As it is without kept frames."""
    path = draw(tmp_path / "a.avi", frames=12)
    videos = Videos(("a.avi",), (path,), (0,), (long(30),))  # as it was when it was inspected
    data = [sampling.TrainingClips(videos, CLIP, AUGMENT, 0, sampling.FrameCache(megabytes)) for megabytes in (0, 10)]
    outcomes = [[], []]
    for found, dataset in zip(outcomes, data, strict=True):
        for epoch in range(12):
            try:
                found.append(dataset[epoch, 0][0].numpy().tobytes())
            except video.VideoError as error:
                found.append(str(error))
    assert outcomes[0] == outcomes[1]
    assert {type(outcome) for outcome in outcomes[0]} == {bytes, str}


def test_the_next_batch_is_made_while_the_caller_computes():
    """The second item is made before the first batch is done with, and no item is made in the caller's thread."""
    made, threads = [], set()

    class Items(torch.utils.data.Dataset):
        def __getitem__(self, item):
            threads.add(threading.current_thread())
            made.append(item)
            return item

        def __len__(self):
            return 5

    data = sampling.loader(Items())
    assert len(data) == 5
    found = []
    for batch in data:
        found += batch.tolist()
        deadline = time.monotonic() + 10
        while len(made) < min(len(found) + 1, 5) and time.monotonic() < deadline:
            time.sleep(0.001)
        assert len(made) == min(len(found) + 1, 5)  # one ahead, no more
    assert found == [0, 1, 2, 3, 4]
    assert threading.main_thread() not in threads


def test_an_error_in_the_loaders_thread_reaches_the_caller(tmp_path):
    videos = Videos(("a.avi",), (tmp_path / "a.avi",), (0,))
    with pytest.raises(video.VideoError, match=r"a\.avi: cannot be read"):
        list(sampling.loader(sampling.TestClips(videos, CLIP, AUGMENT)))


def test_no_thread_that_has_decoded_ends_while_loader_processes_may_be_forked(toy):
    """They would inherit the locks that OpenCV takes as such a thread ends, and wait for them forever."""

    def decoding():
        return {thread for thread in threading.enumerate() if thread.name.startswith("batches")}

    before = decoding()
    for data in (sampling.loader(sampling.TestClips(toy[1], CLIP, AUGMENT)) for _ in range(3)):
        next(iter(data))  # and is left
        after = decoding()
        assert len(after) == 1
        assert before <= after
        before = after


def test_no_process_is_forked_while_the_thread_decodes():
    inside, begun = [], threading.Event()

    class Items(torch.utils.data.Dataset):
        def __getitem__(self, item):
            inside.append(item)
            begun.set()
            time.sleep(0.2)
            inside.pop()
            return item

        def __len__(self):
            return 3

    batches = iter(sampling.loader(Items()))
    for _ in range(2):
        begun.clear()
        next(batches)
        assert begun.wait(10)
        process = multiprocessing.get_context("fork").Process(target=lambda: sys.exit(len(inside)))
        process.start()
        process.join()
        assert process.exitcode == 0


def test_a_forked_process_decodes_in_a_thread_of_its_own(toy):
    def decode():
        assert len(list(sampling.loader(sampling.TestClips(toy[1], CLIP, AUGMENT)))) == len(toy[1])

    decode()
    process = multiprocessing.get_context("fork").Process(target=decode)
    process.start()
    process.join(60)
    process.kill()
    assert process.exitcode == 0
