"""How stable a split is: whether classes differ in motion by more than the choice of their videos does."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from dtkd.data.groups import group_names
from dtkd.motion import thresholds
from dtkd.motion.subsets import BOUNDARIES, class_means, counted, rule, split

DRAWS = 1000


def of_classes(
    flows: Mapping[str, pd.DataFrame],
    settings: Mapping[str, Any],
    draws: int = DRAWS,
) -> pd.DataFrame:
    """How often each class is in its subset where its videos are redrawn, with replacement.

    ``flows`` are the classes' tables (`flow.class_flow`), ``settings`` a `config.Split.settings` of the source flow.
    The draw is the same every time.

    Returns one row a class, sorted by name (index ``class``): ``subset``, ``mean`` and ``error`` (its standard
    error), both in the tables' unit, and ``kept``, the share of draws in which the class is in that subset; ``attrs``
    have ``groups``, their names in order, and ``split``, the share of draws in which all classes are where they were.

    Raises DtkdError as `subsets.counted`, `subsets.class_means` and `subsets.split` do.
    """
    measure, flows = settings["measure"], counted(flows, settings)
    means = class_means(flows, measure)
    made = split(means, **rule(settings))
    groups = list(group_names(made))
    found = np.array([groups.index(made["classes"][name]["subset"]) for name in means.index])
    random = np.random.default_rng(0)
    drawn = np.empty((draws, len(means)))
    for column, name in enumerate(means.index):
        values = flows[name][measure].to_numpy(np.float64)
        drawn[:, column] = values[random.integers(len(values), size=(draws, len(values)))].mean(axis=1)
    limits = np.array([thresholds.limits(one, settings) for one in drawn])  # (draws, thresholds)
    below = BOUNDARIES[settings["boundary"]](drawn[:, :, None], limits[:, None, :])
    same = (~below).sum(axis=2) == found
    table = pd.DataFrame(
        {
            "subset": np.array(groups)[found],
            "mean": means["mean"].to_numpy(),
            "error": means["std"].to_numpy() / np.sqrt(means["videos"].to_numpy()),
            "kept": same.mean(axis=0),
        },
        index=means.index,
    )
    table.attrs["groups"] = groups
    table.attrs["split"] = float(same.all(axis=1).mean())
    return table


def of_split(
    flows: Mapping[str, pd.DataFrame], settings: Mapping[str, Any], draws: int = DRAWS
) -> dict[str, Any]:  # fmt: skip
    """The content of `stability.json`: ``draws``, ``split`` (the share of them that make the same whole split),
    ``classes`` (sorted by name; each its subset, and the share in which it is ``kept`` there). See `of_classes`.
    """
    table = of_classes(flows, settings, draws)
    return {"draws": draws, "split": table.attrs["split"], "classes": table[["subset", "kept"]].to_dict("index")}


def gap(table: pd.DataFrame) -> tuple[float, float]:
    """(the least difference of two classes of neighbouring groups, the standard error of it)."""
    differences = []
    for lower, upper in pairwise(table.attrs["groups"]):
        below, above = (table[table["subset"] == group] for group in (lower, upper))
        last, first = below.loc[below["mean"].idxmax()], above.loc[above["mean"].idxmin()]
        differences.append((float(first["mean"] - last["mean"]), float(np.hypot(first["error"], last["error"]))))
    return min(differences)
