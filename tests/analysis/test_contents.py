"""The list of tables and figures: each entry has its module, each module its entry, each module what the entry says."""

import inspect
import pkgutil
from importlib import import_module

import pytest

from dtkd.analysis import contents, figures, shown_runs, tables

ENTRIES = {
    kind: [item[kind] for section in contents.SECTIONS for item in section["items"] if kind in item]
    for kind in ("table", "figure")
}


def modules_of(package):
    """The modules of a package that have a function of their own name: the others are what these share."""
    names = [module.name for module in pkgutil.iter_modules(package.__path__)]
    return {name: module for name in names if hasattr(module := import_module(f"{package.__name__}.{name}"), name)}


@pytest.mark.parametrize(("kind", "package"), [("table", tables), ("figure", figures)])
def test_every_entry_has_a_module_and_every_module_an_entry(kind, package):
    assert len(set(ENTRIES[kind])) == len(ENTRIES[kind]) > 5, "no name twice"
    assert set(ENTRIES[kind]) == set(modules_of(package))


@pytest.mark.parametrize("name", contents.TABLES)
def test_a_table_takes_what_its_entry_says(name):
    reads = contents.TABLES[name]
    given = {"rows": reads.runs, "splits": reads.splits, "indexes": reads.indexes}
    assert set(inspect.signature(modules_of(tables)[name].__dict__[name]).parameters) == {
        argument for argument, wanted in given.items() if wanted
    }
    assert (reads.table, reads.stability, reads.published) == (None, False, None), "which the rule of tables lacks"


def test_every_figure_says_how_its_data_is_read():
    drawn = modules_of(figures)
    assert all(callable(drawn[name].read) for name in contents.FIGURES)
    by_rules_of_their_own = set(drawn) - set(contents.FIGURES)
    assert by_rules_of_their_own == {"teachers", "examples"}


def test_entries_name_what_there_is():
    for reads in [*contents.TABLES.values(), *contents.FIGURES.values()]:
        assert reads.runs is None or callable(getattr(shown_runs, reads.runs))
        assert reads.splits in (None, "split", "each", "chosen", "motion")
        assert reads.table is None or reads.table in contents.TABLES
