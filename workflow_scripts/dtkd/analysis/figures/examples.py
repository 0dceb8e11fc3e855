"""Sample frames of static and dynamic classes with their optical flow: what Eq. 1 calls static, to look at."""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import hsv_to_rgb
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D
from matplotlib.transforms import Bbox

from dtkd.analysis.figures.base import COLUMN, SMALL, looks, short, styled, title
from dtkd.common.files import read_parquet
from dtkd.config import Augment
from dtkd.data import video
from dtkd.data.groups import group_names
from dtkd.motion.detectors import PERSON_MEASURES
from dtkd.motion.flow import MEASURES, Settings, in_unit, over_time, video_flow
from dtkd.motion.subsets import motion_unit
from dtkd.training import cropping

NAME = 68  # points that a class's name may take above its frame


@dataclass(frozen=True)
class Example:
    """One video of a class: a frame, and the flow from it to the next."""

    name: str  # of the class
    subset: str
    class_mean: float | None  # of the videos' motion, in `unit`; None where the split has none
    video: str  # its path below the dataset's folder
    video_mean: float  # its motion, in `unit`
    frame_number: int
    frame: np.ndarray  # (H, W, 3) uint8, RGB
    flow: np.ndarray  # (h, w, 2) float32, pixels/frame at the working size
    fed: np.ndarray  # the frame as networks meet it (`cropping.as_fed`)
    unit: str  # of the class's and the video's motion, in words (`subsets.motion_unit`)

    @property
    def magnitude(self) -> np.ndarray:
        return np.hypot(self.flow[..., 0], self.flow[..., 1])


def chosen_classes(split: Mapping[str, Any], subset: str) -> list[str]:
    """A subset's classes of least, middle and most motion; first, middle and last by name where there are no means.

    Of more than two groups those of least and of most, of more than three the one in the middle.
    """
    own = {name: entry for name, entry in split["classes"].items() if entry["subset"] == subset}
    ordered = sorted(own, key=lambda name: (own[name]["mean"] or 0.0, name))
    first, middle, last = 0, (len(ordered) - 1) // 2, len(ordered) - 1
    count = len(group_names(split))
    places = {first, middle, last} if count == 2 else {first, last} if count == 3 else {middle}
    return [ordered[place] for place in sorted(places)] if ordered else []


def typical_video(videos: Collection[str], flow: pd.DataFrame, measure: str, target: float | None) -> str:
    """The class's training video whose flow is nearest to ``target``; the first without a target.

    Args:
        videos: names of the training videos.
        flow: the class's summary (``flow.class_flow``).
    """
    names = sorted(videos)
    if target is not None:
        own = flow[flow["video"].isin(names)]
        names = own.loc[(own[measure] - target).abs().sort_values(kind="stable").index, "video"].tolist() or names
    return names[0]


def example(
    root: str | Path, path: str, name: str, entry: Mapping[str, Any], table: Path, settings: Settings, measure: str,
    unit: str, augment: Augment, crops: int = 1,
) -> Example:  # fmt: skip
    """Of one video the pair of frames whose flow is nearest to the video's. Raises as ``flow.video_flow``.

    Args:
        augment: how clips are made of frames; ``crops`` of them are tested on.
        table: the video's stored flow (``flow.write_video_flow``), so that only the flow of the pair is computed.
    """
    file = Path(root, path)
    # no job declares the tables of single videos: somebody may have removed them
    pairs = read_parquet(table) if table.exists() else video_flow(file, **asdict(settings))
    if measure in PERSON_MEASURES:  # the others have no motion of persons
        pairs = pairs[pairs["persons"] > 0]
    seconds = pairs["seconds"].to_numpy()
    column = measure if measure in (*MEASURES, *PERSON_MEASURES) else "mean"
    values = in_unit(pairs[column].to_numpy(np.float64), seconds, settings)
    own = over_time(values, seconds, settings)
    nearest = np.abs(values - (values.mean() if settings.over_time == "share" else own)).argmin()
    number = int(pairs["pair"].iloc[nearest])
    grey = pairwise(video.grey_frames(file, settings.short_side, settings.step))
    flow = settings.function()(*next(islice(grey, number, None))) / settings.step
    at = number * settings.step
    frame = video.read(file, [at])[0]
    fed = cropping.as_fed(frame, augment, crops)
    return Example(name, entry["subset"], entry["mean"], path, own, at, frame, flow, fed, unit)


def examples(
    split: Mapping[str, Any],
    index: pd.DataFrame,
    root: str | Path,
    flow: Path,
    settings: Settings,
    augment: Augment,
    crops: int = 1,
) -> Iterator[Example]:
    """One training video of list 1 for some classes of each group, by rising motion.

    Args:
        augment, crops: as in `example`.
        root: the folder of the videos.
        flow: the folder of their flow: a summary of each class, and a folder of its videos' tables.
    """
    measure, unit = split["criterion"].get("measure") or "mean", motion_unit([split])
    train = index[index["list1"] == "train"]
    for subset in group_names(split):
        for name in chosen_classes(split, subset):
            entry, own = split["classes"][name], train[train["class"] == name]
            videos = dict(zip(own["video"], own["path"], strict=True))
            chosen = typical_video(videos, read_parquet(flow / f"{name}.parquet"), measure, entry["mean"])
            table = flow / name / f"{chosen}.parquet"
            yield example(root, videos[chosen], name, entry, table, settings, measure, unit, augment, crops)


def coloured(flow: np.ndarray, most: float) -> np.ndarray:
    """Flow (h, w, 2) as a picture: the hue is the direction, white no motion, full colour ``most`` pixels and more."""
    hue = (np.arctan2(-flow[..., 1], flow[..., 0]) / (2 * np.pi)) % 1.0  # upwards is up: rows count downwards
    saturation = np.clip(np.hypot(flow[..., 0], flow[..., 1]) / most, 0, 1)
    return hsv_to_rgb(np.stack([hue, saturation, np.full_like(hue, 0.96)], axis=-1))


@styled
def draw(shown: Mapping[str, Sequence[Example]]) -> Figure:
    """The figure: a block a dataset, a column an example, its frame above its flow, one scale of flow a block."""
    figure = Figure(figsize=(2 * COLUMN, 2.75 * len(shown)))
    blocks = figure.subfigures(len(shown), 1, squeeze=False)[:, 0]
    for block, (dataset, found) in zip(blocks, shown.items(), strict=True):
        _block(block, title(shown, dataset), found)
    return figure


def _block(block: SubFigure, name: str, found: Sequence[Example]) -> None:
    most = max(float(np.quantile(np.concatenate([one.magnitude.ravel() for one in found]), 0.99)), 0.1)
    block.text(0.01, 0.97, name, weight="bold", va="top")
    grid = block.add_gridspec(
        2, len(found) + 1, left=0.01, right=0.99, top=0.72, bottom=0.085, wspace=0.08, hspace=0.06,
        width_ratios=[1] * len(found) + [0.68],
    )  # fmt: skip
    style = looks(list(dict.fromkeys(one.subset for one in found)))
    for column, one in enumerate(found):
        colour = style[one.subset].colour
        top, bottom = (block.add_subplot(grid[row, column]) for row in (0, 1))
        top.imshow(one.fed)
        bottom.imshow(coloured(one.flow, most))
        mean = "" if one.class_mean is None else f"class {one.class_mean:.2f}"
        top.set_title(
            f"{short(one.name, NAME)}\n{mean}", fontsize=SMALL, weight="normal", loc="center", color=colour, pad=3
        )
        bottom.set_xlabel(f"video {one.video_mean:.2f}", fontsize=SMALL, labelpad=2)
        for axis in (top, bottom):
            axis.set(xticks=[], yticks=[])
            for spine in axis.spines.values():
                spine.set(visible=True, edgecolor=colour, linewidth=1.2)
    for subset, look in style.items():
        columns = [column for column, one in enumerate(found) if one.subset == subset]
        if columns:
            _heading(block, subset, look.colour, *(grid[0, columns[end]].get_position(block) for end in (0, -1)))
    _wheel(block.add_subplot(grid[0, -1], projection="polar"))
    key, words = block.add_subplot(grid[1, -1]), ["hue: direction", "full colour:", f"{most:.1f} px/frame", ""]
    lines = [*words, *textwrap.wrap(f"class, video: {found[0].unit}", 15)]
    key.set_axis_off()
    key.text(0.5, 0.95, "\n".join(lines), fontsize=SMALL, ha="center", va="top", transform=key.transAxes)


def _heading(block: SubFigure, subset: str, colour: str, first: Bbox, last: Bbox) -> None:
    """A group's name above its columns, underlined."""
    middle = (first.x0 + last.x1) / 2
    name = short(subset, 0.7 * 72 * 2 * COLUMN * (last.x1 - first.x0))  # of small print: this is larger and bold
    block.text(middle, 0.917, name, color=colour, ha="center", va="top", weight="bold")
    ends = [first.x0, last.x1]
    block.add_artist(Line2D(ends, [0.856] * 2, color=colour, linewidth=1.2, transform=block.transSubfigure))


def _wheel(axis: Axes) -> None:
    """The key: which colour is which direction."""
    angle, radius = np.meshgrid(np.linspace(0, 2 * np.pi, 145), np.linspace(0, 1, 17))
    flow = np.stack([radius * np.cos(angle), -radius * np.sin(angle)], axis=-1)
    axis.pcolormesh(angle, radius, coloured(flow[:-1, :-1], 1.0), shading="flat", rasterized=True)
    axis.set(xticks=[], yticks=[])
    axis.spines["polar"].set_linewidth(0.5)


def table(shown: Mapping[str, Sequence[Example]]) -> pd.DataFrame:
    """Which videos the figure shows; their and their classes' motion as `Example.unit` says."""
    columns = ("subset", "name", "class_mean", "video", "video_mean", "frame_number")
    rows = [
        {"dataset": dataset} | {name: getattr(one, name) for name in columns}
        for dataset, some in shown.items()
        for one in some
    ]
    renamed = {"name": "class", "frame_number": "frame"}
    return pd.DataFrame(rows, columns=["dataset", *columns]).rename(columns=renamed)
