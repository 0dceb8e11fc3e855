"""What the students of a grid gain, as a map over its settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import Patch, Rectangle

from dtkd.analysis.figures.bars import signed
from dtkd.analysis.figures.base import COLUMN, SMALL, heads, panels, read_table, short, styled, text_width, title

Grids = Mapping[str, Mapping[str, Mapping[str, Any]]]  # of `shown_runs.grids`
COLOURS = "PRGn"  # purple is worse than the baseline, green better; blue and vermilion are the subsets'
CELL = 0.32  # inches, its height
NARROW = 6  # so many values fit beside each other in a column of a page


class Map(NamedTuple):
    """Gains over two keys of a grid; of a grid with one key, of one row."""

    name: str  # the data set, the row, and the values of further keys
    across: tuple[str, Sequence[str]]  # a key and its values
    up: tuple[str, Sequence[str]]
    gains: np.ndarray  # (up, across), points
    best: Sequence[tuple[int, int]]  # where the greatest gain of the whole grid is here; nowhere if all are alike
    students: int  # of the whole grid


def read(given: Any, params: Any) -> tuple[pd.DataFrame, Grids]:
    """The table, of a job's inputs, and which of its rows are of which grid."""
    return read_table(given.table), params.shown


@styled
def grids(table: pd.DataFrame, shown: Grids) -> Figure:
    """The gain over the baseline (points of top-1) of every student of each grid, in one colour scale about zero.

    The two keys with the most values are the axes; there is a map for each combination of further ones. The grid's
    greatest gain is framed, unless all are alike: it was found on the test videos.

    Args:
        table: Table 5: dataset, model, gain.
        shown: dataset -> row -> ``keys`` (key -> its values) and ``students`` (name -> its value of each key).
    """
    gain = table.set_index(["dataset", "model"])["gain"]
    maps = [each for dataset, rows in shown.items() for row, grid in rows.items()
            for each in maps_of(f"{dataset}, {row}", grid, gain[dataset])]  # fmt: skip
    names = [each.name for each in maps]
    height = 1.0 + CELL * max(len(each.gains) for each in maps)
    wide = any(len(each.across[1]) > NARROW for each in maps)
    figure, axes = panels([str(n) for n in range(len(maps))], height, wide=wide)
    greatest = max(abs(each.gains).max() for each in maps) or 1
    width = (2 if wide else 1) * COLUMN
    entries = []
    for (axis,), each in zip(axes.values(), maps, strict=True):
        image = _draw(axis, each, Normalize(-greatest, greatest), width)
        label = f"best of {each.students}: chosen on the test videos"
        framed = [Patch(fill=False, edgecolor="black", linewidth=1.5, label=label)] if each.best else []
        entries.append((axis, title(names, each.name), framed))
    _scale(figure, image)
    heads(entries, width)
    return figure


def _scale(figure: Figure, image: AxesImage) -> None:
    """The colours of all maps, in a bar below them that has one size whatever the figure's."""
    across, down = figure.get_size_inches()
    length, thickness = 2.2, 0.08
    figure.set_size_inches(across, down + 0.4)
    bar = figure.colorbar(image, ax=figure.axes, location="bottom", shrink=length / across, aspect=length / thickness,
                          fraction=thickness / down, pad=0.12 / down)  # fmt: skip
    bar.set_label("gain in top-1 over the baseline (points)")
    bar.outline.set_linewidth(0.6)


def maps_of(name: str, grid: Mapping[str, Any], gain: pd.Series) -> Iterator[Map]:
    """The maps of one grid; ``gain`` is that of students by their names."""
    keys = {key: list(values) for key, values in grid["keys"].items()}
    by_values = {frozenset(zip(keys, own, strict=True)): gain[student] for student, own in grid["students"].items()}
    greatest = max(by_values.values())
    across, *others = sorted(keys, key=lambda key: -len(keys[key]))
    up, others = (others[0], others[1:]) if others else ("", [])
    rows = [[(up, value)] for value in keys[up]] if up else [[]]
    for further in product(*([(key, value) for value in keys[key]] for key in others)):
        gains = np.array(
            [[by_values[frozenset([(across, x), *y, *further])] for x in keys[across]] for y in rows], float
        )
        best = [] if greatest == min(by_values.values()) else [tuple(cell) for cell in np.argwhere(gains == greatest)]
        said = [f"{key} {value}" for key, value in further if len(keys[key]) > 1]
        label = ", ".join([name, *said])
        yield Map(label, (across, keys[across]), (up, keys[up] if up else [""]), gains, best, len(by_values))


def _draw(axis: Axes, each: Map, norm: Normalize, width: float) -> AxesImage:
    """Draw a map with a number in each cell; ``width`` is that of the panel in inches."""
    image = axis.imshow(each.gains, cmap=COLOURS, norm=norm, aspect="auto", origin="lower")
    room = (72 * width - 70) / len(each.across[1])
    narrow = room < text_width(signed(-10)) + 3
    for (row, column), value in np.ndenumerate(each.gains):
        dark = abs(value) > 0.6 * norm.vmax
        axis.text(column, row, signed(value, 2 - narrow), ha="center",
                  va="center" if narrow else "center_baseline", fontsize=SMALL, color="white" if dark else "black",
                  rotation=90 * narrow)  # fmt: skip
    for row, column in each.best:
        axis.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, fill=False, edgecolor="black", linewidth=1.5,
                                 clip_on=False, zorder=3))  # fmt: skip
    axis.set_xticks(range(len(each.across[1])), [short(value, room - 3) for value in each.across[1]])
    axis.set_yticks(range(len(each.up[1])), [short(value, 60) for value in each.up[1]])
    axis.tick_params(length=0)
    axis.spines[:].set_visible(False)
    axis.set(xlabel=each.across[0], ylabel=each.up[0])
    return image
