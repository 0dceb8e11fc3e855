"""Mean and standard deviation per channel of a dataset's training videos, for normalisation."""

from __future__ import annotations

import cv2
import numpy as np
from tqdm import tqdm

from dtkd.common.errors import DtkdError
from dtkd.data import video
from dtkd.data.datasets import Videos

ONE_COLOUR = 2 / 255  # a deviation below two grey levels is a codec's


def statistics(videos: Videos, frames_per_video: int, most_videos: int) -> dict[str, object]:
    """Per-channel (RGB, of 0..1) mean and standard deviation over all pixels of evenly spaced frames.

    At most ``most_videos`` videos, evenly spaced in the list, give ``frames_per_video`` frames each; every video
    weighs the same, whatever its size.

    Raises DtkdError where all of them are of one colour: nothing can be learnt, nor divided by their deviation.
    """
    chosen = np.linspace(0, len(videos) - 1, min(most_videos, len(videos))).round().astype(int)
    moments = []
    for place in tqdm(chosen, desc="pixel statistics", unit="video", mininterval=5):
        known = videos.infos[place] if videos.infos else video.info(videos.paths[place])
        where = np.linspace(0, known.frames - 1, min(frames_per_video, known.frames)).astype(int)
        for frame in video.read(videos.paths[place], where, known):
            mean, std = cv2.meanStdDev(frame)
            moments.append(np.stack([mean.ravel(), std.ravel() ** 2 + mean.ravel() ** 2]) / [[255.0], [255.0**2]])
    first, second = np.mean(moments, axis=0)
    deviation = np.sqrt(np.maximum(second - first**2, 0))
    if deviation.max() < ONE_COLOUR:
        red, green, blue = (255 * first).round().astype(int)
        raise DtkdError(
            f"all training videos, such as {videos.paths[chosen[0]]}, show one colour alone (red {red}, green {green}, "
            f"blue {blue} of 255), from which nothing can be learnt: look at the videos, and correct `videos` of the "
            "data set"
        )
    return {
        "mean": first.round(6).tolist(),
        "std": deviation.round(6).tolist(),
        "videos": len(chosen),
        "frames": len(moments),
    }
