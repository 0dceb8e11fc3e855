"""Which methods rank before others, over data sets, lists and seeds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dtkd.analysis import ranks
from dtkd.analysis.figures.base import COLOURS, COLUMN, SMALL, in_lines, short, styled
from dtkd.training.metrics import Predictions, top_k

ROW = 0.17  # inches from a name to the next
CLIQUE = 0.09  # and from a bar to the next
NAME = 130  # points that a name may take


def read(given: Any, params: Any) -> tuple[Any, ...]:
    """What `critical_difference` draws, of a job's parameters: the methods and their top-1 in every block."""

    def top1(file: str) -> float:
        run = Predictions.read(file)
        return top_k(run.logits, run.labels, 1)

    blocks = [block for lists in params.shown.values() for block in lists.values()]
    scores = [[[top1(file) for file in files] for files in block.values()] for block in blocks]  # block, method, seed
    return list(blocks[0]), np.concatenate([np.array(block).T for block in scores]), list(params.shown)


@styled
def critical_difference(methods: Sequence[str], scores: np.ndarray, where: Sequence[str]) -> Figure:
    """Demšar's diagram: each method at its mean rank in top-1; bars join those that Nemenyi's test does not tell apart.

    Args:
        methods: M names.
        scores: (B, M) of every method in every block, which is a seed of a data set's list.
        where: the data sets.
    """
    mean, count = ranks.mean_ranks(scores), len(methods)
    difference = ranks.critical_difference(count, len(scores))
    bars, names = ranks.cliques(mean, difference), (count + 1) // 2
    heights = {"above": 0.4, "bars": 0.12 + CLIQUE * len(bars), "names": ROW * names + 0.08}
    figure = Figure(figsize=(2 * COLUMN, sum(heights.values()) + 0.75), layout="constrained")
    axis = figure.add_subplot()
    axis.set(xlim=(0.9, count + 0.1), ylim=(heights["bars"] + heights["names"], -heights["above"]))
    axis.spines[["left", "bottom"]].set_visible(False)
    axis.spines["top"].set(visible=True, position=("data", 0), bounds=(1, count))
    axis.xaxis.set_ticks_position("top")
    axis.set_xticks(range(1, count + 1, 1 + count // 20))
    axis.set_yticks([])
    axis.tick_params(axis="x", pad=1)
    _ruler(axis, difference, count, -heights["above"] + 0.1)
    for place, (first, last) in enumerate(bars):
        y = 0.1 + CLIQUE * place
        axis.hlines(y, first - 0.01 * count, last + 0.01 * count, color="black", linewidth=2.5)
    for place, method in enumerate(np.argsort(mean, kind="stable")):
        left = place < names
        level = place if left else count - 1 - place
        _named(axis, methods[method], mean[method], heights["bars"] + ROW * (level + 0.5), left, count)
    p = ranks.friedman_p(scores)
    axis.set_title(in_lines(", ".join(where), 72 * 1.4 * COLUMN))
    axis.set_xlabel(
        f"mean rank in top-1 over {len(scores)} blocks, each a seed of a list (1: best); Friedman's test: "
        + ("p < 0.001" if p < 0.001 else f"p = {p:.2g}")
    )
    return figure


def _ruler(axis: Axes, difference: float, count: int, y: float) -> None:
    """How long the critical difference is, from rank 1 on; where it is longer than the axis, as long as that."""
    end = min(1 + difference, count)
    axis.hlines(y, 1, end, color=COLOURS["overall"], linewidth=1.2)
    axis.vlines([1, end], y - 0.04, y + 0.04, color=COLOURS["overall"], linewidth=1.2)
    more = " (longer than the axis)" if 1 + difference > count else ""
    axis.annotate(f"critical difference {difference:.2f}{more}", (1, y), (0, 3), textcoords="offset points",
                  va="bottom", fontsize=SMALL)  # fmt: skip


def _named(axis: Axes, name: str, rank: float, y: float, left: bool, count: int) -> None:
    """A method's name at the side, with a line up to its rank."""
    side = 0.9 if left else count + 0.1
    axis.plot([rank, rank, side], [0, y, y], color="black", linewidth=0.7)
    axis.annotate(f"{short(name, NAME)}  {rank:.2f}" if left else f"{rank:.2f}  {short(name, NAME)}", (side, y),
                  (-4 if left else 4, 0), textcoords="offset points", ha="right" if left else "left", va="center",
                  fontsize=SMALL, annotation_clip=False)  # fmt: skip
