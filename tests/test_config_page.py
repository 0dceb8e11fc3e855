"""docs/config.md names every key of the config, with its default, and none that does not exist."""

import dataclasses
import re
from pathlib import Path
from typing import get_args, get_origin

import yaml
from pydantic import BaseModel

from dtkd.config import Study

PAGE = (Path(__file__).parents[1] / "docs" / "config.md").read_text(encoding="utf-8")


def fields(model):
    """(name, annotation, its default or "required") of a section's keys."""
    if dataclasses.is_dataclass(model):
        for field in dataclasses.fields(model):
            yield field.name, field.type, "required" if field.default is dataclasses.MISSING else field.default
    else:
        for name, field in model.model_fields.items():
            default = "required" if field.is_required() else field.get_default(call_default_factory=True)
            yield name, field.annotation, default


def section(annotation, path):
    """The model within an annotation and its path, with `*` for what a mapping's keys are; or None."""
    if get_origin(annotation) is dict:
        path += ".*"
    for part in get_args(annotation):
        if found := section(part, path):
            return found
    is_model = isinstance(annotation, type) and (
        issubclass(annotation, BaseModel) or dataclasses.is_dataclass(annotation)
    )
    return (annotation, path) if is_model else None


def keys(model=Study, path="", seen=None):
    """Path -> default of every key that is no section; one that stands in two places (`clip`) is told of once."""
    seen, found = {model} if seen is None else seen, {}
    for name, annotation, default in fields(model):
        below = section(annotation, f"{path}.{name}".lstrip("."))
        if below and below[0] not in seen:
            seen.add(below[0])
            found |= keys(*below, seen)
        else:
            found[f"{path}.{name}".lstrip(".")] = default
    return found


def on_the_page():
    found, path = {}, ""
    for line in PAGE.splitlines():
        if heading := re.fullmatch(r"## (?:`(.+)`|.+)", line):
            path = re.sub(r"<\w+>", "*", heading[1] or "")
        elif row := re.match(r"\| `(\w+)` \| [^|]+ \| ([^|]+) \|", line):
            found[f"{path}.{row[1]}".lstrip(".")] = yaml.safe_load(row[2].strip("`"))
    return found


def test_the_page_has_every_key_with_its_default():
    page = on_the_page()
    page.pop("datasets.*.render")  # a key and a section
    assert page == keys()
