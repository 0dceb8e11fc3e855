"""What the measures of motion see of a video, as a picture: python -m dtkd.motion my_video.mp4 motion.png"""

from __future__ import annotations

import argparse
from itertools import islice, pairwise
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from dtkd.analysis.figures.base import COLUMN, SMALL, styled
from dtkd.analysis.figures.examples import coloured
from dtkd.common.command import command
from dtkd.common.errors import DtkdError
from dtkd.common.files import atomic
from dtkd.data import video
from dtkd.motion import algorithms, flow, persons
from dtkd.motion.detectors import PERSON_MEASURES
from dtkd.motion.flow import MEASURES, MOVES, FrameStatistics, Settings


def camera_part(field: np.ndarray, statistics: FrameStatistics) -> np.ndarray:
    """The global motion that is fitted to a flow field (H, W, 2): shift, zoom and roll, float32, of its shape."""
    height, width = field.shape[:2]
    scale, shift = statistics.camera(field)
    row, column = np.arange(width) - (width - 1) / 2, np.arange(height) - (height - 1) / 2
    motion = scale * (row + 1j * column[:, None]) + shift
    return np.stack([motion.real, motion.imag], axis=-1).astype(np.float32)


@styled
def draw(frame: np.ndarray, field: np.ndarray, boxes: np.ndarray | None = None) -> Figure:
    """A frame (H, W, 3), RGB, its flow, the camera's part, the rest, and of this what moves; each with its measures.

    Args:
        field: displacements to the next frame in pixels, float32 (h, w, 2).
        boxes: of the persons that were sought in the frame (`fasterrcnn.boxes`): one panel more.
    """
    height, width = field.shape[:2]
    statistics = FrameStatistics(height, width)
    values = dict(zip(MEASURES, statistics(field), strict=True))
    camera = camera_part(field, statistics)
    rest = field - camera
    moves = np.hypot(rest[..., 0], rest[..., 1]) > MOVES
    most = max(float(np.quantile(np.hypot(field[..., 0], field[..., 1]), 0.99)), MOVES)
    panels = [
        ("frame", frame, []),
        ("flow", coloured(field, most), ["mean", "q90", "centre"]),
        ("camera", coloured(camera, most), ["camera"]),
        ("flow without the camera", coloured(rest, most), ["residual"]),
        ("what moves", coloured(np.where(moves[..., None], rest, 0), most), ["moving"]),
    ]
    if boxes is not None:
        values |= dict(zip(PERSON_MEASURES, persons.of_pair(field, boxes), strict=True))
        inside = (persons.heights((height, width), boxes) > 0)[..., None]
        panels.append(("persons", coloured(np.where(inside, field, 0), most), PERSON_MEASURES if len(boxes) else []))
    figure = Figure(figsize=(2 * COLUMN, 0.75 + 6.4 / len(panels) * height / width), layout="constrained")
    for axis, (name, picture, measures) in zip(figure.subplots(1, len(panels)), panels, strict=True):
        axis.imshow(picture)
        axis.set_title(name, loc="center", weight="normal", fontsize=SMALL)
        words = "\n".join(f"{measure} {values[measure]:.2f}" for measure in measures)
        words = words or ("none found" if name == "persons" else f"full colour:\n{most:.1f} pixels/frame")
        axis.set_xlabel(words, fontsize=SMALL, verticalalignment="top")
        if name == "persons":
            for left, top, right, bottom in boxes * [width, height, width, height]:
                axis.add_patch(Rectangle((left, top), right - left, bottom - top, fill=False, linewidth=0.8))
        axis.set(xticks=[], yticks=[])
        axis.spines[:].set_visible(True)
        if "centre" in measures:  # the pixels that it is over
            (rows, columns) = statistics.middle
            axis.add_patch(Rectangle((columns.start, rows.start), columns.stop - columns.start, rows.stop - rows.start,
                                     fill=False, linestyle="--", linewidth=0.8))  # fmt: skip
    return figure


def liveliest(path: str | Path, settings: Settings) -> int:
    """The number of the frame from which most moves by itself (the residual, to the next one)."""
    return int(flow.video_flow(path, settings.algorithm, short_side=settings.short_side)["residual"].argmax())


def _without_weights() -> list[str]:
    return [name for name in algorithms.names() if not algorithms.entry(name).network]


def main() -> None:
    parser = argparse.ArgumentParser("python -m dtkd.motion", description=__doc__.partition(":")[0], allow_abbrev=False)
    parser.add_argument("video")
    parser.add_argument("picture", help="the PNG or PDF file to write")
    parser.add_argument("--frame", type=int, help="its number (default: the one from which most moves by itself)")
    parser.add_argument("--algorithm", choices=_without_weights(), default="farneback")
    parser.add_argument("--persons", metavar="WEIGHTS",
                        help="show the persons, found by the detector with these parameters (a study's measure person "
                        "downloads them to results/weights)")  # fmt: skip
    parser.add_argument("--short-side", type=int, help="pixels of the scaled frame's shorter side (default: as it is)")
    given = parser.parse_args()
    if Path(given.picture).suffix not in (".png", ".pdf"):
        parser.error(f"{given.picture}: the picture's name ends in .png or .pdf")
    with command():
        print(f"{given.picture}: frame {_write(given)}")


def _write(given: argparse.Namespace) -> int:
    """Write the picture; returns the number of its frame."""
    settings = Settings(given.algorithm, short_side=given.short_side, person_weights=given.persons)
    settings.check()
    number = liveliest(given.video, settings) if given.frame is None else given.frame
    frames = video.info(given.video).frames
    if not 0 <= number < frames - 1:
        raise DtkdError(f"--frame: {number}, and of {given.video}'s {frames} frames pairs begin at 0 to {frames - 2}")
    pair = next(islice(pairwise(video.grey_frames(given.video, given.short_side)), number, None))
    found = settings.persons(given.video)
    boxes = None if found is None else found[number]
    figure = draw(video.read(given.video, [number])[0], settings.function()(*pair), boxes)
    with atomic(given.picture) as path:
        figure.savefig(path, dpi=200, metadata={"CreationDate": None} if path.suffix == ".pdf" else {})
    return number
