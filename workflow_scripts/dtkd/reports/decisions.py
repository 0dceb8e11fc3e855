"""Decisions: a Markdown file of headings, paragraphs and tables."""

from __future__ import annotations

import re
from typing import Any

SPAN = re.compile(r"`([^`]+)`|\*\*(.+?)\*\*|\*([^*\s][^*]*)\*|\[([^\]]+)\]\([^)]+\)")


def spans(text: str) -> list[tuple[str, str]]:
    """Markdown's text as (kind, text) pairs, kind being "", code, strong or em; of a link, its text.

    >>> spans("use `last`, *not* best")
    [('', 'use '), ('code', 'last'), ('', ', '), ('em', 'not'), ('', ' best')]
    """
    found, at = [], 0
    for match in SPAN.finditer(text):
        found += [("", text[at : match.start()])] if match.start() > at else []
        kind = ("code", "strong", "em", "")[match.lastindex - 1]
        found.append((kind, match[match.lastindex]))
        at = match.end()
    return [*found, ("", text[at:])] if at < len(text) else found


def markdown(text: str) -> list[dict[str, Any]]:
    """The blocks of a plain Markdown text: paragraphs, and tables with their head and rows. Headings are left out."""
    blocks = []
    for block in re.split(r"\n\s*\n", text.strip()):
        lines = [line for line in block.splitlines() if not line.startswith("#")]
        if len(lines) > 1 and re.fullmatch(r"[|\s:-]+", lines[1]):
            head, _, *rows = ([spans(cell.strip().replace(r"\|", "|")) for cell in _cells(line)] for line in lines)
            blocks.append({"kind": "table", "head": head, "rows": rows})
        elif lines:
            blocks.append({"kind": "paragraph", "spans": spans(" ".join(lines))})
    return blocks


def _cells(line: str) -> list[str]:
    return re.split(r"(?<!\\)\|", line.strip().strip("|"))
