"""What docs/reference has of the config is made from the schema, and editors are told what `read` accepts."""

import dataclasses
from pathlib import Path

import jsonschema
import pytest
import yaml

from dtkd.config import editors, reference
from dtkd.config.datasets import RENDER
from dtkd.config.schema import parts
from dtkd.data.synthetic import Render

PROJECT = Path(__file__).parents[2]
OVERLAYS = sorted((PROJECT / "studies").glob("*.yaml"))


@pytest.mark.parametrize("name", reference.files())
def test_files_are_current(name):
    file = PROJECT / "docs" / "reference" / name
    assert file.read_text(encoding="utf-8") == reference.files()[name], "out of date: run `make docs`"


def test_every_key_is_described():
    for part in parts(editors.config_schema()):
        for key, inner in part.get("properties", {}).items():
            assert inner.get("description") or "$ref" in inner, key


def test_the_keys_of_rendering_are_described():
    assert set(RENDER) == {field.name for field in dataclasses.fields(Render)}


def test_the_page_has_every_key():
    page = reference.page(editors.config_schema())
    schema = editors.config_schema()
    for section in [schema, *schema["$defs"].values()]:
        assert all(f"| `{key}` |" in page for key in section["properties"])


def wrong(schema, config):
    return [error.json_path for error in jsonschema.Draft202012Validator(schema).iter_errors(config)]


@pytest.mark.parametrize("file", OVERLAYS, ids=lambda file: file.name)
def test_shipped_overlays_fit_the_schema(file):
    assert wrong(editors.overlay_schema(), yaml.safe_load(file.read_text(encoding="utf-8"))) == []


def test_the_shipped_config_fits_the_schema():
    config = yaml.safe_load((PROJECT / "config.yaml").read_text(encoding="utf-8"))
    assert wrong(editors.config_schema(), config) == []


@pytest.mark.parametrize(("config", "path"), [
    ({"trian": {}}, "$"), ({"train": {"lr": 0}}, "$.train.lr"), ({"train": {"epohcs": 1}}, "$.train"),
    ({"teachers": {"train": {"epohcs": 1}}}, "$.teachers.train"), ({"pretrain": {"train": {"lr": -1}}}, "$.pretrain"),
    ({"students": {"mine": {"A": {"backbone": "x"}}}}, "$.students.mine.A"), ({"seeds": [-1]}, "$.seeds[0]"),
    ({"students": {"mine": {"a b": {"KD_T": 2}}}}, "$.students.mine"),
    ({"datasets": {"mine": {"render": {"group": 3}}}}, "$.datasets.mine.render"),
])  # fmt: skip
def test_what_is_wrong_is_marked(config, path):
    assert wrong(editors.overlay_schema(), config) == [path]


@pytest.mark.parametrize(
    ("backbone", "right"), [("r3d_18", True), ("tsm-resnet50", True), ("tsm-", False), ("", False)]
)
def test_names_of_families_fit_the_schema(backbone, right):
    """Of the names that a family has, editors know the beginning."""
    assert (wrong(editors.overlay_schema(), {"model": {"backbone": backbone}}) == []) == right


def test_only_an_overlay_may_leave_keys_out():
    assert wrong(editors.overlay_schema(), {}) == []
    assert "$" in wrong(editors.config_schema(), {})


@pytest.mark.parametrize("file", [PROJECT / "config.yaml", *OVERLAYS], ids=lambda file: file.name)
def test_config_files_name_their_schema(file):
    first = file.read_text(encoding="utf-8").partition("\n")[0]
    name = first.removeprefix("# yaml-language-server: $schema=")
    kind = "config" if file.name == "config.yaml" else "overlay"
    assert (file.parent / name).resolve() == PROJECT / "docs" / "reference" / f"{kind}.schema.json"
