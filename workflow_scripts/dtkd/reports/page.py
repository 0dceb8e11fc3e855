"""What all pages share."""

from __future__ import annotations

from pathlib import Path

TEMPLATES = Path(__file__).parent / "templates"


def shown_duration(seconds: float) -> str:
    """Seconds as a reader says them.

    >>> shown_duration(8.04), shown_duration(75.2), shown_duration(3725)
    ('8.0 s', '1 min 15 s', '1 h 02 min')
    """
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes = round(seconds) // 60
    return f"{minutes} min {round(seconds) % 60:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"
