"""Groups of classes: a split's names for them. The paper has two, static and dynamic classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SUBSETS = ("static", "dynamic")
"""The paper's groups, and those of a `split.json` that names none."""


def group_names(split: Mapping[str, Any]) -> tuple[str, ...]:
    """The groups of a `split.json`, in their order: that of motion, the least first, where motion made them."""
    return tuple(split.get("groups", SUBSETS))


def members(split: Mapping[str, Any], group: str) -> list[str]:
    """The classes of a group, in the split's order."""
    return [name for name, entry in split["classes"].items() if entry["subset"] == group]
