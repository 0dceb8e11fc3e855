"""Registries: names, duplicates, what may have been meant, and which plug-in has added an entry."""

import pytest

from dtkd.common import plugins
from dtkd.common.errors import DtkdError
from dtkd.common.registry import Registry, resolved


@pytest.fixture
def fruit():
    registry = Registry("fruit")
    registry.add("apple", 1)
    registry.add("pear", 2)
    return registry


def test_entries_by_name(fruit):
    assert fruit.names() == ["apple", "pear"]
    assert fruit["pear"] == 2


def test_an_unknown_name_says_what_there_is(fruit):
    with pytest.raises(DtkdError) as caught:
        fruit["aple"]
    assert str(caught.value) == "fruit 'aple' is unknown; did you mean 'apple'?; choose one of apple, pear"
    with pytest.raises(DtkdError, match="fruit 'x' is unknown; choose one of apple, pear"):
        fruit["x"]


def test_families_of_names(fruit):
    fruit.families["big-"] = lambda name: 10 * fruit[name]
    assert fruit["big-pear"] == 20
    assert fruit.names() == ["apple", "pear"]
    with pytest.raises(DtkdError, match=r"'x' is unknown; choose one of apple, pear, big-\.\.\.$"):
        fruit["x"]
    with pytest.raises(DtkdError, match="fruit 'paer' is unknown; did you mean 'pear'"):
        fruit["big-paer"]


def test_a_name_is_given_once(fruit):
    with pytest.raises(DtkdError, match="fruit 'apple' is registered already: choose another name"):
        fruit.add("apple", 3)
    assert fruit["apple"] == 1


@pytest.mark.parametrize("name", ["", "a b", "a/b", "-a", "{a}"])
def test_a_name_can_be_part_of_a_path(fruit, name):
    with pytest.raises(DtkdError, match="a name has letters, digits"):
        fruit.add(name, 3)


def test_the_file_that_has_added_an_entry(fruit, monkeypatch):
    for plugin in ("mine.py", "a_package.module"):
        monkeypatch.setattr(plugins, "_loading", [plugin])
        fruit.add(f"of-{plugin}", 3)
    monkeypatch.setattr(plugins, "_loading", [])
    sources = {name: fruit.source(name) for name in fruit.names()}
    assert sources == {"apple": None, "pear": None, "of-mine.py": "mine.py", "of-a_package.module": None}
    with pytest.raises(DtkdError, match=r"registered already by mine\.py"):
        fruit.add("of-mine.py", 4)


def test_an_entry_names_a_function_or_is_one():
    assert resolved("os.path:join") is resolved(resolved("os.path:join"))
    assert resolved(None) is None
