"""Anything at all in a config: a study whose runs stay inside the results, or one clear line for each wrong key."""

import copy
from pathlib import Path, PurePosixPath

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dtkd.analysis import shown_runs
from dtkd.common.errors import DtkdError
from dtkd.config import read
from dtkd.config.places import spelled

PROJECT = Path(__file__).parents[2]
SHIPPED = yaml.safe_load((PROJECT / "config.yaml").read_text())
KEYS = st.one_of(
    st.text(max_size=5), st.integers(-2, 5), st.none(), st.sampled_from([*SHIPPED, "list", "LT", "U1", "grid"])
)
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8),
    st.sampled_from([
        "../../etc/passwd", "/etc", "~/x", "~", "a//b/../c/", "$HOME/x", "; touch pwned", "$(touch pwned)", "{dataset}",
        "<results>", "", ".", "..", "a\nb",
        "demo_ucf", "demo_source", "U1", "SU1", "flow", "published", "pretrain", "none", "bskd", "folders", "skip",
        0, 1, -1, 1e308, 10**400, "0", "1e3", "\x00", "\ud800",
    ]),
)  # fmt: skip
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=3)),
    max_leaves=4,
)


def places(value, path=()):
    """Every path into nested mappings and lists, the root's excepted."""
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield (*path, key)
        yield from places(inner, (*path, key))


@st.composite
def configs(draw):
    """The shipped config after up to three changes: a value replaced, a key removed, added or repeated elsewhere."""
    config = copy.deepcopy(SHIPPED)
    for _ in range(draw(st.integers(1, 3))):
        *parents, key = draw(st.sampled_from(list(places(config))))
        holder = config
        for parent in parents:
            holder = holder[parent]
        change = draw(st.sampled_from(["replace", "replace", "remove", "add", "copy"]))
        if change == "remove":
            del holder[key]
        elif change == "add" and isinstance(holder, dict):
            holder[draw(KEYS)] = draw(VALUES)
        elif change == "copy":
            *others, other = draw(st.sampled_from(list(places(config))))
            source = config
            for parent in others:
                source = source[parent]
            holder[key] = copy.deepcopy(source[other])
        else:
            holder[key] = draw(VALUES)
        if not config:
            break
    return config


@given(config=configs())
@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_config_is_a_study_or_refused(config):
    check(config)


@given(grid=st.dictionaries(st.one_of(KEYS, st.sampled_from(["S_alpha", "KD_T", "LT", "teachers", "split", "method"])),
                            st.one_of(VALUES, st.lists(VALUES, max_size=3)), max_size=3))  # fmt: skip
@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_grid_is_students_or_refused(grid):
    config = copy.deepcopy(SHIPPED)
    config["students"]["demo_ucf"]["SU1"]["grid"] = grid
    check(config)


def check(config):
    problem = None
    try:
        study = read(config)
        runs = study.runs()
        shown_runs.table5(study)
    except DtkdError as error:
        problem = str(error)
    if problem is not None:
        first, *others = problem.split("\n")
        assert first.startswith("config: ")
        assert all(line.startswith(" " * 8) for line in others)
        assert all(line.isprintable() for line in (first, *others))
        return
    for folder in runs:
        assert not PurePosixPath(folder).is_absolute()
        assert ".." not in PurePosixPath(folder).parts
        assert not set(folder) & set("{}<> ;$\n\0")
    for place in [study.results, *(dataset.videos for dataset in study.datasets.values())]:
        assert place
        assert not set(place) & set("{}<>\n\0")
        assert spelled(place) == place


@pytest.mark.parametrize(
    "key", ["results", "datasets.demo_ucf.videos", "datasets.demo_ucf.annotations", "model.weights"]
)
@pytest.mark.parametrize("place", ["", "{dataset}", "<results>/x", "a\nb"])
def test_places_that_the_workflow_could_misread(key, place):
    config = copy.deepcopy(SHIPPED)
    *parents, last = key.split(".")
    holder = config
    for parent in parents:
        holder = holder[parent]
    holder[last] = place
    with pytest.raises(DtkdError) as error:
        read(config)
    assert str(error.value).startswith(f"config: {key}: string should match pattern")
