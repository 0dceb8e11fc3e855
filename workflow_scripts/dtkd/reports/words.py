"""Numbers, words and files as the report shows them."""

from __future__ import annotations

import base64
import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any


def shown_number(text: str) -> str:
    """A number of a table as a reader sees it: with a minus sign that is one."""
    return f"−{text[1:]}" if re.fullmatch(r"-[\d.]+(e-?\d+)?", text) else text


def shown_p(value: float) -> str:
    """A p value.

    >>> shown_p(0.0347), shown_p(1e-9)
    ('0.035', '< 0.001')
    """
    return "< 0.001" if value < 0.001 else f"{value:.2g}"


def joined(words: Iterable[str]) -> str:
    """Words as a sentence lists them.

    >>> joined(["a"]), joined(["a", "b", "c"])
    ('a', 'a, b and c')
    """
    *some, last = words
    return f"{', '.join(some)} and {last}" if some else last


def data_uri(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"


def is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def read_csv(path: str | Path) -> list[dict[str, str]]:
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def by_dataset(rows: Sequence[Mapping[str, Any]]) -> list[tuple[str, list[Mapping[str, Any]]]]:
    """The rows of each data set, in the order of their appearance."""
    names = dict.fromkeys(row["dataset"] for row in rows)
    return [(name, [row for row in rows if row["dataset"] == name]) for name in names]
