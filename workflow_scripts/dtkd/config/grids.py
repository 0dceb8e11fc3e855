"""A row of `students` with a `grid`: as many rows as there are combinations of the grid's values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import GetPydanticSchema, PlainValidator, SerializeAsAny, model_serializer

from dtkd.common.fields import Section
from dtkd.config import combinations
from dtkd.config.rows import Student, row_schema
from dtkd.config.searches import search_schema, student_or_search


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
        return combinations.labels(self.grid)

    @model_serializer
    def _as_written(self) -> dict[str, Any]:
        return self.fixed | {"grid": self.grid}


def student_or_grid(row: Any) -> Student | Grid:
    """A valid row of `students`; with a `grid`, every combination of its values is one.

    A key that stands in the row as well has the grid's values. Raises as `rows.student`; what is wrong within the grid
    is told of there.
    """
    if isinstance(row, Student | Grid) or not isinstance(row, Mapping):
        return row if isinstance(row, Grid) else student_or_search(row)
    fixed = {key: value for key, value in row.items() if key != "grid"}
    if row.get("grid") is None:
        return student_or_search(fixed)
    grid = combinations.values(row["grid"], "grid")
    search = row.get("search")
    searched = search.get("grid") if isinstance(search, Mapping) else None
    if isinstance(searched, Mapping) and (twice := grid.keys() & searched.keys()):
        raise ValueError(f"search.grid.{min(twice)}: the row's grid has it as well; leave one of the two out")
    return Grid(fixed=fixed, grid=grid, students=combinations.combinations(fixed, grid, student_or_search, "grid"))


def _schema() -> dict[str, Any]:
    """The JSON Schema of any row: its keys, and a grid and a search of lists of them."""
    schema = row_schema()
    grid = combinations.schema(schema)
    search = search_schema(grid)
    schema["properties"]["grid"] = {
        "anyOf": [grid, {"type": "null"}],
        "default": None,
        "description": "Several rows in one: a student for each combination of these values, called by them, such as "
        "`sweep-S0.3-T2` of the row `sweep` with `grid: {S_alpha: [0.3, 0.5], KD_T: [2, 4]}`. What the row itself says "
        "of such a key does not count.",
    }
    schema["properties"]["search"] = search
    return schema


StudentRow = Annotated[
    SerializeAsAny[Student | Grid],
    PlainValidator(student_or_grid),
    GetPydanticSchema(get_pydantic_json_schema=lambda _, __: _schema()),
]
"""A row of `students`: what is valid follows from its method; one with a `grid` is several students."""
