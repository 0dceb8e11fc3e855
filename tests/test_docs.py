"""Links between pages, README and other documents lead somewhere (`make docs` looks at those of the site alone)."""

import re
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
PAGES = [*PROJECT.glob("*.md"), *(PROJECT / "docs").rglob("*.md")]


def links(page):
    """(file, anchor) of each link to another file of the project."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    targets = re.findall(r"\]\(([^)\s]+)\)", text)
    return [target.partition("#")[::2] for target in targets if not target.startswith(("http", "mailto"))]


def anchors(page):
    """The anchors of a page's headings, as Markdown makes them, and those that a heading names."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    named = {name for heading in headings for name in re.findall(r"\{ #(\w+) \}", heading)}
    return named | {re.sub(r"[^\w\s-]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
def test_links_lead_somewhere(page):
    for file, anchor in links(page):
        target = page.parent / file if file else page
        assert target.exists(), file
        assert not anchor or anchor in anchors(target), f"{file}#{anchor}"


def test_links_are_found():
    assert ("docs/tutorial.md", "") in links(PROJECT / "README.md")
    assert any(anchor for page in PAGES for _, anchor in links(page))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
def test_the_code_that_pages_name_exists(page):
    text = page.read_text(encoding="utf-8")
    roots = (PROJECT, PROJECT / "workflow_scripts/dtkd", PROJECT / "workflow_scripts")
    for file in re.findall(r"`([\w/]+\.py)`", text):
        assert any((root / file).exists() for root in roots), file
    for module, names in re.findall(r"^from (dtkd[\w.]*) import (.+)$", text, flags=re.MULTILINE):
        for name in names.split(","):
            assert hasattr(import_module(module), name.split()[0]) or find_spec(f"{module}.{name.split()[0]}"), name
