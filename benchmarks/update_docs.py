"""Paste the benchmarks' tables into the pages of docs/, each between <!-- name --> and <!-- end -->.

The table of a name is results/benchmarks/<name>.md.

    python benchmarks/update_docs.py [name ...]

Without names, every table that results/benchmarks has.
"""

import re
import sys
from collections.abc import Mapping
from pathlib import Path

import report

DOCS = Path(__file__).parents[1] / "docs"


def pasted(pages: Mapping[str, str], tables: Mapping[str, str]) -> dict[str, str]:
    """The pages with each table between its markers; sys.exit for a table without a place, or with several."""
    pages = dict(pages)
    for name, table in tables.items():
        marked = re.compile(rf"(<!-- {re.escape(name)} -->\n).*?(<!-- end -->)", re.DOTALL)
        places = [file for file, text in pages.items() for _ in marked.finditer(text)]
        if len(places) != 1:
            sys.exit(f"error: docs/ has {len(places)} places for {name}: give it one <!-- {name} -->")
        (file,) = places
        pages[file] = marked.sub(lambda match, table=table: f"{match[1]}{table.strip()}\n{match[2]}", pages[file])
    return pages


if __name__ == "__main__":
    names = sys.argv[1:] or sorted(file.stem for file in report.FOLDER.glob("*.md"))
    if absent := [name for name in names if not (report.FOLDER / f"{name}.md").exists()]:
        sys.exit(f"error: {report.FOLDER} has no {absent[0]}.md: run the benchmark that makes it, which docs/ name")
    tables = {name: (report.FOLDER / f"{name}.md").read_text(encoding="utf-8") for name in names}
    pages = {str(file): file.read_text(encoding="utf-8") for file in DOCS.rglob("*.md")}
    for file, text in pasted(pages, tables).items():
        if text != pages[file]:
            Path(file).write_text(text, encoding="utf-8")
