"""The config's reference in docs/, made from the schema: python -m dtkd.config.reference docs/reference"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dtkd.common.fields import PATH
from dtkd.common.registry import NAME
from dtkd.config.editors import config_schema, overlay_schema
from dtkd.config.schema import Schema, resolved
from dtkd.models.entries import NETWORKS

INTRODUCTION = """\
# Config

<!-- Made by `make docs` from the descriptions in workflow_scripts/dtkd/config/: edit them there. -->

Every key of a study's config. [Changing a study](../guides/changing-a-study.md) says how config files are merged, and
what a change makes run again.

An unknown key, a wrong type or a value out of range ends the workflow before the first job, in one line. `null` is
YAML's word for "none".
"""
PAGES = {  # what descriptions name in brackets
    "(decisions, row": "([decisions](../explanation/decisions.md), row",
    "(methods)": "([methods](../explanation/methods.md))",
    "(networks)": "([networks](networks.md))",
    "(plug-ins)": "([plug-ins](../guides/plug-ins.md))",
    "(smaller students)": "([smaller students](../guides/smaller-students.md))",
}
TEXTS = {NAME: "name", PATH: "path"}  # what strings of these patterns are
TEXTS |= {f"^{prefix}.": f"`{prefix}...`" for prefix in NETWORKS.families}
SAME = {"splits": "split"}  # sections whose keys stand under another heading
NAMES = {"datasets": ["<name>"], "baselines": ["<data set>", "<name>"], "students": ["<data set>", "<name>"]}


def files() -> dict[str, str]:
    """What docs/reference has of the config: file -> content."""
    schemas = {"config.schema.json": config_schema(), "overlay.schema.json": overlay_schema()}
    written = {name: json.dumps(schema, indent=2, ensure_ascii=False) + "\n" for name, schema in schemas.items()}
    return {"config.md": page(config_schema())} | written


def page(schema: Schema) -> str:
    """A table for each section, as Markdown."""
    sections = "".join(_section(schema, *found) for found in _sections(schema))
    for named, link in PAGES.items():
        sections = sections.replace(named, link)
    return INTRODUCTION + sections


def _sections(schema: Schema) -> Iterator[tuple[str, str, Schema]]:
    """Anchor, heading and schema of each section; what stands in two places (such as `clip`) once."""
    seen = [schema["$defs"]["TrainPart"]]  # which has the keys of `train`
    todo = [("study", "The study", "", schema)]
    while todo:
        anchor, heading, path, section = todo.pop(0)
        yield anchor, heading, section
        below = []
        for key, part in section["properties"].items():
            inner, place = _innermost(schema, part), ".".join(filter(None, [path, key, *NAMES.get(key, [])]))
            if "properties" in inner and "x-values" not in inner and not any(inner is other for other in seen):
                seen.append(inner)
                below.append((key, f"`{place}`", place, inner))
        todo = below + todo


def _innermost(schema: Schema, part: Schema) -> Schema:
    """What a part is, or what the mappings of names hold that it is."""
    part = resolved(schema, part)
    while "patternProperties" in part:
        part = resolved(schema, *part["patternProperties"].values())
    return part


def _section(schema: Schema, anchor: str, heading: str, section: Schema) -> str:
    required = section.get("required", [])
    rows = [
        f"| `{key}` | {_values(schema, key, part)} "
        f"| {'required' if key in required or 'x-required' in part else _default(part)} "
        f"| {part.get('description', _innermost(schema, part).get('description', '')).partition(chr(10))[0]} |"
        for key, part in section["properties"].items()
    ]
    table = "\n".join(["| key | values | default | what it is |", "|---|---|---|---|", *rows])
    return f"\n## {heading} {{ #{anchor} }}\n\n{section['description']}\n\n{table}\n"


def _values(schema: Schema, key: str, part: Schema) -> str:
    """What a key may be, in words."""
    if "x-values" in part:
        return part["x-values"]
    if "anyOf" in part:
        return ", ".join(_values(schema, key, choice) for choice in part["anyOf"])
    if part.get("$ref") == "#/$defs/TrainPart":
        return "keys of [`train`](#train)"
    if "properties" in _innermost(schema, part):
        anchor = SAME.get(key, key)
        by_name = "patternProperties" in resolved(schema, part)
        return f"[sections](#{anchor}) by name" if by_name else f"[section](#{anchor})"
    if "enum" in part:
        return ", ".join(f"`{choice}`" for choice in part["enum"])
    kind = part["type"]
    if kind == "array" and "prefixItems" in part:
        return "two integers ≥ 1"
    if kind == "array":
        one, *bounds = _values(schema, key, part["items"]).split(" ")
        return " ".join(["list of", f"{one}s", *bounds])
    if kind == "object":
        (inner,) = part["patternProperties"].values()
        return f"name → {_values(schema, key, inner)}"
    if kind == "string":
        return TEXTS.get(part.get("pattern", ""), "text")
    return {"null": "`null`", "boolean": "`true`, `false`"}.get(kind) or f"{kind}{_bounds(part)}"


def _bounds(part: Schema) -> str:
    signs = {
        "minimum": "≥",
        "exclusiveMinimum": ">",
        "maximum": "≤",
        "exclusiveMaximum": "<",
        "multipleOf": "multiple of",
    }
    found = [f"{sign} {part[name]:g}" for name, sign in signs.items() if name in part]
    return f" {', '.join(found)}" if found else ""


def _default(part: Schema) -> str:
    if "x-by-method" in part:
        return "by method"
    if "$ref" in part:
        return "its own" if part.get("default") else "`{}`"
    value: Any = part.get("default", {})
    return f"`{json.dumps(value)}`" if not isinstance(value, str) else f"`{value}`"


if __name__ == "__main__":
    for name, content in files().items():
        Path(sys.argv[1], name).write_text(content, encoding="utf-8")
