"""Thresholds that part static from dynamic classes by their mean flow (Eq. 1): each is one entry of `THRESHOLDS`.

The paper's is the first quartile. Those without a number of their own look for two groups in the class means. One
line is the best of a handful of candidates, so each is found by trying all of them: no histogram, no random start.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dtkd.common.errors import DtkdError
from dtkd.common.registry import Registry

if TYPE_CHECKING:  # the config reads names of thresholds at every start
    import numpy as np


@dataclass(frozen=True)
class Threshold:
    """How a threshold comes from the class means."""

    find: Callable[..., float]
    """Of the class means (C,), and of the number that it is given if it takes one."""
    number: str | None = None
    """The key of `split` that has its number; without one, a group of a single class is refused."""
    label: str = "threshold"
    """What figures call it."""


def of_quantile(means: np.ndarray, quantile: float) -> float:
    """A quantile of the class means, by linear interpolation; 0.25 is the paper's Q1."""
    import numpy as np

    if not 0 < quantile < 1:
        raise DtkdError(f"split.quantile: {quantile} is not between 0 and 1: the paper uses 0.25.")
    return float(np.quantile(means, quantile))


def otsu(means: np.ndarray) -> float:
    """The middle of the gap at which the variance between the two groups is greatest, each of two classes or more.

    N. Otsu, "A threshold selection method from gray-level histograms", IEEE Trans. SMC 9 (1979), Eq. 18, over the
    means themselves in place of a histogram. One class that moves far more than all others would be a group of its own
    there, and no teacher can learn from it.
    """
    ordered, cut = _least_squares(_of_four("otsu", means), least=2)
    return float(ordered[cut - 1 : cut + 1].mean())


def kmeans(means: np.ndarray) -> float:
    """The middle of the centres of the two clusters with the least squared distances to them (2-means, exact)."""
    ordered, cut = _least_squares(means)
    return float((ordered[:cut].mean() + ordered[cut:].mean()) / 2)


def gap(means: np.ndarray) -> float:
    """The middle of the largest gap between neighbouring class means that leaves two classes on both sides."""
    import numpy as np

    ordered = np.sort(_of_four("gap", means))
    cut = 2 + int(np.diff(ordered)[1:-1].argmax())
    return float(ordered[cut - 1 : cut + 1].mean())


def _of_four(threshold: str, means: np.ndarray) -> np.ndarray:
    if len(means) < 4:
        raise DtkdError(
            f"split.threshold: {threshold} leaves two classes on both sides, and there are {len(means)} in all; set "
            "split.threshold: quantile, or add classes"
        )
    return means


def _least_squares(means: np.ndarray, least: int = 1) -> tuple[np.ndarray, int]:
    """The sorted means, and how many of them are the lower group, of groups of ``least`` or more.

    The total of squares is that within the groups and that between them, so that the two-means clusters are also the
    groups which differ most (Otsu); in one dimension they are neighbours, so that there are C − 1 candidates.
    """
    import numpy as np

    ordered = np.sort(means)
    below = np.arange(least, len(ordered) + 1 - least)
    above = len(ordered) - below
    sums = ordered.cumsum()[below - 1]
    apart = sums / below - (ordered.sum() - sums) / above
    return ordered, least + int((below * above * apart**2).argmax())


THRESHOLDS: Registry[Threshold] = Registry("threshold")


def register(name: str, threshold: Threshold) -> None:
    """Add a threshold, which `split.threshold` can then name. Raises DtkdError for a name that is taken or no name."""
    THRESHOLDS.add(name, threshold)


register("quantile", Threshold(of_quantile, "quantile"))
register("value", Threshold(lambda means, value: value, "value"))
register("otsu", Threshold(otsu, label="Otsu's threshold"))
register("gap", Threshold(gap, label="largest gap"))
register("kmeans", Threshold(kmeans, label="2-means threshold"))


def of_rule(rule: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The name of a split's threshold, and its number by its key; ``rule`` are keys of `split`, unset ones left out.

    Raises DtkdError for a name that is none.
    """
    name = rule.get("threshold") or ("value" if rule.get("value") is not None else "quantile")
    number = THRESHOLDS[name].number
    return name, {number: rule[number]} if number else {}


def limits(means: np.ndarray, rule: Mapping[str, Any]) -> list[float]:
    """The thresholds among some class means (C,) by the keys of `split`, ascending: one, or one a quantile."""
    name, numbers = of_rule(rule)
    if isinstance(several := numbers.get("quantile"), list | tuple):
        return [THRESHOLDS[name].find(means, number) for number in several]
    return [THRESHOLDS[name].find(means, *numbers.values())]
