"""Bars, rows of gains, and what stands on and beside them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from dtkd.analysis.figures.base import COLUMN, SMALL, in_lines


def bar_style(colour: str, baseline: bool) -> dict[str, Any]:
    """The student's bars are filled, the baseline's hatched."""
    return {
        "facecolor": "white" if baseline else colour, "edgecolor": colour, "linewidth": 0.8,
        "hatch": "//////" if baseline else "",
    }  # fmt: skip


def per_cent(value: float) -> str:
    return f"{value:.2f}" if value < 99.995 else "100"


def signed(gain: float, decimals: int = 2) -> str:
    """A gain with its sign, a minus being one; what rounds to zero is none."""
    text = f"{gain:+.{decimals}f}"
    return text.replace("-", "−" if text.strip("-0.") else "+")


def above(axis: Axes, x: float, y: float, text: str, points: float, **style: Any) -> None:
    """``text`` centred so many points above (x, y)."""
    axis.annotate(text, (x, y), (0, points), textcoords="offset points", ha="center", va="bottom", fontsize=SMALL,
                  **style)  # fmt: skip


def rows_of_gains(axis: Axes, names: Sequence[str]) -> None:
    """A row for each name, the first on top, and a line at no gain."""
    axis.set_yticks(range(len(names)), names)
    axis.tick_params(axis="y", length=0)
    axis.axvline(0, color="black", linewidth=0.8)
    axis.set_ylim(len(names) - 0.4, -0.6)
    axis.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))
    axis.grid(axis="x", linewidth=0.3, color="#CCCCCC")
    axis.spines["left"].set_visible(False)


def fitting(text: str, count: int, wide: bool) -> str:
    """A label under one of ``count`` groups of bars in lines that do not meet the next one's."""
    return in_lines(text, 72 * (2 * COLUMN if wide else COLUMN) * 0.88 / count - 4)
