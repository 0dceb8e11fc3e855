"""Which files of code a result depends on, read from their imports: nothing is run.

Imported by the Snakefile at every start: the standard library alone.
"""

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

# What leaves a result's content alone: reading, writing and reporting; and settings, which are parameters of jobs.
PLUMBING = ("common", "config")
_IMPORT = re.compile(r"^ *from (dtkd[.\w]*) import (\([^)]*\)|.*)", re.M)


def code_of(script: str | Path, *modules: str) -> list[str]:
    """A script and the library's modules that it imports, by itself or through others; and ``modules`` with theirs.

    The library is the one beside the script.
    """
    script = Path(script)
    found, todo = {script}, [script, *(_file(module, script.parent) for module in modules)]
    while todo:
        file = todo.pop()
        found.add(file)
        todo += [own for own in imported(file, script.parent) if own not in found]
    return sorted(map(str, found))


@cache
def imported(file: Path, scripts: Path) -> tuple[Path, ...]:
    """The modules of the library in ``scripts`` that a file or its package (which Python runs first) imports, anywhere
    in it, except for `PLUMBING`."""
    package = file.with_name("__init__.py")
    files = {file, package} if package.exists() else {file}
    lines = [line for each in files for line in _IMPORT.findall(each.read_text(encoding="utf-8"))]
    modules = (module for package, names in lines for module in _modules(package, names, scripts))
    return tuple(_file(module, scripts) for module in modules if module.split(".")[1] not in PLUMBING)


def _modules(package: str, names: str, scripts: Path) -> Iterable[str]:
    """What ``from package import names`` imports: modules of the package, or the package itself for what it holds."""
    for name in re.findall(r"\w+", re.sub(r"#.*|\bas \w+", "", names)):
        yield f"{package}.{name}" if _file(f"{package}.{name}", scripts).exists() else package


def _file(module: str, scripts: Path) -> Path:
    path = scripts / module.replace(".", "/")
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
