"""Reading and writing files so that a reader never meets half of one."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


@contextmanager
def atomic(path: str | Path) -> Iterator[Path]:
    """Give a temporary path in the same folder and rename it to ``path`` if the block ends well.

    The temporary name keeps ``path``'s suffix (writers choose their format by it). If the block raises,
    the temporary file is removed and whatever was at ``path`` stays as it was.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}.{os.getpid()}.partial{path.suffix}")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


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
