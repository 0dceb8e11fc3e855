"""Whether static and dynamic classes differ in motion by more than the choice of their videos does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from dtkd.common.errors import DtkdError
from dtkd.motion import thresholds
from dtkd.motion.subsets import BOUNDARIES, class_means, rule, split

DRAWS = 1000


def stability(
    flows: Mapping[str, pd.DataFrame],
    settings: Mapping[str, Any],
    draws: int = DRAWS,
) -> pd.DataFrame:
    """How often each class is in its subset where its videos are redrawn, with replacement.

    ``flows`` are the classes' tables (`flow.class_flow`), ``settings`` a `config.Split.settings` of the source flow.
    The draw is the same every time.

    Returns one row a class, sorted by name (index ``class``): ``subset``, ``mean`` and ``error`` (its standard
    error), both in the tables' unit, and ``kept``, the share of draws in which the class is in that subset.

    Raises DtkdError as `subsets.class_means` and `subsets.split` do.
    """
    measure = settings["measure"]
    means = class_means(flows, measure)
    found = split(means, **rule(settings))["classes"]
    random = np.random.default_rng(0)
    drawn = np.empty((draws, len(means)))
    for column, name in enumerate(means.index):
        values = flows[name][measure].to_numpy(np.float64)
        drawn[:, column] = values[random.integers(len(values), size=(draws, len(values)))].mean(axis=1)
    limits = np.array([[thresholds.limit(one, settings)] for one in drawn])
    static = BOUNDARIES[settings["boundary"]](drawn, limits)
    is_static = np.array([found[name]["subset"] == "static" for name in means.index])
    return pd.DataFrame(
        {
            "subset": np.where(is_static, "static", "dynamic"),
            "mean": means["mean"].to_numpy(),
            "error": means["std"].to_numpy() / np.sqrt(means["videos"].to_numpy()),
            "kept": (static == is_static).mean(axis=0),
        },
        index=means.index,
    )


def gap(table: pd.DataFrame) -> tuple[float, float]:
    """(the least dynamic class mean less the greatest static one, the standard error of this difference)."""
    static, dynamic = (table[table["subset"] == subset] for subset in ("static", "dynamic"))
    if static.empty or dynamic.empty:
        raise DtkdError("the split has one subset only, and no gap between two")
    upper, lower = static.loc[static["mean"].idxmax()], dynamic.loc[dynamic["mean"].idxmin()]
    return float(lower["mean"] - upper["mean"]), float(np.hypot(lower["error"], upper["error"]))
