"""What there is of a kind, by name: networks, flow algorithms. Plug-ins add to it.

Imported by the Snakefile at every start: the standard library alone.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any, Generic, TypeVar

from dtkd.common import plugins
from dtkd.common.errors import DtkdError

Entry = TypeVar("Entry")
NAME = r"^[A-Za-z0-9][A-Za-z0-9_.+-]*$"  # becomes part of a path


class Registry(Generic[Entry]):
    """Entries of one ``kind`` (as messages call it) by name, in the order in which they were added."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._entries: dict[str, Entry] = {}
        self._sources: dict[str, str] = {}
        self.families: dict[str, Callable[[str], Entry]] = {}
        """More names than can be listed, by the prefix that all of a family have: from what follows it to an entry."""

    def add(self, name: str, entry: Entry) -> None:
        """Add an entry. Raises DtkdError for a name that is taken, or cannot be part of a path."""
        if not re.fullmatch(NAME, name):
            raise DtkdError(f"{self.kind} {name!r}: a name has letters, digits and _ . + - alone; choose another")
        if name in self._entries:
            by = f" by {self._sources[name]}" if name in self._sources else ""
            raise DtkdError(f"{self.kind} {name!r} is registered already{by}: choose another name")
        self._entries[name] = entry
        if plugin := plugins.being_loaded():
            self._sources[name] = plugin

    def names(self) -> list[str]:
        """All names, those of plug-ins last."""
        plugins.load_known()
        return list(self._entries)

    def __getitem__(self, name: str) -> Entry:
        """The entry of this name. Raises DtkdError, with what may have been meant, where there is none."""
        known = self.names()
        if name in known:
            return self._entries[name]
        for prefix, entry_of in self.families.items():
            if name.startswith(prefix):
                return entry_of(name.removeprefix(prefix))
        more = "".join(f", {prefix}..." for prefix in self.families)
        raise DtkdError(f"{self.kind} {name!r} is unknown{hint(name, known)}; choose one of {', '.join(known)}{more}")

    def source(self, name: str) -> str | None:
        """The plug-in's file that has added an entry, as the config names it; None for every other entry."""
        source = self._sources.get(name)
        return source if source and plugins.is_file(source) else None


def hint(name: str, known: Iterable[str]) -> str:
    """What may have been meant by a name that is not ``known``, to end a message with."""
    close = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def resolved(what: Any) -> Any:
    """What an entry means by "package.module:name", which is imported only now; anything else is what it is itself."""
    if not isinstance(what, str):
        return what
    module, _, name = what.partition(":")
    return getattr(import_module(module), name)
