"""JSON Schemas, as pydantic makes them, walked along the keys of a config."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Schema = dict[str, Any]


def section_at(schema: Schema, keys: Sequence[Any]) -> Schema | None:
    """The schema of the mapping to which ``keys`` lead, or None where it has no keys of its own."""
    part: Schema | None = schema
    for key in keys:
        part = part and _below(schema, part, key)
    return resolved(schema, part) if part else None


def _below(schema: Schema, part: Schema, key: Any) -> Schema | None:
    part = resolved(schema, part)
    if key in part.get("properties", {}):
        return part["properties"][key]
    return next(iter(part.get("patternProperties", {}).values()), None)


def resolved(schema: Schema, part: Schema) -> Schema:
    """What a part refers to, or its one choice that is not null."""
    part = next((choice for choice in part.get("anyOf", []) if choice.get("type") != "null"), part)
    return schema["$defs"][part["$ref"].rpartition("/")[2]] if "$ref" in part else part


def parts(schema: Schema) -> list[Schema]:
    """A schema and every schema within it (names of keys are no schemas)."""
    below = [*schema.get("$defs", {}).values(), *schema.get("properties", {}).values()]
    below += [*schema.get("patternProperties", {}).values(), *schema.get("anyOf", [])]
    return [schema, *(part for inner in below for part in parts(inner))]
