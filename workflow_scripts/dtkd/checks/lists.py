"""Checks of train and test: what stands on both sides, and what else than its action gives a class away."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from dtkd.checks.card import Card
from dtkd.checks.duplicates import Pair
from dtkd.checks.findings import Finding
from dtkd.checks.group_lists import FILE
from dtkd.checks.name_groups import APART, Grouping, crossing
from dtkd.checks.wording import number, percent
from dtkd.common.errors import DtkdError
from dtkd.data import datasets

MANY = 0.1
"""A share of the test videos that is no accident."""
CERTAIN = 0.001
"""The chance of a coincidence, below which it is none."""
HOW = {"file": "the same file", "copy": "a copy", "part": "moments in common"}


def copies(card: Card) -> Iterator[Finding]:
    """The same file, or a copy of it in another size or coding."""
    pairs = [pair for pair in card.twins if pair.kind != "part"]
    classes = card.index["class"]  # whose mirror images may be another class on purpose
    odd = [pair for pair in pairs if classes[pair.first] != classes[pair.second] and not pair.mirrored]
    if odd:
        yield Finding(
            "error",
            f"{number(len(odd), 'pair')} of videos are the same and have different classes.",
            "One of the labels is wrong, or one video shows both.",
            "Look at them, and keep one of each pair.", "", _rows(card, odd),
        )  # fmt: skip
    yield from _twins(card, pairs, "are the same", "copies", "error")


def shared_recordings(card: Card) -> Iterator[Finding]:
    """Parts of one recording, which have moments in common."""
    pairs = [pair for pair in card.twins if pair.kind == "part"]
    yield from _twins(card, pairs, "have moments in common, as parts of one recording do,", "recordings", "warning")


def _twins(card: Card, pairs: Sequence[Pair], are: str, sign: str, level: str) -> Iterator[Finding]:
    across = [pair for pair in pairs if _lists_across(card, pair)]
    if across:
        lists = sorted({name for pair in across for name in _lists_across(card, pair)})
        remedy, lines = _on_one_side(card, sign)
        yield Finding(
            level,
            f"{number(len(across), 'pair')} of videos {are} and stand on both sides, train and test, of {_and(lists)}.",
            "The network is tested on what it has learnt by heart, and looks better than it is.",
            f"Keep one of each. {remedy}" if level == "error" else remedy, lines, _rows(card, across),
        )  # fmt: skip
    rest = [pair for pair in pairs if not _lists_across(card, pair)]
    if rest:
        yield Finding(
            "note",
            f"{number(len(rest), 'pair')} of videos {are} and stand on the same side of every list.",
            "They count twice, and lists that are redrawn may put them on two sides.",
            "Keep one of each." if level == "error" else "Keep them on one side.", "", _rows(card, rest),
        )  # fmt: skip


def shared_places(card: Card) -> Iterator[Finding]:
    """Backgrounds that training and test have in common."""
    if card.one_place:
        yield Finding(
            "note",
            f"{percent(card.one_place)} of the videos show the same place.",
            "The test tells how well the classes are known there. It tells nothing of other places, and no lists can "
            "change that.",
            "If that is what the study is for, add videos from other places.",
        )
        return
    counts = _crossing(card, card.places)
    if not _many(counts):
        return
    told = _place_tells(card)
    yield Finding(
        "warning",
        f"Test videos whose background is that of training videos: {_per_list(counts)}."
        + (f" Of these, the place alone tells the class of {percent(told)}." if told else ""),
        "The network may learn the place instead of the action, and the test does not notice." if told
        else "The test tells little of how well the classes are known in other places.",
        *_on_one_side(card, "places"),
    )  # fmt: skip


def _place_tells(card: Card) -> float | None:
    """The accuracy, on list 1's test videos of trained places, of saying their commonest class; None if it is luck."""
    table = card.index.assign(sign=card.places)
    table = table[table["sign"].isin(table.loc[table[card.lists[0]] == "train", "sign"])]
    return _told(card, table)


def _told(card: Card, table: Any) -> float | None:
    """The accuracy of saying the commonest class of the ``sign``'s training videos; None where it may be luck."""
    from scipy.stats import binom

    train, test = (table[table[card.lists[0]] == side] for side in ("train", "test"))
    if test.empty:
        return None
    usual = train.groupby("sign")["class"].agg(lambda own: own.mode()[0])
    correct = int((test["sign"].map(usual) == test["class"]).sum())
    chance = max(card.chance(card.lists[0]))
    by_luck = float(binom.sf(correct - 1, len(test), chance))
    return correct / len(test) if by_luck < CERTAIN and correct / len(test) >= chance + MANY else None


def file_tells_class(card: Card) -> Iterator[Finding]:
    """Sizes and rates that classes do not share."""
    forms = [f"{info.width}×{info.height}, {info.fps:.0f} frames/s" for info in card.infos]
    table = card.index.assign(sign=forms)
    told = _told(card, table)
    if told:
        classes = table.groupby("sign")["class"].agg(lambda own: ", ".join(dict.fromkeys(own)))
        yield Finding(
            "warning",
            f"Size and frame rate of the file alone tell the class of {percent(told)} of the test videos (chance: "
            f"{percent(max(card.chance(card.lists[0])))}).",
            "The network may learn by which camera a class was filmed instead of what it shows.",
            "Film each class with each camera. At least bring all videos to one size and rate.",
            "", tuple({"files": form, "classes": own} for form, own in classes.items()),
        )  # fmt: skip


def groups_in_names(card: Card) -> Iterator[Finding]:
    if card.named:
        yield from _grouped(card, card.named, f"By their names (such as {card.named.groups[0]})", "names")


def occasions(card: Card) -> Iterator[Finding]:
    if card.occasions:
        whose = "recording" if card.occasions.sure else "their files, which may be those of copies"
        by = f"By the times of {whose} (within {APART:.0f} s of each other)"
        yield from _grouped(card, card.occasions, by, "occasions")


def _grouped(card: Card, grouping: Grouping, by: str, sign: str) -> Iterator[Finding]:
    counts = _crossing(card, grouping.groups)
    if not _many(counts):
        return
    remedy, lines = _on_one_side(card, sign)
    if grouping.pattern and card.settings.dataset.format == "folders":
        remedy = "Keep them on one side, by what their names have in common."
        lines = card.entry(group_pattern=grouping.pattern)
    level = "error" if sign == "names" and _refused(card) else "warning" if grouping.sure else "note"
    yield Finding(
        level,
        f"{by}, test videos are of the same {grouping.of} as training videos: {_per_list(counts)}.",
        "The network may know the person or the scene again instead of the action, and looks better than it is on "
        "others." + (" The workflow refuses such lists." if level == "error" else ""),
        remedy, lines,
    )  # fmt: skip


def _refused(card: Card) -> bool:
    """Whether the workflow refuses to draw lists by clip from such names."""
    if not card.settings.dataset.may_part_scenes:
        return False
    try:
        datasets.check_scenes(card.root, card.paths)
    except DtkdError:
        return True
    return False


def nothing_groups(card: Card) -> Iterator[Finding]:
    """Random lists, and nothing that says what belongs together; or by what looks alike alone."""
    dataset = card.settings.dataset
    if dataset.annotations and Path(dataset.annotations).name == FILE and not card.grouped:
        yield Finding(
            "note",
            f"The lists of {FILE} keep together what looks alike; who acts, names such as {card.paths[0]} do not tell.",
            "A person in several places may be trained and tested on: the network may know the person again.",
            "If you know who it is, give videos of one person the same `group` in that file, and the same side.",
        )
        return
    if dataset.format != "folders" or dataset.group_pattern or card.grouped:
        return
    own = card.entry(group_pattern="none")
    likely = " All show one place, so that the same persons are likely to come again." if card.one_place else ""
    by_numbers = _proposal(card, "numbers")
    yield Finding(
        "warning",
        "The lists were drawn video by video: nothing keeps the videos of one person or recording on one side, and "
        f"names such as {card.paths[0]} do not tell which these are.{likely}",
        "Where the same persons are trained and tested on, the network may know them again instead of the action, and "
        "looks better than it is on others.",
        "Name files by person or recording and have group_pattern find that, or give lists with a column `group` "
        f"(format: csv). If every video is of its own, {own} says so."
        + (f" If the numbers follow the order of recording, the lists in {FILE} keep neighbours together:"
           if by_numbers else ""),
        by_numbers,
    )  # fmt: skip


# What belongs together


def _crossing(card: Card, groups: Sequence[Any]) -> dict[str, tuple[int, int]]:
    return {column: crossing(groups, list(card.index[column])) for column in card.lists}


def _many(counts: Mapping[str, tuple[int, int]]) -> bool:
    return any(shared >= MANY * total for shared, total in counts.values() if total)


def _per_list(counts: Mapping[str, tuple[int, int]]) -> str:
    return ", ".join(f"{shared} of {total} in {_named(column)}" for column, (shared, total) in counts.items())


def _named(column: str) -> str:
    return column.replace("list", "list ")


def _and(words: Sequence[str]) -> str:
    *some, last = words
    return f"{', '.join(some)} and {last}" if some else last


def _on_one_side(card: Card, sign: str) -> tuple[str, str]:
    """What to do about what belongs together by a sign, and the lines that do it."""
    if lines := _proposal(card, sign):
        return f"Lists that keep together what belongs together are in {FILE}:", lines
    return "No lists can keep them on one side, as of some class too many videos belong together: add others.", ""


def _proposal(card: Card, sign: str) -> str:
    """The lines that take up the proposed lists, if these keep to a sign."""
    if card.proposal is None or sign not in card.proposal[1]:
        return ""
    pattern = {"group_pattern": None} if card.settings.dataset.group_pattern else {}
    return card.entry(format="csv", annotations=str(card.folder / FILE), **pattern)


def _lists_across(card: Card, pair: Pair) -> list[str]:
    """The lists that train on one of a pair and test on the other."""
    return [_named(column) for column in card.lists
            if {card.index[column][pair.first], card.index[column][pair.second]} == {"train", "test"}]  # fmt: skip


def _rows(card: Card, pairs: Sequence[Pair]) -> tuple[dict[str, str], ...]:
    return tuple(
        {
            "video": card.paths[pair.first],
            "other": card.paths[pair.second],
            "how": HOW[pair.kind] + (", mirrored" if pair.mirrored else ""),
            "on both sides of": ", ".join(_lists_across(card, pair)),
        }
        for pair in pairs
    )
