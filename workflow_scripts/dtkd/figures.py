"""The paper's figures, drawn from parquet and JSON; PDF for print, PNG (200 dpi) for the screen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from dtkd.errors import DtkdError
from dtkd.files import atomic

COLOURS = {"static": "#0072B2", "dynamic": "#D55E00", "threshold": "#333333"}  # Okabe-Ito: told apart by everybody
COLUMN = 3.5  # inches: one column of a journal page
STYLE = {"font.size": 8, "axes.spines.top": False, "axes.spines.right": False, "legend.frameon": False}


def figure1(splits: Mapping[str, Mapping[str, Any]]) -> plt.Figure:
    """Figure 1: histogram of the classes' mean flow, the threshold of Eq. 1, and the subsets on either side of it.

    Args:
        splits: dataset name -> its `split.json`.
    """
    for name, split in splits.items():
        if split["threshold"] is None:
            raise DtkdError(
                f"figure 1: the split of {name} is the published one and has no class means; use split.source: flow"
            )
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(1, len(splits), figsize=(COLUMN * len(splits), 2.4), squeeze=False)
        for axis, (name, split) in zip(axes[0], splits.items(), strict=True):
            means = {subset: _means(split, subset) for subset in ("static", "dynamic")}
            everything = np.concatenate(list(means.values()))
            width = max(split["threshold"] / 4, everything.max() / 100, 1e-9)  # the threshold is a bin's edge
            bins = np.arange(0, everything.max() + width, width)
            axis.hist(
                list(means.values()),
                bins=bins,
                stacked=True,
                color=[COLOURS[subset] for subset in means],
                label=[f"{subset} ({len(values)})" for subset, values in means.items()],
                edgecolor="white",
                linewidth=0.5,
            )
            threshold = split["threshold"]
            label = f"Q1 = {threshold:.3f}" if split["criterion"].get("quantile") == 0.25 else f"{threshold:.3f}"
            axis.axvline(threshold, color=COLOURS["threshold"], linestyle="--", linewidth=1, label=label)
            axis.set(title=name, xlabel="mean flow of a class (pixels/frame)", ylabel="classes")
            axis.yaxis.get_major_locator().set_params(integer=True)
            axis.margins(y=0.5)  # room for the legend
            axis.legend(loc="upper right", handlelength=1.2)
        figure.tight_layout()
    return figure


def _means(split: Mapping[str, Any], subset: str) -> np.ndarray:
    return np.array([entry["mean"] for entry in split["classes"].values() if entry["subset"] == subset])


def save(figure: plt.Figure, output: Mapping[str, str]) -> None:
    """Write ``figure`` to ``output["png"]`` and ``output["pdf"]``; the same figure gives the same bytes."""
    for kind, metadata in (("png", {}), ("pdf", {"CreationDate": None})):
        with atomic(output[kind]) as path:
            figure.savefig(path, dpi=200, metadata=metadata)
    plt.close(figure)
