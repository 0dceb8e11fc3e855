"""Motion of persons: a flow field over the boxes in which a detector has found them."""

from __future__ import annotations

import numpy as np


def of_pair(flow: np.ndarray, boxes: np.ndarray) -> tuple[float, float]:
    """The `detectors.PERSON_MEASURES` of a flow field, float32 (H, W, 2); both NaN where there is no person.

    ``person`` is the mean magnitude over the pixels in any of the ``boxes`` (see `fasterrcnn.boxes`), in pixels of
    displacement; ``person_height`` is the same mean with each pixel's magnitude in % of its box's height: a person far
    from the camera then moves as much as one nearby. Where boxes overlap, a pixel is the taller's.
    """
    tall = heights(flow.shape[:2], boxes)
    inside = tall > 0
    if not inside.any():
        return float("nan"), float("nan")
    x, y = flow[inside].T
    magnitude = np.hypot(x, y)
    return float(magnitude.mean(dtype=np.float64)), 100 * float((magnitude / tall[inside]).mean(dtype=np.float64))


def heights(shape: tuple[int, int], boxes: np.ndarray) -> np.ndarray:
    """Of each pixel the height of the person that it shows, in pixels: float32 (H, W), 0 where there is none."""
    rows, columns = shape
    tall = np.zeros(shape, np.float32)
    for left, top, right, bottom in sorted(boxes.tolist(), key=lambda box: box[3] - box[1]):
        within = (slice(round(top * rows), round(bottom * rows)), slice(round(left * columns), round(right * columns)))
        tall[within] = (bottom - top) * rows
    return tall
