"""What every student gains over its baseline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from dtkd.analysis.figures.bars import rows_of_gains, signed
from dtkd.analysis.figures.base import SMALL, heads, panels, read_runs, read_table, styled, title
from dtkd.analysis.figures.pairs import Runs
from dtkd.training.metrics import NOISE, Predictions

GAIN = "#333333"


def read(given: Any, params: Any) -> tuple[Any, ...]:
    """What `gains` draws, of a job's inputs and parameters."""
    return read_table(given.table), read_runs(params.shown, Predictions.read)


@styled
def gains(table: pd.DataFrame, baselines: Runs) -> Figure:
    """Every student's gain in top-1 over its baseline (points), with its 95 % interval, in the table's order.

    A point is filled if the gain is told from chance with all students taken into account: p (Holm) below 0.05.

    Args:
        table: Table 5: dataset, model, method, top1, gain, gain_low, gain_high, p_holm and, where there is one, seeds.
            A baseline comes before its students.
        baselines: dataset -> baseline -> predictions of every seed, of the data sets that have students: how many test
            videos and classes there are.
    """
    rows = {dataset: table[table["dataset"] == dataset] for dataset in baselines}
    longest = max(len(own) for own in rows.values())
    figure, axes = panels(baselines, height=0.75 + 0.15 * longest + 0.13 * max(map(len, baselines.values())))
    entries = []
    for dataset, own in rows.items():
        (axis,), several = axes[dataset], len(baselines[dataset]) > 1
        own = own if several else own[own["method"] != "baseline"]
        for y, row in enumerate(own.to_dict("records")):
            if row["method"] != "baseline":
                told = row["p_holm"] < NOISE
                axis.hlines(y, row["gain_low"], row["gain_high"], color=GAIN, linewidth=1.2)
                axis.plot(row["gain"], y, "o", color=GAIN, markerfacecolor=GAIN if told else "white", markersize=4.5)
                text = signed(row["gain"])
                axis.text(1.02, y, text, transform=axis.get_yaxis_transform(), va="center_baseline", fontsize=SMALL)
        rows_of_gains(axis, [
            f"over {row.model}:" if row.method == "baseline" else row.model for row in own.itertuples()
        ])  # fmt: skip
        seeds = int(own["seeds"].max()) if "seeds" in own else 1
        axis.set_xlabel("gain in top-1 (points" + (f", mean of {seeds} seeds)" if seeds > 1 else ")"))
        entries.append((axis, title(baselines, dataset), [*_to_beat(table, dataset, baselines[dataset]), *_told(own)]))
    heads(entries)
    return figure


def _to_beat(table: pd.DataFrame, dataset: str, baselines: Mapping[str, Sequence[Predictions]]) -> list[Line2D]:
    """For a legend: the line of no gain, what that is in per cent, of how many videos, and what guessing would be."""
    top1 = table[(table["dataset"] == dataset) & (table["method"] == "baseline")].set_index("model")["top1"]
    labels = [
        f"{name}: {top1[name]:.2f} % of {len(runs[0].videos)} test videos, chance {100 / runs[0].logits.shape[1]:.2g} %"
        for name, runs in baselines.items()
    ]
    return [Line2D([], [], color="black", linewidth=0.8, label=label) for label in labels]


def _told(table: pd.DataFrame) -> list[Line2D]:
    """For a legend: the two kinds of points, those that there are."""
    told = (table["p_holm"] < NOISE)[table["method"] != "baseline"]
    kinds = [(True, f"p (Holm) < {NOISE}", GAIN), (False, "may be chance", "white")]
    return [
        Line2D([], [], color=GAIN, marker="o", markersize=4.5, markerfacecolor=face, label=label)
        for kind, label, face in kinds
        if (told == kind).any()
    ]
