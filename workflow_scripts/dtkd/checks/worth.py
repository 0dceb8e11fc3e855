"""Checks of what results will be worth: the choice of the epoch, the size of the test set, the groups of classes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import isnan
from typing import Any

import numpy as np
import pandas as pd

from dtkd.analysis.significance import smallest_gain
from dtkd.checks.card import Card
from dtkd.checks.findings import Finding
from dtkd.checks.wording import config, number, percent
from dtkd.motion import stability
from dtkd.motion.subsets import length, train_flows, without_person

FLATTERED = 0.01
"""What choosing the best of several epochs on the test set adds to an accuracy, from which on it matters."""
COARSE, VERY_COARSE = 0.05, 0.10
"""The smallest gain that a test set shows, as a share of its videos."""
SEEN = 0.5
"""The share of a class's frames with a person below which their motion tells little of the class."""
STEADY = 0.9
"""The share of draws of its videos in which a class keeps its subset."""
MOSTLY_STEADY = 0.75
"""The same, on average over the static classes; of more groups, over those of the loosest but the last."""


def expected(card: Card) -> float:
    """The accuracy halfway from guessing to all right, as nothing better is known yet."""
    return (1 + 1 / len(card.classes)) / 2


def tested(card: Card) -> dict[str, int]:
    """List -> its number of test videos."""
    return {column: int((card.index[column] == "test").sum()) for column in card.lists}


def chosen_on_test(card: Card) -> Iterator[Finding]:
    from scipy.stats import norm

    settings = card.settings
    if settings.selection != "best" or settings.epochs < 2:
        return
    fewest, accuracy = min(tested(card).values()), expected(card)
    greatest = float(norm.ppf((settings.epochs - 0.375) / (settings.epochs + 0.25)))  # Blom: of so many normal numbers
    most = (accuracy * (1 - accuracy) / max(fewest, 1)) ** 0.5 * greatest
    yield Finding(
        "warning" if most >= FLATTERED else "note",
        f"Of {settings.epochs} epochs, the one that is best on the test videos counts (train.selection: best, as in "
        "the paper).",
        f"With {number(fewest, 'test video')} that adds up to {100 * most:.1f} points to the accuracy of every model.",
        "Have epochs chosen by training videos that are held out, or let the last epoch count (selection: last).",
        config(train={"selection": "validation"}),
    )


def test_size(card: Card) -> Iterator[Finding]:
    """The smallest gain that the smallest test set shows."""
    numbers, accuracy = tested(card), expected(card)
    column = min(numbers, key=numbers.get)
    fewest, students, dataset = numbers[column], card.settings.students, card.settings.dataset
    gain = smallest_gain(fewest, accuracy)
    if gain < COARSE:
        return

    def shown(gain: float) -> str:
        return "no gain at all" if isnan(gain) else f"gains from {100 * gain:.0f} points on"

    of_many = ""
    if students > 1:
        of_many = f"; of {students} students, {shown(smallest_gain(fewest, accuracy, alpha=0.05 / students))}"
    more = dataset.format == "folders" and dataset.test_fraction < 0.5
    yield Finding(
        "note" if gain < VERY_COARSE else "warning",
        f"{column.replace('list', 'List ')} has {number(fewest, 'test video')}: it is likely (80 %) to show "
        f"{shown(gain)}{of_many}.",
        f"Smaller differences of two models cannot be told from noise (exact paired test, p < 0.05, of a baseline at "
        f"{percent(accuracy)}, halfway from guessing to all right).",
        "Add videos." + (" Or test on more of those there are, which leaves fewer to train on." if more else ""),
        card.entry(test_fraction=0.5) if more else "",
    )


def _flows(card: Card) -> dict[str, pd.DataFrame]:
    """The classes' flow tables of the videos that decide on their groups."""
    if card.settings.split["over"] == "train":
        return train_flows(card.flows, card.index, card.lists[0])
    return card.flows


def _too_few_persons(flows: Mapping[str, pd.DataFrame], settings: Mapping[str, Any]) -> bool:
    """Whether the split stops for lack of persons (`subsets.counted`)."""
    lacking = without_person(flows)
    stops = settings["on_no_person"] == "fail"
    return bool(lacking) and (stops or any(len(own) == len(flows[name]) for name, own in lacking.items()))


def persons_found(card: Card) -> Iterator[Finding]:
    """In how much of the videos there is a person whose motion can be measured."""
    settings, flows = card.settings.split, _flows(card)
    lacking, videos = without_person(flows), sum(map(len, flows.values()))
    shares = {name: float(np.average(table["with_person"], weights=table["pairs"])) for name, table in flows.items()}
    every = pd.concat(flows.values())
    share, none = float(np.average(every["with_person"], weights=every["pairs"])), sum(map(len, lacking.values()))
    stops = bool(none) and settings["on_no_person"] == "fail"
    yield Finding(
        "error" if stops else "warning" if none or min(shares.values()) < SEEN else "note",
        f"A person was found in {100 * share:.1f} % of the frames"
        + (f", and nobody in {none} of {number(videos, 'video')}." if none else "."),
        f"The motion of a video (split.measure: {settings['measure']}) is that of its frames with persons"
        + (": one without them has none, and the workflow stops." if stops else
           ": one without them does not count in its class's mean." if none else "."),
        "Lower the detector's threshold (flow.persons.threshold), or measure motion without persons (split: {measure: "
        "moving})" + (". Or go on without these videos:" if stops else "."),
        config(split={"measure": settings["measure"], "on_no_person": "skip"}) if stops else "",
        tuple({"class": name, "frames with a person": percent(own), "videos without": str(len(lacking.get(name, [])))}
              for name, own in sorted(shares.items(), key=lambda item: item[1]) if own < 1),
    )  # fmt: skip


def unsteady_groups(card: Card) -> Iterator[Finding]:
    """Classes of different groups that differ by less than the choice of their videos."""
    settings, flows = card.settings.split, _flows(card)
    if "on_no_person" in settings and _too_few_persons(flows, settings):
        return  # `persons_found` says so
    table = stability.of_classes(flows, settings)
    unsteady = table[table["kept"] < STEADY].sort_values("kept")
    if unsteady.empty:
        return
    groups = {group: table[table["subset"] == group] for group in table.attrs["groups"]}
    least, *between, most = groups
    first, last = groups[least], groups[most]
    # a group in the middle has two thresholds to be beyond
    loosest = min([least, *between], key=lambda group: groups[group]["kept"].mean())
    apart, error = stability.gap(table)
    unit = f"{length(settings['measure'])}/{next(iter(card.flows.values())).attrs.get('unit', 'frame')}"
    kept = float(groups[loosest]["kept"].mean())
    yield Finding(
        "warning" if kept < MOSTLY_STEADY else "note",
        f"Had other videos of the same classes been filmed, {number(len(unsteady), 'class', 'classes')} of "
        f"{len(table)} might well have been in another group: {loosest} classes stay {loosest} in {percent(kept)} "
        f"of the draws of their videos. The "
        f"groups are {apart:.2g} ± {error:.1g} {unit} apart; on average, {most} classes move "
        f"{last['mean'].mean() / max(first['mean'].mean(), 1e-9):.1f} times as much as {least} ones.",
        "The teachers are then no specialists of little and of much motion, but of groups nearly at random.",
        "Name the groups yourself (split: {source: listed, static: ...})"
        + ("." if settings["measure"] == "residual" else ", or go by the motion beside the camera's:"),
        config(split={"measure": "residual"}) if settings["measure"] != "residual" else "",
        tuple({"class": name, "group": row["subset"], f"mean flow ({unit})": f"{row['mean']:.3g} ± {row['error']:.1g}",
               "keeps it in": percent(row["kept"])} for name, row in unsteady.iterrows()),
    )  # fmt: skip
