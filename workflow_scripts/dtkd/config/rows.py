"""The sections `baselines` and `students`: the rows of the tables."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from inspect import cleandoc
from typing import Annotated, Any

from pydantic import Field, GetPydanticSchema, PlainValidator, SerializeAsAny, ValidationError, create_model

from dtkd.common.errors import DtkdError
from dtkd.common.fields import Count, Name, Section
from dtkd.config.model import Backbone, Clip
from dtkd.config.training import Outputs
from dtkd.distillation.methods import METHODS, Method


class Baseline(Section):
    """A plain fine-tuning, which students are compared with.

    Each list that students have needs a baseline with the study's backbone and clip and without `frozen`: the first of
    these is what its students are compared with.
    """

    list: Count = Field(
        1, description="The list to train and test on. A row for each list gives the cross-validation and Figure 5."
    )
    frozen: bool = Field(False, description="Only the head trains: what the start weights alone are worth.")
    backbone: Backbone | None = Field(None, description="Another network, to compare; `null`: `model.backbone`.")
    clip: Clip | None = Field(
        None, description="Another clip, to compare, with the keys of `clip`; `null`: the study's."
    )


class Student(Section):
    """One student: its method, what that asks for, and which teachers it learns from.

    Teachers need no rows. Specialists: there is one for each group of classes, list, seed, `LT` and `teacher_outputs`.
    The teacher of a student by plain distillation is a baseline.
    """

    method: str
    list: Count = Field(1, description="The list to train and test on; there has to be a baseline of that list.")

    @property
    def distillation(self) -> Method:
        """Its method, with the row's settings."""
        kind = METHODS[self.method]
        return kind(**{key: getattr(self, key) for key in kind.model_fields})


class OfSpecialists(Student):
    """A student that a teacher for each group of classes teaches."""

    split: Name | None = Field(
        None, description="The split whose groups have the teachers: a name of `splits`; `null`: the study's `split`."
    )
    LT: bool = Field(True, description="Locked teachers: of the teachers, only the heads were trained.")
    FT: bool = Field(
        True,
        description="Frozen teachers: they stay as they are while the student learns. With `false` they go on learning "
        "on their own subsets' clips, in a run that all students of the same teachers share.",
    )
    teacher_outputs: Outputs | None = Field(
        None, description="The classes that its teachers can predict; `null`: as `teachers.outputs`."
    )


class OfGeneralist(Student):
    """A student that one baseline teaches."""

    teacher: Name | None = Field(
        None,
        description="The row of `baselines` that teaches, of the same list and clip, with any backbone; `null`: the "
        "baseline that students are compared with. Set it to have a larger network teach.",
    )


@cache
def row_type(name: str) -> type[Student]:
    """What a row of students is by a method of this name."""
    kind = METHODS[name]
    base = OfSpecialists if kind.teachers == "specialists" else OfGeneralist
    fields: dict[str, Any] = {key: (field.annotation, field) for key, field in kind.model_fields.items()}
    return create_model(f"{kind.label}Student", __base__=base, **fields)


def student(row: Any) -> Student:
    """A valid row of `students`: its keys are those of its method, `dtkd` where it names none.

    Of the other methods' keys it may have `null`, with which an overlay takes away what a row had.
    Raises ValueError for an unknown method and for what the method does not look at, pydantic's for the rest.
    """
    if isinstance(row, Student):
        return row
    if not isinstance(row, Mapping):
        raise ValueError(f": a row has keys, such as method (got {row!r})")
    given = {"method": "dtkd"} | dict(row)
    name = given["method"]
    try:
        own = row_type(str(name))
    except DtkdError as error:
        raise ValueError(f"method: {error}") from None
    others = {key for other in METHODS.names() for key in row_type(other).model_fields} - own.model_fields.keys()
    idle = others & given.keys()
    if said := [key for key in given if key in idle and given[key] is not None]:
        raise ValueError(f"{', '.join(said)}: method {name} has no such setting; leave it out")
    found = own.model_validate({key: value for key, value in given.items() if key not in idle})
    try:
        found.distillation  # noqa: B018 (what a method of a plug-in asks of its settings together)
    except ValidationError as error:
        raise ValueError("; ".join(f"method: {name}: {problem['msg']}" for problem in error.errors())) from None
    return found


def _keys() -> dict[str, tuple[Any, list[str]]]:
    """Every key that some row of students may have -> its JSON schema, and the methods that have it."""
    keys: dict[str, tuple[Any, list[str]]] = {}
    for name in METHODS.names():
        for key, part in row_type(name).model_json_schema()["properties"].items():
            keys.setdefault(key, (part, []))[1].append(name)
    return keys


def _row_schema() -> dict[str, Any]:
    """The JSON Schema of any row: all methods' keys. Each says whose it is, and ``x-required`` that these need it."""
    known = METHODS.names()
    summaries = " ".join(f"`{name}`: {METHODS[name].summary}." for name in known)
    choice = {"enum": known, "type": "string", "default": "dtkd", "description": summaries}
    properties: dict[str, Any] = {"method": choice}
    for key, (part, names) in _keys().items():
        if key != "method":
            whose = "" if len(names) == len(known) else f"{', '.join(f'`{name}`' for name in names)}: "
            properties[key] = part | {"description": whose + part["description"]}
            properties[key] |= {} if "default" in part else {"x-required": True}
    return {"type": "object", "description": cleandoc(Student.__doc__ or ""), "additionalProperties": False,
            "properties": properties}  # fmt: skip


StudentRow = Annotated[
    SerializeAsAny[Student],
    PlainValidator(student),
    GetPydanticSchema(get_pydantic_json_schema=lambda _, __: _row_schema()),
]
"""A row of `students`: what is valid follows from its method."""
