"""Groups of classes: a split's names for them. The paper has two, static and dynamic classes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dtkd.common.errors import DtkdError
from dtkd.common.registry import hint

SUBSETS = ("static", "dynamic")
"""The paper's groups, and those of a `split.json` that names none."""


def group_names(split: Mapping[str, Any]) -> tuple[str, ...]:
    """The groups of a `split.json`, in their order: that of motion, the least first, where motion made them."""
    return tuple(split.get("groups", SUBSETS))


def members(split: Mapping[str, Any], group: str) -> list[str]:
    """The classes of a group, in the split's order."""
    return [name for name, entry in split["classes"].items() if entry["subset"] == group]


def weight_name(teacher: str) -> str:
    """What a history calls a teacher's weight: the paper's symbols (Eq. 9) for its two, else with the group's name."""
    return {"static": "w_st", "dynamic": "w_dy"}.get(teacher, f"w_{teacher}")


def split_name(dataset: str, split: str | None = None) -> str:
    """What tables look up a split of a data set by; the study's own is called as the data set."""
    return dataset if split is None else f"{dataset}, {split}"


def default_names(count: int) -> tuple[str, ...]:
    """The names of so many groups by motion, where the config gives none."""
    few = {2: SUBSETS, 3: ("static", "medium", "dynamic")}
    return few.get(count) or tuple(f"group{number}" for number in range(1, count + 1))


def listed(dataset: str, settings: Mapping[str, Any], classes: Iterable[str]) -> dict[str, list[str]]:
    """The groups whose classes a config lists: all of ``groups``, or ``static`` and the rest.

    Raises DtkdError for what is no class, for a class in no group or in two, and for a group without any.
    """
    known = sorted(classes)
    if "groups" in settings:
        where = f"config: split.groups.{dataset}"
        found = {name: sorted(own) for name, own in settings["groups"].items()}
        named = {f"{where}.{name}": own for name, own in found.items()}
    else:
        where = f"config: split.static.{dataset}"
        found = {"static": sorted(settings["static"]), "dynamic": [n for n in known if n not in settings["static"]]}
        named = {where: found["static"]}
    for place, own in named.items():
        for name in own:
            if name not in known:
                raise DtkdError(f"{place}: {name!r} is not one of its classes{hint(name, known)}")
    _each_once(where, found, known)
    for name, own in found.items():
        if not own:
            raise DtkdError(f"{where}: no class is left to be {name}; list fewer")
    return found


def _each_once(where: str, found: Mapping[str, Sequence[str]], known: Sequence[str]) -> None:
    for name in known:
        holders = [group for group, own in found.items() if name in own]
        if not holders:
            raise DtkdError(f"{where}: {name} is in none of the groups; add it to one")
        if len(holders) > 1:
            raise DtkdError(f"{where}: {name} is in {' and in '.join(holders)}; a class has one group")
