"""What all figures share: their look, the layout of panels, legends, series over epochs, reading and saving.

A figure is a module beside this one: a function of the module's name, from plain data to a `Figure`, and ``read``,
which makes that data of a job's inputs and parameters. Nothing goes through pyplot: there is no state to close.

Names are never markup: nothing is a formula but what the project itself marks as one, and what the figures' font lacks
comes from another font, or as its number (`styled`).
"""

from __future__ import annotations

import bisect
import dataclasses
import functools
import math
import warnings
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Patch
from matplotlib.text import Text
from matplotlib.textpath import text_to_path
from matplotlib.ticker import MaxNLocator

from dtkd.analysis.figures import fonts
from dtkd.common.errors import DtkdWarning
from dtkd.common.files import atomic

# Okabe-Ito's colours, told apart by everybody; blue and vermilion mean the subsets and nothing else.
COLOURS = {
    "static": "#0072B2",
    "dynamic": "#D55E00",
    "overall": "#555555",
    "baseline": "#888888",
    "threshold": "#222222",
}
HATCHES = {"static": "", "dynamic": "//////"}  # in greyscale blue and vermilion are alike


class Look(NamedTuple):
    """How a group of classes is drawn, wherever it is."""

    colour: str
    hatch: str
    line: Any
    marker: str


LOOKS = {
    "static": Look(COLOURS["static"], HATCHES["static"], "-", "o"),
    "dynamic": Look(COLOURS["dynamic"], HATCHES["dynamic"], "--", "^"),
}
OTHERS = (
    Look("#009E73", "....", "-.", "s"),
    Look("#CC79A7", "xxxx", ":", "D"),
    Look("#E69F00", "\\\\\\\\\\\\", (0, (5, 1, 1, 1, 1, 1)), "v"),
    Look("#56B4E9", "||||", (0, (1, 1)), "P"),
    Look("#8C564B", "++++", (0, (8, 2)), "X"),
)


def looks(groups: Sequence[str]) -> dict[str, Look]:
    """How each of a data set's groups is drawn: static and dynamic as always, others by their place among others.

    Where these are more than there are colours, a colour comes again with another hatch, line and marker.
    """
    others = [group for group in groups if group not in LOOKS]
    made = {group: _other_look(place) for place, group in enumerate(others)}
    return {group: LOOKS.get(group) or made[group] for group in groups}


def _other_look(place: int) -> Look:
    turn, place = divmod(place, len(OTHERS))
    return OTHERS[(place + turn) % len(OTHERS)]._replace(colour=OTHERS[place].colour)


class Stroke(NamedTuple):
    """How a series is drawn; no two are alike in greyscale."""

    color: str
    linestyle: Any
    marker: str


STROKES = (
    Stroke("#009E73", "-", "o"),
    Stroke("#CC79A7", "--", "s"),
    Stroke("#000000", ":", "^"),
    Stroke("#56B4E9", "-.", "D"),
    Stroke("#E69F00", (0, (5, 1, 1, 1, 1, 1)), "v"),
)
COLUMN = 3.5  # inches: one column of a journal page
SMALL = 7  # points: the least size of print
FONT = "DejaVu Sans"  # comes with matplotlib: the same figure everywhere
STYLE = {
    "font.family": FONT,
    "text.parse_math": False,  # a name may have $ in it
    "font.size": 8,
    "axes.labelsize": 8,
    "axes.titlesize": 8,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "legend.frameon": False,
    "legend.fontsize": SMALL,
    "lines.linewidth": 1.2,
    "lines.markersize": 2.5,
    "hatch.linewidth": 0.5,
    "mathtext.default": "regular",
    "pdf.fonttype": 42,  # letters stay letters, as journals ask
}
Value = TypeVar("Value")


def styled(draw: Callable[..., Figure]) -> Callable[..., Figure]:
    """A figure function in the shared style; its figure comes back laid out, with every letter of its names.

    Where names have letters that `FONT` lacks, the figure is drawn again with fonts of this machine that have them; a
    letter that no font has is drawn as its number, such as U+56FE, and one `DtkdWarning` says so.
    """

    @functools.wraps(draw)
    def wrapped(*args, **kwargs) -> Figure:
        strange: set[str] = set()
        while True:
            lettering = fonts.lettering(strange)
            style = STYLE | {"font.family": [FONT, *lettering.families]}
            with matplotlib.rc_context(style), warnings.catch_warnings():
                warnings.filterwarnings("ignore", r"Glyph .* missing from font", UserWarning)  # the next turn has it
                figure = draw(*_translated(args, lettering.table), **_translated(kwargs, lettering.table))
                figure.draw_without_rendering()  # ticks, too, take their style when they are made
            found = fonts.lacking("".join(text.get_text() for text in figure.findobj(Text)), FONT)
            if found <= strange:
                break
            strange |= found
        if lettering.unknown:
            warnings.warn(_no_font(lettering.unknown), DtkdWarning, stacklevel=2)
        return figure

    return wrapped


def _no_font(characters: Collection[str]) -> str:
    shown = ", ".join(f"{character} (U+{ord(character):04X})" for character in sorted(characters)[:5])
    more = f" and {len(characters) - 5} more characters" if len(characters) > 5 else ""
    return (
        f"warning: no font here has {shown}{more}; drawn by number. Install one that does, such as Noto's (a file in "
        "~/.local/share/fonts will do), and make the figures again: --forcerun figure examples"
    )


def _translated(value: Any, table: Mapping[int, str]) -> Any:
    """A figure's data with its names translated (but those of videos in predictions, which no figure shows)."""
    if not table:
        return value
    again = functools.partial(_translated, table=table)
    if isinstance(value, str):
        return value.translate(table)
    if isinstance(value, Mapping):
        return {again(key): again(each) for key, each in value.items()}
    if isinstance(value, list) or type(value) is tuple:
        return type(value)(map(again, value))
    if isinstance(value, pd.DataFrame):
        return value.map(again)
    if dataclasses.is_dataclass(value):
        return dataclasses.replace(value, **{field.name: again(getattr(value, field.name))
                                             for field in dataclasses.fields(value)})  # fmt: skip
    return value


def save(figure: Figure, output: Mapping[str, str]) -> None:
    """Write ``figure`` to ``output["png"]`` and ``output["pdf"]``; the same figure gives the same bytes."""
    families = {family for text in figure.findobj(Text) for family in text.get_fontfamily()}
    style = STYLE if fonts.truetype(sorted(families)) else STYLE | {"pdf.fonttype": 3}
    for kind, metadata in (("png", {}), ("pdf", {"CreationDate": None})):
        with atomic(output[kind]) as path, matplotlib.rc_context(style):
            figure.savefig(path, dpi=200, metadata=metadata)


# -- reading: what scripts are given ---------------------------------------------------------------------------------


def read_runs(
    shown: Mapping[str, Mapping[str, Sequence[str]]], read: Callable[[str], Value]
) -> dict[str, dict[str, list[Value]]]:
    """``shown`` (dataset -> label -> one file per seed) with what ``read`` makes of each file."""
    return {
        dataset: {label: [read(path) for path in paths] for label, paths in runs.items()}
        for dataset, runs in shown.items()
    }


def read_table(path: str) -> pd.DataFrame:
    """A table's CSV, in which names stay the text that they are, be it "007" or "None"."""
    return pd.read_csv(path, dtype={"dataset": str, "model": str}, keep_default_na=False, na_values=[""])


# -- layout ----------------------------------------------------------------------------------------------------------


def panels(
    datasets: Sequence[str], height: float, rows: int = 1, wide: bool = False
) -> tuple[Figure, dict[str, list[Axes]]]:
    """A figure with ``rows`` axes, one above the other, per dataset; two datasets side by side, further ones below.

    Args:
        height: of one axes with its labels, in inches. A panel is one column wide;
        wide: or two, and datasets are below one another.
    """
    datasets = list(datasets)
    most = 1 if wide else 2
    across, down = min(len(datasets), most), math.ceil(len(datasets) / most)
    figure = Figure(figsize=(2 * COLUMN if wide else COLUMN * across, height * rows * down), layout="constrained")
    grid = figure.subplots(down * rows, across, squeeze=False)
    own = {}
    for n, name in enumerate(datasets):
        top, column = n // most * rows, n % most
        own[name] = list(grid[top : top + rows, column])
    for n in range(len(datasets), across * down):  # the last row may be half empty
        for axis in grid[n // most * rows : (n // most + 1) * rows, n % most]:
            axis.remove()
    return figure, own


def title(datasets: Sequence[str], name: str) -> str:
    """``(a) name`` where there are several datasets, as in the paper."""
    datasets = list(datasets)
    return f"({chr(ord('a') + datasets.index(name))}) {name}" if len(datasets) > 1 else name


def heads(
    entries: Sequence[tuple[Axes, str, Sequence[Artist]]], width: float = COLUMN, formulas: Collection[Artist] = ()
) -> None:
    """Titles and, between them and the data, legends: they never cover any. All panels get the same number of rows.

    A label that is wider than its panel takes several lines.

    Args:
        entries: axes, title, and what the legend explains (artists with labels).
        width: of a panel, in inches.
        formulas: those of the artists whose labels are the project's own formulas.
    """
    beside = max(text_width(label.get_text()) for axis, *_ in entries for label in axis.get_yticklabels())
    room = 72 * width - max(50, beside + 20)  # an axis without names has numbers and a label there
    for handle in {handle for *_, handles in entries for handle in handles} - set(formulas):
        handle.set_label(in_lines(handle.get_label(), room - 3.3 * SMALL))
    rows = max(_legend_rows(handles, room, formulas) for *_, handles in entries)
    lines = max(_legend_height(handles, rows) for *_, handles in entries)
    for axis, text, handles in entries:
        axis.set_title(text, pad=4 + (1.35 * SMALL * lines + 2 if lines else 0))
        if handles:
            legend = axis.legend(
                handles=handles, ncols=math.ceil(len(handles) / rows), loc="lower left", bbox_to_anchor=(0, 1),
                borderaxespad=0.2, borderpad=0, handlelength=1.8, handletextpad=0.5, columnspacing=1, labelspacing=0.3,
            )  # fmt: skip
            for label, handle in zip(legend.get_texts(), handles, strict=True):
                label.set_parse_math(handle in formulas)


def _legend_rows(handles: Sequence[Artist], room: float, formulas: Collection[Artist]) -> int:
    """The fewest rows of a legend that fit in ``room`` points (matplotlib fills its columns from top to bottom)."""
    widths = [
        max(text_width(line, formula=handle in formulas) for line in handle.get_label().split("\n")) + 3.3 * SMALL
        for handle in handles
    ]
    for rows in range(1, len(widths)):
        columns = np.array_split(widths, math.ceil(len(widths) / rows))
        if sum(column.max() for column in columns) <= room:
            return rows
    return len(widths)


def _legend_height(handles: Sequence[Artist], rows: int) -> int:
    """The lines of text of a legend of so many rows."""
    lines = [1 + handle.get_label().count("\n") for handle in handles]
    return max(sum(column) for column in np.array_split(lines, math.ceil(len(lines) / rows))) if lines else 0


def in_lines(text: str, room: float) -> str:
    """``text`` in lines that are no wider than so many points; a word that is wider is cut."""
    if text_width(text) <= room:
        return text
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".lstrip()
        if text_width(longer) <= room:
            lines[-1] = longer
        else:
            lines += [short(word, room)]
    return "\n".join(filter(None, lines))


def text_width(text: str, size: float = SMALL, formula: bool = False) -> float:
    """The width of ``text`` in points."""
    return text_to_path.get_text_width_height_descent(text, FontProperties(size=size), formula)[0] if text else 0.0


def short(name: str, room: float) -> str:
    """A name, cut where it is wider than so many points."""
    if text_width(name) <= room:
        return name
    too_many = bisect.bisect_right(range(len(name)), room, key=lambda end: text_width(f"{name[:end]}…"))
    return f"{name[: max(0, too_many - 1)]}…"


# -- parts of figures ------------------------------------------------------------------------------------------------


def over_epochs(axis: Axes, histories: Sequence[pd.DataFrame], column: str, *, band: bool = True, **style: Any) -> None:
    """Draw one column of runs that differ in their seed: the mean, and with several seeds a band from least to most."""
    values = pd.concat(histories).groupby("epoch")[column]
    mean = values.mean()
    marked = len(mean) <= 15  # with more, markers merge
    style = style | {"marker": style.get("marker", "") if marked else ""}
    if len(mean) == 1:  # a line of one point is invisible
        style["marker"] = style["marker"] or "o"
    axis.plot(mean.index, mean, **style)
    if band and len(histories) > 1 and len(mean) == 1:
        axis.vlines(mean.index, values.min(), values.max(), color=style["color"], alpha=0.4, linewidth=3)
    elif band and len(histories) > 1:
        axis.fill_between(mean.index, values.min(), values.max(), color=style["color"], alpha=0.2, linewidth=0)


def epochs_axis(axis: Axes, label: bool) -> None:
    """Whole epochs on the x axis, with or without its label."""
    epochs = np.concatenate([line.get_xdata() for line in axis.lines])  # not the data's limits: those forget NaN
    first, last = epochs.min(), epochs.max()
    room = 0.03 * (last - first) or 0.5
    axis.set_xlim(first - room, last + room)
    axis.xaxis.set_major_locator(MaxNLocator(8, integer=True, steps=[1, 2, 5, 10], min_n_ticks=1))
    axis.tick_params(axis="x", labelbottom=label)
    axis.set_xlabel("epoch" if label else "")


def seeds_patch(counts: Sequence[int]) -> list[Patch]:
    """What `over_epochs`'s bands are, for a legend; nothing for single seeds."""
    most = max(counts, default=1)
    return [Patch(color=COLOURS["overall"], alpha=0.3, lw=0, label=f"range of {most} seeds")] if most > 1 else []


def deviation(values: np.ndarray) -> np.ndarray | None:
    """Standard deviation over seeds (the first axis; of a sample), None for a single one."""
    return values.std(axis=0, ddof=1) if len(values) > 1 else None
