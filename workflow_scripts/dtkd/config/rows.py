"""The sections `baselines` and `students`: the rows of the tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from inspect import cleandoc
from typing import Any

from pydantic import Field, ValidationError, create_model

from dtkd.common.errors import DtkdError
from dtkd.common.fields import Count, Name
from dtkd.config.model import OwnNetwork
from dtkd.config.training import Outputs
from dtkd.distillation.methods import METHODS, Method
from dtkd.distillation.methods.base import Teachers


class Baseline(OwnNetwork):
    """A plain fine-tuning, which students are compared with.

    Each list that students have needs a baseline of their network (the same `backbone`, `weights`, `dropout`, `clip`
    and `pixels`) and without `frozen` and `train`: the first of these is what its students are compared with.
    """

    list: Count = Field(
        1, description="The list to train and test on. A row for each list gives the cross-validation and Figure 5."
    )
    frozen: bool = Field(False, description="Only the head trains: what the start weights alone are worth.")
    train: dict[str, Any] = Field(
        default_factory=dict,
        description="What differs from the section `train`, with its keys: a control that has no teacher, such as "
        "`{epochs: 60}`, `{label_smoothing: 0.1}` or `{ema: 0.999}`. Table 5 has it beside the students.",
    )


class Student(OwnNetwork):
    """One student: its method, what that asks for, and which teachers it learns from.

    Teachers need no rows. Specialists: there is one for each group of classes, list, seed, `LT` and `teacher_outputs`.
    A generalist, which knows all classes, is a baseline. The network is the study's, or one of its own.
    """

    method: str
    list: Count = Field(1, description="The list to train and test on; there has to be a baseline of that list.")
    teachers: Teachers | tuple[str, ...] | None = Field(
        None,
        description="Who teaches. `specialists`: one network for each group of classes. `generalist`: a baseline. "
        "`both`. Or a list of several rows of `baselines`. `null`: whom its method asks for (methods).",
    )

    @property
    def distillation(self) -> Method:
        """Its method, with the row's settings."""
        kind = METHODS[self.method]
        return kind(**{key: getattr(self, key) for key in kind.model_fields})

    @property
    def example(self) -> Student:
        """A row that has every key of its method: itself; of a search, the first candidate."""
        return self


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
        description="The row of `baselines` that is the generalist, of the same list, with any network; `null`: the "
        "first baseline with the study's. Set it to have another network teach.",
    )


class OfBoth(OfSpecialists, OfGeneralist):
    """A student that specialists and one baseline teach."""


class OfBaselines(Student):
    """A student that several baselines teach, which `teachers` names."""

    @property
    def named(self) -> tuple[str, ...]:
        assert isinstance(self.teachers, tuple)
        return self.teachers


KINDS: dict[str, type[Student]] = {
    "specialists": OfSpecialists,
    "generalist": OfGeneralist,
    "both": OfBoth,
    "baselines": OfBaselines,
}


@cache
def row_type(name: str, teachers: str) -> type[Student]:
    """What a row of students is by a method of this name, with teachers of such a kind."""
    kind = METHODS[name]
    fields: dict[str, Any] = {key: (field.annotation, field) for key, field in kind.model_fields.items()}
    return create_model(f"{kind.label}Student", __base__=KINDS[teachers], **fields)


def row_types(name: str) -> list[type[Student]]:
    """What rows of students are by a method of this name, with its usual teachers first."""
    return [row_type(name, teachers) for teachers in (METHODS[name].teachers, *METHODS[name].alternatives)]


def _known_keys() -> frozenset[str]:
    """Every key that some row may have, read off what rows' types are made of: to build all of these takes time."""
    methods = [METHODS[name] for name in METHODS.names()]
    teachers = {kind for method in methods for kind in (method.teachers, *method.alternatives)}
    return frozenset(key for part in (*methods, *(KINDS[kind] for kind in teachers)) for key in part.model_fields)


def _kind_of_teachers(name: str, given: Any) -> str:
    """What `teachers` of a row asks for: a key of `KINDS`."""
    method = METHODS[name]
    several = isinstance(given, list | tuple) and given and all(isinstance(each, str) for each in given)
    kind = method.teachers if given is None else "baselines" if several else given
    known = (method.teachers, *method.alternatives)
    if kind not in known:
        words = ["a list of baselines" if each == "baselines" else each for each in known]
        raise ValueError(f"teachers: method {name} learns from {' or '.join(words)} (got {given!r})")
    return kind


def student(row: Any) -> Student:
    """A valid row of `students`: its keys are those of its method and teachers, `dtkd` where it names no method.

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
        usual = METHODS[str(name)].teachers
    except DtkdError as error:
        raise ValueError(f"method: {error}") from None
    teachers = _kind_of_teachers(name, given.get("teachers"))
    if teachers == usual:
        given.pop("teachers", None)  # said or not, it is the same run
    own = row_type(name, teachers)
    idle = (_known_keys() - own.model_fields.keys()) & given.keys()
    if said := [key for key in given if key in idle and given[key] is not None]:
        of = "" if teachers == usual else f" with these teachers ({teachers})"
        raise ValueError(f"{', '.join(said)}: method {name}{of} has no such setting; leave it out")
    found = own.model_validate({key: value for key, value in given.items() if key not in idle})
    try:
        found.distillation  # noqa: B018 (what a method of a plug-in asks of its settings together)
    except ValidationError as error:
        raise ValueError("; ".join(f"method: {name}: {problem['msg']}" for problem in error.errors())) from None
    return found


def _keys() -> dict[str, dict[str, dict[str, Any]]]:
    """Every key that some row of students may have -> the methods that have it -> its JSON schema."""
    keys: dict[str, dict[str, dict[str, Any]]] = {}
    for name in METHODS.names():
        for kind in row_types(name):
            schema = kind.model_json_schema()
            for key, part in schema["properties"].items():
                keys.setdefault(key, {}).setdefault(name, _inlined(schema, part))
    return keys


def _inlined(schema: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    """A part of a schema that stands alone: a section that it refers to is in it."""
    if "$ref" in part:
        name = part["$ref"].rpartition("/")[2]
        return schema["$defs"][name] | {"x-values": f"[section](#{name.lower()})"}
    choices = {"anyOf": [_inlined(schema, choice) for choice in part["anyOf"]]} if "anyOf" in part else {}
    return part | choices


def row_schema() -> dict[str, Any]:
    """The JSON Schema of any row: all methods' keys. Each says whose it is, and ``x-required`` that these need it."""
    known = METHODS.names()
    summaries = " ".join(f"`{name}`: {METHODS[name].summary}." for name in known)
    choice = {"enum": known, "type": "string", "default": "dtkd", "description": summaries}
    properties: dict[str, Any] = {"method": choice}
    for key, by_method in _keys().items():
        if key != "method":
            properties[key] = _key_schema(by_method)
    return {"type": "object", "description": cleandoc(Student.__doc__ or ""), "additionalProperties": False,
            "properties": properties}  # fmt: skip


def _key_schema(by_method: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """The JSON Schema of a key, which may be described otherwise, and have another default, by each method."""
    alike: list[tuple[dict[str, Any], list[str]]] = []
    for name, part in by_method.items():
        names = next((names for other, names in alike if other == part), None)
        if names is None:
            alike.append((part, [name]))
        else:
            names.append(name)
    first = alike[0][0]
    if len(alike) == 1:
        whose = "" if len(by_method) == len(METHODS.names()) else _listed(by_method)
        return first | {"description": whose + first["description"]} | ({} if "default" in first else REQUIRED)
    said = " ".join(f"{_listed(names)}{part['description']} {_needed(part)}" for part, names in alike)
    return {key: value for key, value in first.items() if key != "default"} | {"description": said, "x-by-method": True}


REQUIRED = {"x-required": True}


def _listed(names: Iterable[str]) -> str:
    return f"{', '.join(f'`{name}`' for name in names)}: "


def _needed(part: Mapping[str, Any]) -> str:
    return f"Default: {part['default']:g}." if "default" in part else "Required."
