"""Words and numbers of findings, and settings as lines of a config."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import yaml


def config(**settings: Any) -> str:
    """Settings as they would stand in a config, a section a line.

    >>> print(config(flow={"unit": "second"}, clip={"rate": None, "fps": 10.0}))
    flow: {unit: second}
    clip: {rate: null, fps: 10.0}
    """
    return "\n".join(f"{name}: {_flow(value)}" for name, value in settings.items())


def _flow(value: Any) -> str:
    text = yaml.safe_dump(value, default_flow_style=True, width=10_000, sort_keys=False, allow_unicode=True)
    return text.removesuffix("...\n").strip()


def percent(share: float) -> str:
    """A share.

    >>> percent(0.256), percent(0.0004)
    ('26 %', '0 %')
    """
    return f"{100 * share:.0f} %"


def number(count: int, word: str, words: str | None = None) -> str:
    """A number of things.

    >>> number(1, "pair"), number(2, "class", "classes")
    ('1 pair', '2 classes')
    """
    return f"{count} {word if count == 1 else words or word + 's'}"


def listed(names: Sequence[str], most: int = 5) -> str:
    """Names, and how many there are beside the first ones.

    >>> listed(["a", "b", "c"], most=2)
    'a, b and 1 more'
    """
    shown = ", ".join(names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown


def called(role: str, name: str) -> str:
    """A model by its name, after what it is unless the name says so.

    >>> called("baseline", "U1"), called("baseline", "baseline-2")
    ('baseline U1', 'baseline-2')
    """
    return name if name.casefold().startswith(role) else f"{role} {name}"
