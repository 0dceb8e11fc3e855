"""One background is one place, whoever stands in it; plain walls are no place."""

import cv2
import numpy as np

from dtkd.checks.scenes import same_places


def background(seed):
    return cv2.resize(np.random.default_rng(seed).integers(0, 255, (5, 5, 3)).astype(np.uint8), (16, 16))


def pictures(place, seed=0, still=False):
    """Nine pictures (9, 16, 16, 3) of somebody who walks before a place, or stands there."""
    random = np.random.default_rng(seed)
    found = np.repeat(place[None], 9, axis=0).astype(int) + random.integers(-3, 4, (9, 16, 16, 3))
    left, colour = random.integers(0, 10), random.integers(0, 255, 3)
    for t, image in enumerate(found):
        at = left if still else (left + 2 * t) % 13
        image[5:, at : at + 3] = colour
    return found.clip(0, 255).astype(np.uint8)


def test_videos_of_one_place_are_together():
    """Numbers 0, 2 and 4 are of one place, in the last one somebody stands still; 1 and 3 are of two others."""
    videos = [pictures(background(place), seed) for seed, place in enumerate((0, 1, 0, 2))]
    videos.append(pictures(background(0), 9, still=True))
    assert same_places(np.stack(videos)) == [(0, 2), (0, 4), (2, 4)]


def test_no_two_of_many_places_are_taken_for_one():
    assert same_places(np.stack([pictures(background(seed), seed) for seed in range(100)])) == []


def test_plain_walls_tell_nothing():
    wall = np.full((16, 16, 3), 120, np.uint8)
    assert same_places(np.stack([pictures(wall, seed, still=True) for seed in range(3)])) == []


def test_blocks_are_put_together_rightly():
    """More videos than are compared at a time."""
    videos = np.stack([pictures(background(seed % 70), seed) for seed in range(140)])
    assert same_places(videos) == [(number, number + 70) for number in range(70)]
