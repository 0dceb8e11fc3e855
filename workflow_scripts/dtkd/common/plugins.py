"""Plug-ins: files and modules outside this project that add to its registries, such as a network of one's own.

There are those that the config names, and those of installed packages (the entry points of the group `dtkd.plugins`).
The ones of the config are loaded where it is read; the processes that the workflow starts know them by an environment
variable, and load them when they look something up.

Imported by the Snakefile at every start: the standard library alone.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from importlib import import_module, metadata, util
from pathlib import Path

from dtkd.common.errors import DtkdError

GROUP = "dtkd.plugins"
VARIABLE = "DTKD_PLUGINS"

_loaded: set[str] = set()  # plug-ins, and the group once its entry points are loaded
_loading: list[str] = []  # the innermost last


def is_file(plugin: str) -> bool:
    """Whether a plug-in is the path of a file, not the name of a module."""
    return plugin.endswith(".py")


def load(plugin: str) -> None:
    """Load a plug-in, a file's path or a module's name, unless it is loaded; child processes will know it.

    Raises:
        DtkdError: there is no such file or module, or it ends in an exception.
    """
    known = os.path.abspath(plugin) if is_file(plugin) else plugin
    if known in _loaded:
        return
    if is_file(plugin) and not Path(plugin).is_file():
        raise DtkdError(f"plugins: {plugin}: there is no such file; paths begin in the working folder, {os.getcwd()}")
    _loaded.add(known)
    os.environ[VARIABLE] = json.dumps([*_told(), *[known] * (known not in _told())])
    _loading.append(plugin)
    try:
        if is_file(plugin):
            _run(Path(known))
        else:
            import_module(plugin)
    except Exception as error:  # whatever a plug-in may raise
        raise DtkdError(f"plugins: {plugin}{_where(error, known)}: {_said(error)}; mend it, or leave it out") from error
    finally:
        _loading.pop()


def load_known() -> None:
    """Load the plug-ins of installed packages and those that the process which started this one has loaded."""
    if GROUP in _loaded or _loading:
        return
    _loaded.add(GROUP)
    for plugin in _told():
        load(plugin)
    for point in metadata.entry_points(group=GROUP):
        _loading.append(point.value)
        try:
            point.load()
        except Exception as error:
            package = point.dist.name if point.dist else "an installed package"
            raise DtkdError(f"plug-in {point.name} of {package}: {_said(error)}; mend it, or uninstall it") from error
        finally:
            _loading.pop()


def being_loaded() -> str | None:
    """The plug-in that is being loaded."""
    return _loading[-1] if _loading else None


def _told() -> list[str]:
    """The plug-ins that this process was told of, or has loaded."""
    return json.loads(os.environ.get(VARIABLE, "[]"))


def _run(file: Path) -> None:
    """Run a file as a module of its own."""
    spec = util.spec_from_file_location(f"dtkd_plugin_{len(_loaded)}_{file.stem}", file)
    assert spec
    assert spec.loader
    module = sys.modules[spec.name] = util.module_from_spec(spec)  # where dataclasses look their module up
    spec.loader.exec_module(module)


def _where(error: Exception, file: str) -> str:
    """The line of the plug-in's file in which an error has come up."""
    if isinstance(error, SyntaxError) and error.filename == file:
        return f", line {error.lineno}"
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    return f", line {lines[-1]}" if lines else ""


def _said(error: Exception) -> str:
    if isinstance(error, DtkdError):
        return str(error)
    text = error.msg if isinstance(error, SyntaxError) else str(error)
    return " ".join(f"{type(error).__name__}: {text}".split())
