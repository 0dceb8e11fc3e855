"""The report's sections, each with its tables and figures, as ``analysis/contents.yaml`` has them."""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dtkd.analysis import contents
from dtkd.data.groups import SUBSETS
from dtkd.reports.tables import table
from dtkd.reports.words import data_uri, joined, read_csv


def sections(study: Mapping[str, Any], tables: Sequence[str], figures: Sequence[str]) -> list[dict[str, Any]]:
    """The sections of `analysis.contents` with what there is for them, and a sentence for what there is not."""
    given = [("table", path) for path in tables] + [("figure", path) for path in figures]
    files = {(kind, Path(path).stem): path for kind, path in given}
    files.pop(("table", "disagreements"), None)  # has a section of its own
    other = not _groups(tables) <= set(SUBSETS)
    found = []
    for section in (_worded(section, other) for section in contents.SECTIONS):
        items = [_item(study, _worded(entry, other), files) for entry in section["items"]
                 if not entry.get("optional") or (_kind(entry), entry[_kind(entry)]) in files]  # fmt: skip
        text = section.get("by_source", {}).get(study["split"]["source"], section["text"])
        if section["id"] == "motion" and study["split"].get("measure") == "feature_change":
            text, items = _of_change(text), [{key: _of_change(value) for key, value in item.items()} for item in items]
        found.append(section | {"items": items, "text": text})
    titled = [(kind, name, name.replace("_", " ")) for kind, name in files]
    rest = [{kind: name, "title": title, "caption": title, "alt": f"Figure {title}"} for kind, name, title in titled]
    if rest:
        items = [_item(study, entry, files) for entry in rest]
        found.append({"id": "further", "title": "Further tables and figures", "text": "", "items": items})
    return found


def _groups(tables: Sequence[str]) -> set[str]:
    """The groups of classes that Table 2 counts."""
    rows = [row for path in tables if Path(path).stem == "table2" for row in read_csv(path)]
    return {row["subset"] for row in rows} - {"overall"}


def _worded(entry: Mapping[str, Any], other_groups: bool) -> dict[str, Any]:
    """A section or an item with its words for other groups than the paper's, where there are such."""
    return {**entry, **entry.get("other_groups", {})} if other_groups else dict(entry)


def _of_change(words: Any) -> Any:
    """Words about flow, said of what stands for it where there are features and no frames."""
    if not isinstance(words, str):
        return words
    words = re.sub(r"(?:optical )?flow\b", "feature change", words)
    return re.sub(r"(?:Optical f|F)low\b", "Feature change", words).replace("in pixels per frame", "per step")


def _kind(entry: Mapping[str, Any]) -> str:
    return "table" if "table" in entry else "figure"


def _item(study: Mapping[str, Any], entry: Mapping[str, Any], files: dict[tuple[str, str], str]) -> dict[str, Any]:
    kind = _kind(entry)
    path = files.pop((kind, entry[kind]), None)
    item = {"id": f"{kind}-{entry[kind]}", "kind": kind, **{key: entry[key] for key in ("title", "caption")}}
    if path is None:
        return item | {"missing": _why_missing(study, entry.get("needs"))}
    if kind == "figure":
        return item | {"alt": entry["alt"].format(datasets=joined(study["use"])), "content": figure(path)}
    content = table(path, entry.get("best", ()))
    return item | ({"content": content} if content["groups"] else {"missing": _why_missing(study, entry.get("needs"))})


def _why_missing(study: Mapping[str, Any], needs: str | None) -> str:
    if needs == "lists":
        return "No baseline of this study has a second list."
    if needs == "students" and not has_students(study):
        return "This study has no students to show here."
    return "This study has no data for it."


def has_students(study: Mapping[str, Any]) -> bool:
    return any(row for dataset in study["use"] for row in (study["students"].get(dataset) or {}).values())


def figure(path: str | Path) -> dict[str, Any]:
    """A PNG of 200 dots an inch as the template shows it: its letters are about as high as the page's small ones."""
    content = Path(path).read_bytes()
    width, height = struct.unpack(">II", content[16:24])
    size = {"width": round(width / 1.5), "height": round(height / 1.5)}
    return {"link": data_uri("image/png", content), "file": Path(path).name} | size
