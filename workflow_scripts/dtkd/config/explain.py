"""What is wrong with a config, in a line for each wrong key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from dtkd.common.registry import hint
from dtkd.config.instead import INSTEAD
from dtkd.config.schema import Schema, section_at


def explain(error: ValidationError, section: type[BaseModel], path: str = "") -> list[str]:
    """What is wrong with a ``section``, which stands at ``path`` of the config: each problem once, as a line."""
    schema = section.model_json_schema()
    lines = [_one_line(_explain(problem, schema, path)) for problem in error.errors()]
    return list(dict.fromkeys(lines))


def _explain(problem: Mapping[str, Any], schema: Schema, path: str) -> str:
    """A ValueError of ours says more of where it is, or begins with a colon."""
    where = ".".join([*filter(None, [path]), *map(str, problem["loc"])])
    if problem["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
        return f"{where}: unknown key{_remedy(where, problem['loc'], schema)}"
    message = problem["msg"].removeprefix("Value error, ")
    if problem["type"] == "value_error":
        return f"{where}{'' if message.startswith(':') else '.'}{message}" if where else message
    if problem["type"] == "missing":
        return f"{where}: required key is missing"
    return f"{where}: {message[0].lower()}{message[1:]} (got {problem['input']!r})"


def _remedy(where: str, keys: tuple[Any, ...], schema: Schema) -> str:
    """What to write in place of an unknown key."""
    section, name = where.partition(".")[0], str(keys[-1])
    instead = INSTEAD.get(f"{section}.{name}") or INSTEAD.get(name)
    if instead:
        return f"; {instead}"
    known = section_at(schema, keys[:-1])
    return hint(name, known["properties"]) if known and "properties" in known else ""


def _one_line(text: str) -> str:
    """The text with newlines and whatever else is not printable as escapes; a key may have them."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)
