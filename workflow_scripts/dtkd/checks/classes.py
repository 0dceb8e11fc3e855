"""Checks of files and classes: broken ones, mirrored names, numbers of videos."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from dtkd.checks import mirrored_names
from dtkd.checks.card import Card
from dtkd.checks.findings import Finding
from dtkd.checks.wording import config, listed, number, percent
from dtkd.data import unlisted
from dtkd.data.groups import default_names
from dtkd.motion.subsets import BOUNDARIES
from dtkd.motion.thresholds import limits

FEW_TRAINING = 10
"""Training videos of a class: with fewer, none is learnt well."""
UNEQUAL, VERY_UNEQUAL = 3, 10
"""Times as many training videos of the largest class as of the smallest."""


def broken_files(card: Card) -> Iterator[Finding]:
    if card.problems.empty:
        return
    rows = zip(card.problems["video"], card.problems["class"], card.problems["reason"], strict=True)
    yield Finding(
        "error",
        f"{len(card.problems)} of {len(card.problems) + len(card.index)} videos cannot be used.",
        "A study stops at them. All else that is said here is of the others.",
        "Copy or download them again, or take them off the lists; or go on without them.",
        config(on_bad_video="skip"),
        tuple({"video": video, "class": name, "why": reason} for video, name, reason in rows),
    )


def passed_over(card: Card) -> Iterator[Finding]:
    """Files in the videos' folder that are not used."""
    told = unlisted.passed_over(card.settings.dataset.source())
    if told:
        what, _, remedy = told.partition("; ")
        yield Finding(
            "note",
            f"A study of {what.replace(': passes', ' passes', 1)}.",
            "If they are meant to be there, classes have fewer videos than you think.",
            f"{remedy[0].upper()}{remedy[1:]}.",
        )


def mirrored_classes(card: Card) -> Iterator[Finding]:
    """Names that differ in what a mirror changes."""
    flip = card.settings.augment.flip
    if not flip:
        return
    whole, partly = mirrored_names.mirrored(card.classes)
    shown = f"{percent(flip)} of the training clips are mirrored (augment.flip: {flip:g})"
    remedy, without = "Train without the flip.", config(augment={"flip": 0})
    if whole:
        yield Finding(
            "error",
            f"{shown}, and by their names a mirror turns {number(len(whole), 'pair')} of classes into each other.",
            "A mirrored clip of the one looks like the other and keeps its label: the network is taught that both are "
            "the same.",
            remedy, without, _pairs(whole),
        )  # fmt: skip
    if partly:
        yield Finding(
            "warning",
            f"{shown}, and {number(len(partly), 'pair')} of classes {'differs' if len(partly) == 1 else 'differ'} by "
            "name in a side.",
            "A mirrored clip of the one looks more like the other than an unmirrored one does.",
            remedy, without, _pairs(partly),
        )  # fmt: skip
    told = {name for pair in (*whole, *partly) for name in pair}
    alone = [name for name in mirrored_names.one_sided(card.classes) if name not in told]
    if alone:
        yield Finding(
            "note",
            f"{shown}, and {number(len(alone), 'class', 'classes')} {'has' if len(alone) == 1 else 'have'} a side in "
            f"the name: {listed(alone)}.",
            "A mirrored clip shows the other side. That does harm only where the side tells the class from another.",
            "If it does, train without the flip.", without,
        )  # fmt: skip


def _pairs(pairs: Sequence[tuple[str, str]]) -> tuple[dict[str, str], ...]:
    return tuple({"class": one, "its mirror image": other} for one, other in pairs)


def few_and_many(card: Card) -> Iterator[Finding]:
    """Training videos of the classes, in the first list."""
    column = card.lists[0]
    train = card.index[card.index[column] == "train"]["class"].value_counts().reindex(card.classes, fill_value=0)
    few = list(train[train < FEW_TRAINING].index)
    if few:
        yield Finding(
            "warning",
            f"{number(len(few), 'class', 'classes')} of {len(card.classes)} {'has' if len(few) == 1 else 'have'} fewer "
            f"than {FEW_TRAINING} training videos ({column.replace('list', 'list ')}): {listed(few)}.",
            "What a network learns of so few is these videos, their places and persons.",
            "Add videos, leave such classes out, or put classes together.",
        )
    least, most = train.idxmin(), train.idxmax()
    if train[most] >= UNEQUAL * train[least]:
        yield Finding(
            "warning" if train[most] >= VERY_UNEQUAL * train[least] else "note",
            f"{most} has {train[most]} training videos, {least} {train[least]}.",
            "Accuracy over all videos is mostly that of the large classes.",
            "Judge by the mean over classes (Figure 7) beside top-1.",
        )


def lone_static_class(card: Card) -> Iterator[Finding]:
    """Subsets of one class or none, by the number of classes alone."""
    split = card.settings.split
    if "quantile" not in split:
        return
    ranks = np.arange(len(card.classes), dtype=float)
    cuts = limits(ranks, {"quantile": split["quantile"]})
    edges = [0, *(int(BOUNDARIES[split["boundary"]](ranks, limit).sum()) for limit in cuts), len(ranks)]
    names = split.get("names") or default_names(len(cuts) + 1)
    sizes = {name: above - below for name, (below, above) in zip(names, pairwise(edges), strict=True)}
    least = min(sizes, key=sizes.get)
    if sizes[least] < 2:
        yield Finding(
            "warning",
            f"Of {len(ranks)} classes, split.quantile: {split['quantile']} makes {sizes[least]} {least}.",
            "A teacher of one class knows one answer and has nothing to tell a student.",
            *_more_even(len(ranks), len(sizes)),
        )


def _more_even(classes: int, groups: int) -> tuple[str, str]:
    """The remedy where a group has too few classes, and its line of config: as many groups of about the same size."""
    if classes < 2 * groups:
        return "Add classes." if groups == 2 else "Add classes, or make fewer groups.", ""
    if groups == 2:
        return "Divide the classes in the middle.", config(split={"quantile": 0.5})
    even = [round(number / groups, 2) for number in range(1, groups)]
    return "Divide the classes evenly.", config(split={"quantile": even})
