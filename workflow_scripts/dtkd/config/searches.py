"""A row of `students` with a `search`: one student, whose settings successive halving finds among candidates."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from functools import cache
from typing import Annotated, Any, cast

from pydantic import Field, ValidationError, create_model, model_serializer

from dtkd.common.fields import Count, Section
from dtkd.config import combinations
from dtkd.config.model import OwnNetwork
from dtkd.config.rows import KINDS, Student, student
from dtkd.distillation.methods import Method


class Halving(Section):
    """How candidates are compared: successive halving (Jamieson & Talwalkar 2016).

    Every candidate is trained for the first rung's epochs, and the best of them go on to the next rung.
    """

    grid: dict[str, list[Any]] = Field(
        description="The candidates: every combination of these values of keys of the row. What the row itself says of "
        "such a key does not count."
    )
    rungs: tuple[Count, ...] = Field(
        json_schema_extra={"minItems": 1},
        description="The epochs after which candidates are compared, by their best top-1 on the held-out training "
        "videos so far, such as `[2, 6]`. Those that are left after the last of them are trained to the end.",
    )
    eta: Annotated[int, Field(ge=2)] = Field(
        3, description="Of so many candidates one goes on, rounded down, but at least one: 9, 3, 1."
    )

    def numbers(self, candidates: int) -> list[int]:
        """How many are trained to each rung, and to the end, of so many candidates.

        >>> Halving(grid={}, rungs=(2, 6)).numbers(10)
        [10, 3, 1]
        """
        found = [candidates]
        for _ in self.rungs:
            found.append(max(1, found[-1] // self.eta))
        return found


class Searched(Student):
    """A student whose settings are searched for: it has those that all candidates share.

    It is an `OfSpecialists` (or another kind) besides where all candidates have the same teachers; otherwise nobody
    knows beforehand who teaches it.
    """

    fixed: dict[str, Any]  # the row without its search, as the config has it
    search: Halving
    candidates: dict[str, Student]  # by their values, in the grid's order

    @property
    def example(self) -> Student:
        return next(iter(self.candidates.values()))

    @property
    def distillation(self) -> Method:
        """The first candidate's method and settings; its method is all candidates' unless `method` is searched for."""
        return self.example.distillation

    @property
    def of_one_method(self) -> bool:
        return len({row.method for row in self.candidates.values()}) == 1

    @model_serializer
    def _as_written(self) -> dict[str, Any]:
        return self.fixed | {"search": self.search.model_dump(mode="json")}


def student_or_search(row: Any) -> Student:
    """A valid row of `students`; with a `search`, one whose settings are found by it.

    Raises as `rows.student`; what is wrong within the search is told of there.
    """
    if isinstance(row, Student) or not isinstance(row, Mapping):
        return student(row)
    fixed = {key: value for key, value in row.items() if key != "search"}
    if row.get("search") is None:
        return student(fixed)
    search = _halving(row["search"])
    if "list" in search.grid:
        raise ValueError(
            "search.grid.list: candidates are compared on the same held-out videos; leave it out, or put it into "
            "`grid` of the row, which makes a search of each list"
        )
    if own := sorted(OwnNetwork.model_fields.keys() & search.grid.keys()):
        raise ValueError(
            f"search.grid.{own[0]}: students are compared with a baseline of their network, which has to be known; "
            "leave it out, or put it into `grid` of the row, which makes a search of each network"
        )
    found = combinations.combinations(fixed, search.grid, student, "search", "grid")
    rows = list(found.values())
    if len(rows) == 1:
        raise ValueError(
            "search.grid: one candidate leaves no choice; give a key several values, or take the search away"
        )
    kind, shared = _shared(rows)
    method = rows[0].method if len({each.method for each in rows}) == 1 else "search"
    return kind.model_validate(
        shared | {"method": method, "list": rows[0].list, "fixed": fixed, "search": search, "candidates": found}
    )


def _halving(given: Any) -> Halving:
    if not isinstance(given, Mapping):
        raise ValueError(
            f"search: give it a grid and rungs, such as {{grid: {{KD_T: [2, 4]}}, rungs: [2]}} (got {given!r})"
        )
    if "grid" in given:
        given = {**given, "grid": combinations.values(given["grid"], "search.grid")}
    try:
        search = Halving.model_validate(given)
    except ValidationError as error:
        problems = combinations.within(error, ("search",))
        raise ValidationError.from_exception_data("students", problems) from None
    if not search.rungs:
        raise ValueError(
            "search.rungs: there is none; give the epochs after which candidates are compared, such as [2]"
        )
    if list(search.rungs) != sorted(set(search.rungs)):
        raise ValueError(f"search.rungs: the first comes first (got {list(search.rungs)})")
    return search


def _shared(rows: list[Student]) -> tuple[type[Searched], dict[str, Any]]:
    """What a searched student is by its candidates, and what these have in common of who teaches."""
    kinds = [kind for kind in KINDS.values() if all(kind in type(row).__bases__ for row in rows)]
    for kind in kinds:
        keys = kind.model_fields.keys() - {"method", "list"}
        if all(getattr(row, key) == getattr(rows[0], key) for row in rows for key in keys):
            return _searched(kind), {key: getattr(rows[0], key) for key in keys}
    return Searched, {key: getattr(rows[0], key) for key in OwnNetwork.model_fields}


@cache
def _searched(kind: type[Student]) -> type[Searched]:
    """A searched student of a kind in `rows.KINDS`."""
    return create_model(f"Searched{kind.__name__}", __base__=cast("Any", (Searched, kind)))


def search_schema(grid: dict[str, Any]) -> dict[str, Any]:
    """The JSON Schema of `search`, whose grid has this one."""
    schema = deepcopy(Halving.model_json_schema())
    schema["properties"]["grid"] = grid | {"description": schema["properties"]["grid"]["description"]}
    return {
        "anyOf": [schema, {"type": "null"}],
        "default": None,
        "description": "One row whose settings are found: candidates are trained for some epochs and compared on "
        "held-out training videos, and the best go on (successive halving). It takes `train.selection: validation`.",
    }
