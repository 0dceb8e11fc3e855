"""How far something long has come, and how long the rest will take."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from tqdm import tqdm


def progress(data: Iterable[Any] | None = None, **options: Any) -> tqdm:
    """A progress bar with time left; where no terminal shows it (a log file), a line every half minute."""
    return tqdm(data, dynamic_ncols=True, mininterval=2 if os.isatty(2) else 30, **options)
