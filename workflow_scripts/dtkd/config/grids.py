"""A row of `students` with a `grid`: as many rows as there are combinations of the grid's values."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import GetPydanticSchema, PlainValidator, SerializeAsAny, ValidationError, model_serializer

from dtkd.common.fields import Section
from dtkd.config.model import Clip, weights_word
from dtkd.config.rows import Student, row_schema, student
from dtkd.distillation.methods import METHODS
from dtkd.distillation.methods.base import word

if TYPE_CHECKING:
    from pydantic_core import InitErrorDetails


class Grid(Section):
    """A row with a grid, as the config has it, and the students that it is."""

    fixed: dict[str, Any]
    grid: dict[str, list[Any]]
    students: dict[str, Student]  # by what their names have behind the row's

    def named(self, row: str) -> dict[str, Student]:
        """Its students by their whole names; ``row`` is that of the row."""
        return {f"{row}-{name}": student for name, student in self.students.items()}

    def labels(self) -> dict[str, list[str]]:
        """The values of each key as figures write them."""
        return {key: [_label(value) for value in values] for key, values in self.grid.items()}

    @model_serializer
    def _as_written(self) -> dict[str, Any]:
        return self.fixed | {"grid": self.grid}


def student_or_grid(row: Any) -> Student | Grid:
    """A valid row of `students`; with a `grid`, every combination of its values is one.

    A key that stands in the row as well has the grid's values. Raises as `rows.student`; what is wrong within the grid
    is told of there.
    """
    if isinstance(row, Student | Grid) or not isinstance(row, Mapping):
        return row if isinstance(row, Grid) else student(row)
    fixed = {key: value for key, value in row.items() if key != "grid"}
    if row.get("grid") is None:
        return student(fixed)
    grid = _values(row["grid"])
    students: dict[str, Student] = {}
    problems: list[InitErrorDetails] = []
    for values in product(*grid.values()):
        chosen = dict(zip(grid, values, strict=True))
        try:
            found = student(fixed | chosen)
        except ValidationError as error:
            problems += _within(error, chosen)
            continue
        except ValueError as error:
            at = "grid." if str(error).partition(":")[0].partition(",")[0] in chosen else ""
            raise ValueError(f"{at}{error}") from None
        name = "-".join(_part(found, key, value) for key, value in chosen.items())
        if name in students:
            raise ValueError(f"grid: two of its rows would be called …-{name}; its values differ by too little")
        students[name] = found
    if problems:
        raise ValidationError.from_exception_data("students", problems)
    return Grid(fixed=fixed, grid=grid, students=students)


def _values(grid: Any) -> dict[str, list[Any]]:
    """The keys of a grid with their values; `null`, with which an overlay takes a key out of the grid, is left out."""
    if not isinstance(grid, Mapping):
        raise ValueError(f"grid: give it keys of the row with lists of values, such as KD_T: [2, 4] (got {grid!r})")
    found = {key: values for key, values in grid.items() if values is not None}
    if not found:
        raise ValueError("grid: has no keys; give it some, such as KD_T: [2, 4], or leave it out")
    for key, values in found.items():
        if not isinstance(values, list | tuple) or not values:
            raise ValueError(f"grid.{key}: give it a list of values, such as [0.3, 0.5] (got {values!r})")
        if twice := [value for number, value in enumerate(values) if value in values[:number]]:
            raise ValueError(f"grid.{key}: {twice[0]!r} is given twice; leave one out")
    return {key: list(values) for key, values in found.items()}


def _within(error: ValidationError, grid: Mapping[str, Any]) -> list[InitErrorDetails]:
    """What is wrong with a row, of the grid's keys as of keys within the grid."""
    return [
        {
            "type": problem["type"],
            "loc": (("grid",) if problem["loc"] and problem["loc"][0] in grid else ()) + problem["loc"],
            "input": problem["input"],
            "ctx": problem.get("ctx", {}),
        }
        for problem in error.errors()
    ]


def _part(row: Student, key: str, given: Any) -> str:
    """What a value is in the name of a student, spelt as in the names of runs."""
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


def _schema() -> dict[str, Any]:
    """The JSON Schema of any row: its keys, and a grid of lists of them."""
    schema = row_schema()
    lists = {
        key: {
            "anyOf": [
                {"type": "array", "minItems": 1, "items": {name: each for name, each in part.items() if name in TYPES}},
                {"type": "null"},
            ],
            "description": f"Values of `{key}`.",
        }
        for key, part in schema["properties"].items()
    }
    grid = {"type": "object", "additionalProperties": False, "properties": lists, "x-values": GRID_VALUES}
    schema["properties"]["grid"] = {
        "anyOf": [grid, {"type": "null"}],
        "default": None,
        "description": "Several rows in one: a student for each combination of these values, called by them, such as "
        "`sweep-S0.3-T2` of the row `sweep` with `grid: {S_alpha: [0.3, 0.5], KD_T: [2, 4]}`. What the row itself says "
        "of such a key does not count.",
    }
    return schema


TYPES = {"type", "enum", "anyOf", "pattern", "items", "minItems", "maxItems", "prefixItems", "minimum", "maximum",
         "exclusiveMinimum", "exclusiveMaximum", "multipleOf"}  # fmt: skip
GRID_VALUES = "key of the row → list of its values"  # in the reference

StudentRow = Annotated[
    SerializeAsAny[Student | Grid],
    PlainValidator(student_or_grid),
    GetPydanticSchema(get_pydantic_json_schema=lambda _, __: _schema()),
]
"""A row of `students`: what is valid follows from its method; one with a `grid` is several students."""
