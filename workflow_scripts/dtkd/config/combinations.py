"""Every combination of lists of values for keys of a row of `students`, as a grid or a search has them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from itertools import product
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError

from dtkd.config.model import Clip, weights_word
from dtkd.config.rows import Student
from dtkd.distillation.methods import METHODS
from dtkd.distillation.methods.base import word

if TYPE_CHECKING:
    from pydantic_core import InitErrorDetails

AnyStudent = TypeVar("AnyStudent", bound=Student)


def combinations(
    fixed: Mapping[str, Any], grid: Mapping[str, list[Any]], make: Callable[[Mapping[str, Any]], AnyStudent],
    *where: str,
) -> dict[str, AnyStudent]:  # fmt: skip
    """The row of each combination, by what its name has of the values.

    Args:
        fixed: keys of the row; the grid's values count where it has a key as well.
        grid: of `values`.
        make: what a row is made by.
        where: the keys that lead from the row to the grid, for messages.

    Raises:
        ValueError: as ``make``, which is told of the grid where a key of it is wrong; or two rows would have one name.
    """
    rows: dict[str, AnyStudent] = {}
    problems: list[InitErrorDetails] = []
    at = ".".join(where)
    for values in product(*grid.values()):
        chosen = dict(zip(grid, values, strict=True))
        try:
            found = make({**fixed, **chosen})
        except ValidationError as error:
            problems += within(error, where, chosen)
            continue
        except ValueError as error:
            of_grid = str(error).partition(":")[0].partition(",")[0] in chosen
            raise ValueError(f"{at}.{error}" if of_grid else str(error)) from None
        name = "-".join(_part(found, key, value) for key, value in chosen.items())
        if name in rows:
            raise ValueError(f"{at}: two of its rows would be called …-{name}; its values differ by too little")
        rows[name] = found
    if problems:
        raise ValidationError.from_exception_data("students", problems)
    return rows


def values(grid: Any, at: str) -> dict[str, list[Any]]:
    """The keys of a grid with their values; `null`, with which an overlay takes a key out of the grid, is left out.

    Raises ValueError, which names the key, for what is no list of different values; ``at`` is where the row has it.
    """
    if not isinstance(grid, Mapping):
        raise ValueError(f"{at}: give it keys of the row with lists of values, such as KD_T: [2, 4] (got {grid!r})")
    found = {key: own for key, own in grid.items() if own is not None}
    if not found:
        raise ValueError(f"{at}: has no keys; give it some, such as KD_T: [2, 4], or leave it out")
    for key, own in found.items():
        if not isinstance(own, list | tuple) or not own:
            raise ValueError(f"{at}.{key}: give it a list of values, such as [0.3, 0.5] (got {own!r})")
        if twice := [value for number, value in enumerate(own) if value in own[:number]]:
            raise ValueError(f"{at}.{key}: {twice[0]!r} is given twice; leave one out")
    return {key: list(own) for key, own in found.items()}


def labels(grid: Mapping[str, list[Any]]) -> dict[str, list[str]]:
    """The values of each key as tables and figures write them."""
    return {key: [_label(value) for value in own] for key, own in grid.items()}


def within(
    error: ValidationError, where: tuple[str, ...], keys: Collection[str] | None = None
) -> list[InitErrorDetails]:
    """What is wrong with a row, told as of what stands at ``where``: all of it, or of these ``keys`` alone."""
    return [
        {
            "type": problem["type"],
            "loc": (where if keys is None or (problem["loc"] and problem["loc"][0] in keys) else ()) + problem["loc"],
            "input": problem["input"],
            "ctx": problem.get("ctx", {}),
        }
        for problem in error.errors()
    ]


def _part(row: Student, key: str, given: Any) -> str:
    """What a value is in the name of a student, spelt as in the names of runs."""
    row = row.example
    value = getattr(row, key, None)
    value = given if value is None else value  # `teachers` that are its method's usual ones
    if value is None:
        return f"{key}-null"
    if isinstance(value, list | tuple):
        return "+".join(map(str, value))
    if isinstance(value, Clip):
        return str(value)
    if key == "weights":
        return weights_word(value)
    symbol = METHODS[row.method].symbols.get(key)
    return f"{symbol}{value:g}" if symbol else word(key, value)


def _label(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return str(value).lower().replace("none", "null")
    if isinstance(value, list | tuple):
        return " + ".join(map(str, value))
    if isinstance(value, Mapping):
        return str(Clip(**value))
    return f"{value:g}" if isinstance(value, int | float) else str(value)


def schema(row: dict[str, Any]) -> dict[str, Any]:
    """The JSON Schema of a grid of the keys of a row, whose schema this is."""
    lists = {
        key: {
            "anyOf": [
                {"type": "array", "minItems": 1, "items": {name: each for name, each in part.items() if name in TYPES}},
                {"type": "null"},
            ],
            "description": f"Values of `{key}`.",
        }
        for key, part in row["properties"].items()
    }
    return {"type": "object", "additionalProperties": False, "properties": lists, "x-values": VALUES}


TYPES = {"type", "enum", "anyOf", "pattern", "items", "minItems", "maxItems", "prefixItems", "minimum", "maximum",
         "exclusiveMinimum", "exclusiveMaximum", "multipleOf"}  # fmt: skip
VALUES = "key of the row → list of its values"  # in the reference
