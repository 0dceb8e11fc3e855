"""One spelling for each place: of all the ways to write a path, one string goes into files, records and rules.

Imported by the Snakefile at every start.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import PurePosixPath
from typing import Annotated

from pydantic import AfterValidator

from dtkd.common.errors import DtkdError
from dtkd.common.fields import PATH, PathText


def spelled(path: str) -> str:
    """``path`` in its one spelling: relative where it lies in the working directory or was relative, else absolute.

    ``~`` and ``~user`` become the home folder; doubled slashes, one at the end, ``.`` and ``a/..`` go (a link before
    ``..`` is followed, as the system does). `spelled` of what it returns is the same again.

    Raises DtkdError for a home that is not known, and where a folder would be called ``~`` or ``$HOME``: words that are
    a shell's to replace.

    >>> spelled("./results//paper/"), spelled("a/../../data"), spelled("/")
    ('results/paper', '../data', '/')
    """
    whole = os.path.expanduser(path)
    if whole.startswith("~"):
        raise DtkdError(f"there is no home folder {whole.partition('/')[0]} here; write the path in full")
    here, result = os.getcwd(), _collapsed(whole)
    absolute = PurePosixPath(_collapsed(os.path.join(here, whole)))
    if here != "/" and absolute.is_relative_to(here):
        result = str(absolute.relative_to(here))
    for part in result.split("/"):
        if part == "~" or result.startswith("~") or (part.startswith("$") and part[1:] in os.environ):
            raise DtkdError(f"a folder would be called {part}, a word that shells replace; write the path in full")
    return result


def place(path: str) -> str:
    """A path in its one spelling, so that another spelling of it in the config is no change."""
    try:
        return spelled(path)
    except DtkdError as error:
        raise ValueError(f": {error} (got {path!r})") from None


Place = Annotated[PathText, AfterValidator(place)]


def _template(path: str) -> str:
    """A path in its one spelling, in which {list} and {seed} may stand."""
    if not re.match(PATH, path.replace("{list}", "1").replace("{seed}", "0")):
        raise ValueError(f": should be a path, in which {{list}} and {{seed}} may stand (got {path!r})")
    return place(path)


Template = Annotated[str, AfterValidator(_template)]


def within(path: str, folder: str) -> str | None:
    """``path`` spelled as what lies in ``folder`` is, or None where it is not in it. Links are seen through."""
    try:
        path = spelled(path)
    except DtkdError:
        return None
    for seen in (os.path.abspath, os.path.realpath):
        inner = PurePosixPath(seen(path))
        if inner.is_relative_to(seen(folder)):
            return str(PurePosixPath(folder, inner.relative_to(seen(folder))))
    return None


def names_in_utf8() -> None:
    """Begin this program again in Python's UTF-8 mode where the locale has another encoding for the names of files.

    Lists and records are UTF-8, and so are the names in them. (Of a plain C locale, Python makes UTF-8 by itself.)
    """
    if sys.getfilesystemencoding() != "utf-8":
        os.environ["PYTHONUTF8"] = "1"  # for the programs that this one starts
        os.execv(sys.executable, [sys.executable, "-X", "utf8", *sys.orig_argv[1:]])


def _collapsed(path: str) -> str:
    """`os.path.normpath`, but that ``..`` after a link leaves the folder that the link leads to."""
    root, kept = "/" * path.startswith("/"), list[str]()
    parts = [part for part in path.split("/") if part not in ("", ".")]
    for number, part in enumerate(parts):
        before = root + "/".join(kept)
        if part != ".." or (not root and kept[-1:] in ([], [".."])):
            kept.append(part)
        elif os.path.islink(before):
            return _collapsed("/".join([os.path.realpath(before), *parts[number:]]))
        else:
            del kept[-1:]  # of the root, nothing is above
    return root + "/".join(kept) or "."
