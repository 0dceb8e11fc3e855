"""pyproject.toml chooses the packages; requirements.lock and envs/*.yaml follow it, and each env has what it runs."""

import ast
import re
import sys
import tomllib

import pytest
import yaml
from imports import LIBRARY, PROJECT, SCRIPTS, file_of, reached
from packaging.requirements import Requirement

from dtkd import models
from dtkd.analysis import contents
from dtkd.common import provenance

ENVIRONMENTS = sorted((PROJECT / "envs").glob("*.yaml"))
PROVIDERS = {
    "cv2": "opencv-contrib-python", "huggingface_hub": "huggingface-hub", "sklearn": "scikit-learn", "yaml": "pyyaml"
}  # fmt: skip
# What pandas imports by itself, where the method that needs it is called.
BY_METHOD = {"to_parquet": "pyarrow", "read_parquet": "pyarrow", "to_markdown": "tabulate", "to_latex": "jinja2"}


def exact(requirement):
    """(name, version) of 'name==version'; anything looser is an error."""
    match = re.fullmatch(r"([a-z0-9-]+)==([0-9][0-9a-z.]*)", requirement)
    assert match, f"{requirement!r} is no exact pin"
    return match[1], match[2]


PYPROJECT = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
CHOSEN = dict(map(exact, PYPROJECT["project"]["dependencies"]))
EXTRAS = dict(map(exact, [each for extra in PYPROJECT["project"]["optional-dependencies"].values() for each in extra]))
GROUPS = PYPROJECT["dependency-groups"]
TOOLS = dict(map(exact, [requirement for group in GROUPS.values() for requirement in group]))


def environment_pins(file):
    dependencies = yaml.safe_load(file.read_text(encoding="utf-8"))["dependencies"]
    (packages,) = [entry["pip"] for entry in dependencies if isinstance(entry, dict)]
    return dict(map(exact, packages))


# Modules that the scripts of all tables and of all figures import by name.
ENTRIES = [("tables", LIBRARY / "analysis" / "tables" / f"{name}.py") for name in contents.TABLES]
ENTRIES += [("figures", LIBRARY / "analysis" / "figures" / f"{name}.py") for name in [*contents.FIGURES, "teachers"]]


def rules():
    """(rule file, conda environment file, file of code) of each rule, in the order of the files."""
    found = []
    for file in sorted((PROJECT / "rules").glob("*.smk")):
        text = file.read_text(encoding="utf-8")
        for rule in re.split(r"^ *(?=(?:rule|checkpoint)\b[^\n]*:\n)", text, flags=re.M)[1:]:
            conda = re.findall(r'"(\.\./envs/[^"]+)"', rule)
            script = re.search(r'script:\s+"([^"]+)"', rule)
            assert conda, f"{file.name}: a rule without a conda environment: {rule.splitlines()[0]}"
            assert script, f"{file.name}: a rule without a script: {rule.splitlines()[0]}"
            script = (file.parent / script[1]).resolve()
            scripts = [script, *(entry for folder, entry in ENTRIES if folder == f"{script.stem}s")]
            for environment in conda:  # a rule may choose one of several
                environment = (file.parent / environment).resolve()
                found += [(file, environment, each) for each in scripts]
    return found


# The pins


@pytest.mark.parametrize(
    ("file", "chosen"), [("requirements.lock", CHOSEN | TOOLS), ("transformers.lock", EXTRAS)], ids=["all", "extra"]
)
def test_every_choice_is_locked_with_hashes(file, chosen):
    lock = (PROJECT / file).read_text(encoding="utf-8")
    entries = {}
    for entry in re.split(r"^(?=[A-Za-z0-9])", lock, flags=re.M)[1:]:
        requirement = Requirement(entry.split("\\")[0].split("--hash")[0].strip())
        entries.setdefault(requirement.name.lower(), []).append((str(requirement.specifier), entry))
    for name, version in chosen.items():
        assert [specifier for specifier, _ in entries.get(name, [])] == [f"=={version}"], name
    for name, versions in entries.items():
        for specifier, entry in versions:
            assert specifier.startswith("=="), f"{name} is not exact"
            assert re.search(r"--hash=sha256:[0-9a-f]{64}\b", entry), f"{name} has no hash"


def test_there_are_environments():
    assert {file.stem for file in ENVIRONMENTS} >= {"data", "flow", "split", "train", "tables"}


@pytest.mark.parametrize("file", ENVIRONMENTS, ids=lambda file: file.stem)
def test_environment_pins_are_pyprojects(file):
    for name, version in environment_pins(file).items():
        assert CHOSEN.get(name) == version, f"{file.name}: {name}=={version}"


@pytest.mark.parametrize("file", ENVIRONMENTS, ids=lambda file: file.stem)
def test_environment_is_named_and_has_a_python_that_pyproject_allows(file):
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert content["name"] == f"dtkd-{file.stem}"
    (python,) = [entry for entry in content["dependencies"] if isinstance(entry, str) and entry.startswith("python=")]
    assert python.removeprefix("python=") in ("3.11", "3.12", "3.13")
    assert PYPROJECT["project"]["requires-python"] == ">=3.11,<3.14"


# Rules and their environments


def test_every_rule_has_an_environment_that_exists():
    found = rules()
    text = "".join(file.read_text(encoding="utf-8") for file in (PROJECT / "rules").glob("*.smk"))
    assert text.count(" conda:\n") == text.count(" script:\n") > 10
    assert len(found) > text.count(" script:\n"), "a module for each table and figure"
    for file, environment, script in found:
        assert environment.is_file(), f"{file.name}: {environment}"
        assert script.is_file(), f"{file.name}: {script}"
    assert {environment for _, environment, _ in found} == set(ENVIRONMENTS), "no environment is left over"


# What a script needs: its imports, those of the library's modules that they reach, and what pandas fetches by itself


def needed(script):
    """Distributions that a script imports, by itself or through the library, wherever the import stands."""
    # of the methods of distillation, the config reads the settings alone
    modules = reached(script, but=("dtkd.config",)) | reached(script, but=("dtkd.distillation",))
    files = [script, *filter(None, map(file_of, modules))]
    tops = {module.partition(".")[0] for module in modules} - {"dtkd"} - sys.stdlib_module_names
    nodes = [node for file in files for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))]
    methods = {node.attr for node in nodes if isinstance(node, ast.Attribute)} & BY_METHOD.keys()
    return {PROVIDERS.get(top, top) for top in tops} | {BY_METHOD[method] for method in methods}


@pytest.mark.parametrize(("environment", "script"), sorted({rule[1:] for rule in rules()}),
                         ids=lambda file: file.stem)  # fmt: skip
def test_environment_has_what_its_scripts_import(environment, script):
    missing = needed(script) - set(environment_pins(environment))
    assert not missing, f"envs/{environment.name} lacks what {script.name} imports: {', '.join(sorted(missing))}"


def test_what_a_run_records_is_there():
    """run.json asks for the versions of these, in the environment that trains."""
    assert set(provenance.PACKAGES) <= set(environment_pins(PROJECT / "envs" / "train.yaml"))


def test_the_search_for_imports_finds_some():
    """Known needs: direct, through the library, inside a function, and by a method of pandas."""
    known = {"torch", "opencv-contrib-python", "numpy", "pandas", "pydantic", "tqdm"}
    assert needed(SCRIPTS / "train.py") >= known | {"pyarrow"}
    assert needed(SCRIPTS / "table.py") >= {"pandas", "pyarrow", "tabulate", "jinja2"}
    assert "opencv-contrib-python" in needed(SCRIPTS / "render.py")
    assert "torch" not in needed(SCRIPTS / "flow.py")


def test_a_flow_network_has_what_it_imports():
    """The library imports it by name, where the search does not look."""
    pins = environment_pins(PROJECT / "envs" / "raft.yaml")
    assert {"torch", "torchvision"} <= needed(LIBRARY / "motion" / "raft.py") <= set(pins)


def test_networks_have_what_they_import():
    """Their entries, too, name the modules that build them. What an extra has is said where it is missing."""
    pins = environment_pins(PROJECT / "envs" / "train.yaml")
    families = {file_of(models.entry(name).builder.partition(":")[0]) for name in models.names()}
    needs = [needed(family) for family in families]
    assert {"pytorchvideo", "torchvision"} <= set().union(*needs) - EXTRAS.keys() <= set(pins)
    assert set().union(*needs) >= EXTRAS.keys() == {models.entry(name).needs for name in models.names()} - {None}


def test_image_networks_and_hubs_have_what_they_import():
    """The library imports these, too, by name."""
    pins = environment_pins(PROJECT / "envs" / "train.yaml")
    needs = needed(LIBRARY / "models" / "per_frame.py") | needed(LIBRARY / "models" / "on_hub.py")
    assert {"timm", "huggingface-hub", "safetensors"} <= needs <= set(pins)
