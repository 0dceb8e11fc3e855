"""The library's packages: each imports only those above it, no two modules import each other, light ones stay light."""

import re
from graphlib import CycleError, TopologicalSorter

import pytest
from imports import LIBRARY, PROJECT, SCRIPTS, file_of, imported, module_of, reached

ORDER = [
    "common", "data", "models", "motion", "distillation", "config", "training", "analysis", "checks", "reports",
    "inference", "operations",
]  # fmt: skip
HEAVY = {"torch", "torchvision", "pytorchvideo", "cv2", "pandas", "pyarrow", "matplotlib", "scipy", "av", "snakemake"}
MODULES = sorted(file for file in LIBRARY.rglob("*.py"))


def is_entry(file):
    """Whether a file is for `python -m` alone: it may call any package."""
    return file.parent == LIBRARY or file.name == "__main__.py"


def package_of(module):
    return module.split(".")[1]


def own(modules):
    return {module for module in modules if module.startswith("dtkd.")}


def test_every_module_is_in_a_package():
    assert {file.parent.name for file in LIBRARY.glob("*/__init__.py")} == set(ORDER)
    for file in LIBRARY.glob("*.py"):
        assert file.name == "__init__.py" or len(file.read_text(encoding="utf-8").splitlines()) < 10, file


def test_a_package_imports_only_packages_above_it():
    upward = [
        f"{module_of(file)} imports {module}"
        for file in MODULES
        if not is_entry(file)
        for module in sorted(own(imported(file)))
        if ORDER.index(package_of(module)) > ORDER.index(package_of(module_of(file)))
    ]
    assert not upward, "\n".join(upward)


def test_nothing_imports_an_entry():
    entries = {module_of(file) for file in MODULES if is_entry(file)}
    for file in [*MODULES, *SCRIPTS.glob("*.py")]:
        assert not imported(file) & entries, file


def test_no_cycle():
    """Imports inside functions count too: they only hide one."""
    graph = {module_of(file): own(imported(file)) for file in MODULES}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_packages_themselves_import_nothing_heavy():
    """What `import dtkd.<package>` runs: the config's public names are the most there is."""
    for name in ORDER:
        tops = {module.partition(".")[0] for module in reached(LIBRARY / name / "__init__.py", lazy=False)}
        assert not tops & HEAVY, name


def test_what_the_snakefile_imports_is_light():
    rules = [PROJECT / "Snakefile", *sorted((PROJECT / "rules").glob("*.smk"))]
    text = "\n".join(file.read_text(encoding="utf-8") for file in rules)
    modules = set()
    for package, names in re.findall(r"^from (dtkd[\w.]*) import (.+)$", text, flags=re.M):
        inside = {f"{package}.{name.strip()}" for name in names.split(",")}
        modules |= {module if file_of(module) else package for module in inside}
    assert len(modules) > 4
    for module in modules:
        heavy = {name.partition(".")[0] for name in reached(file_of(module), lazy=False)} & HEAVY
        assert not heavy, f"{module} imports {', '.join(sorted(heavy))}"


def test_the_search_for_imports_finds_them():
    """Known ones: at the top, in a function, and through other modules."""
    assert "dtkd.common.errors" in imported(LIBRARY / "common" / "files.py")
    assert "dtkd.data.video_info" in imported(LIBRARY / "data" / "videos.py")
    assert "dtkd.data.video_info" not in imported(LIBRARY / "data" / "videos.py", lazy=False)
    assert "torch" in reached(SCRIPTS / "train.py")
    assert "torch" in reached(LIBRARY / "training" / "trainer.py", lazy=False)
