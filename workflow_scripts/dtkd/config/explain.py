"""What is wrong with a config, in a line for each wrong key."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from dtkd.config.fields import Section


def explain(problem: Mapping[str, Any]) -> str:
    """One problem as a line; a ValueError of ours says more of where it is, or begins with a colon."""
    where = ".".join(str(part) for part in problem["loc"])
    if problem["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
        return f"{where}: unknown key{hint(str(problem['loc'][-1]), _every_key())}"
    message = problem["msg"].removeprefix("Value error, ")
    if problem["type"] == "value_error":
        return f"{where}{'' if message.startswith(':') else '.'}{message}" if where else message
    if problem["type"] == "missing":
        return f"{where}: required key is missing"
    return f"{where}: {message[0].lower()}{message[1:]} (got {problem['input']!r})"


def one_line(text: str) -> str:
    """The text with newlines and whatever else is not printable as escapes; a key may have them."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def _every_key() -> list[str]:
    """Every key that some section knows; the hint picks the nearest."""
    return sorted({key for section in Section.__subclasses__() for key in section.model_fields})


def hint(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""
