"""Reading and writing files so that a reader never meets half of one."""

import errno
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from dtkd.common.errors import DtkdError, UnwritableError

if TYPE_CHECKING:
    import pandas as pd

REMEDIES = {  # why a file cannot be written -> what to do about it
    errno.ENOSPC: "free space on that disk",
    errno.EDQUOT: "free some of your quota there, or have it raised",
    errno.EFBIG: "raise the limit on a file's size (ulimit -f)",
    errno.EROFS: "make that disk writable, or choose another folder for `results` in the config",
    errno.EACCES: "give yourself the right to it, or choose another folder for `results` in the config",
    errno.EPERM: "give yourself the right to it, or choose another folder for `results` in the config",
}


def unwritable(error: BaseException | None, path: str | Path | None = None) -> UnwritableError | None:
    """What to tell the user if ``error``, or one that led to it, is the system's refusal to write ``path``.

    (torch's writer buries a full disk under an error of its own.) None if it is something else.
    """
    while error is not None and not isinstance(error, DtkdError):
        if isinstance(error, OSError) and error.errno in REMEDIES:
            return _refused(error.errno, path or error.filename or "a file", "written" if path else "read or written")
        error = error.__cause__ or error.__context__
    return None


def _refused(number: int, name: str | Path, what: str) -> UnwritableError:
    return UnwritableError(
        f"{name} cannot be {what} ({os.strerror(number)}): {REMEDIES[number]}, and run the same command again"
    )


def check_writable(folder: str | Path) -> None:
    """Raise UnwritableError if nothing can be written in ``folder``, or where it would have to be made."""
    folder = Path(folder)
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    if os.access(folder, os.W_OK | os.X_OK):
        return
    reason = errno.EROFS if os.statvfs(folder).f_flag & os.ST_RDONLY else errno.EACCES
    raise _refused(reason, f"{folder}/", "written")


@contextmanager
def atomic(path: str | Path) -> Iterator[Path]:
    """Give a temporary path in the same folder and rename it to ``path`` if the block ends well.

    The temporary name keeps ``path``'s suffix (writers choose their format by it). If the block raises,
    the temporary file is removed and whatever was at ``path`` stays as it was. What a process that was killed
    has left of the same file is removed first.

    Raises UnwritableError where the file cannot be written, such as on a full disk.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.stem}.{os.getpid()}.partial{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(path)
        try:
            yield temporary
            _sync(temporary)
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
    except Exception as error:
        if problem := unwritable(error, path):
            raise problem from error
        raise


def _remove_leftovers(path: Path) -> None:
    """Remove the temporary files of ``path`` whose process is no more."""
    name = re.compile(rf"\.{re.escape(path.stem)}\.(\d+)\.partial{re.escape(path.suffix)}")
    for entry in os.scandir(path.parent):
        match = entry.name.startswith(".") and name.fullmatch(entry.name)
        if match and not os.path.exists(f"/proc/{match[1]}"):
            Path(entry.path).unlink(missing_ok=True)


def _sync(path: Path) -> None:
    """Have the disk take what was written: some disks say only then that they are full, and power may fail."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def read_parquet(path: str | Path) -> "pd.DataFrame":
    """Read a parquet file through Arrow's own file, not through a Python one as `pandas.read_parquet` does.

    With a Python file, an Arrow thread may still give back a Python buffer while the interpreter shuts down, and about
    one short process in thirty then aborts after its work is done.
    """
    import pyarrow.parquet as pq

    return pq.read_table(str(path)).to_pandas()


def write_json(path: str | Path, value: object) -> None:
    """Write ``value`` as indented JSON, atomically."""
    with atomic(path) as temporary:
        temporary.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
