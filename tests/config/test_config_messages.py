"""Unknown keys: the nearest key of the same section, or what the config has instead."""

import copy
import re
from pathlib import Path

import pytest
import yaml

from dtkd.common.errors import DtkdError
from dtkd.config import Study, read
from dtkd.config.editors import config_schema
from dtkd.config.instead import INSTEAD
from dtkd.config.schema import parts, section_at

SHIPPED = yaml.safe_load((Path(__file__).parents[2] / "config.yaml").read_text(encoding="utf-8"))


def refusal(path, value=1):
    """What is said of config.yaml with one more key."""
    config = copy.deepcopy(SHIPPED)
    *parents, key = path.split(".")
    place = config
    for parent in parents:
        place = place[parent]
    place[key] = value
    with pytest.raises(DtkdError) as error:
        read(config)
    return str(error.value)


@pytest.mark.parametrize(("path", "meant"), [
    ("flwo", "flow"), ("flow.algoritm", "algorithm"), ("datasets.demo_ucf.video", "videos"),
    ("datasets.demo_ucf.render.group", "groups"), ("students.demo_ucf.SU1.KD_t", "KD_T"),
    ("baselines.demo_ucf.U5.clip.frame", "frames"), ("pretrain.train.epohcs", "epochs"),
    ("teachers.train.epohcs", "epochs"),
    ("students.demo_ucf.SU1.gird", "grid"),
])  # fmt: skip
def test_the_nearest_key_of_the_section(path, meant):
    assert refusal(path) == f"config: {path}: unknown key; did you mean {meant!r}?"


@pytest.mark.parametrize("path", ["flow.epoch", "train.algorithm", "clip.quantile", "students.demo_ucf.SU1.frame"])
def test_no_key_of_another_section(path):
    assert refusal(path) == f"config: {path}: unknown key"


@pytest.mark.parametrize("name", INSTEAD)
def test_what_the_config_has_instead(name):
    section, _, key = name.rpartition(".")
    path = f"students.demo_ucf.SU1.{key}" if section == "students" else f"train.{name}"
    assert refusal(path) == f"config: {path}: unknown key; {INSTEAD[name]}"


def test_a_student_without_the_entry_of_another_section():
    assert refusal("train.backbone") == "config: train.backbone: unknown key"


@pytest.mark.parametrize("name", INSTEAD)
def test_what_is_named_instead_exists(name):
    schema = config_schema()
    for path in re.findall(r"`([\w.]+)", INSTEAD[name]):
        *sections, key = path.split(".")
        assert key in section_at(schema, sections)["properties"], path


@pytest.mark.parametrize("name", [name for name in INSTEAD if name != "seed"])
def test_no_entry_hides_a_key(name):
    section, _, key = name.rpartition(".")
    rows = section_at(Study.model_json_schema(), [section, "any", "row"]) if section else None
    sections = [rows] if rows else parts(Study.model_json_schema())
    assert all(key not in part.get("properties", {}) for part in sections)
