"""What figures call the teachers."""

from __future__ import annotations

SHORT = {"static": "St", "dynamic": "Dy"}


def teacher_name(group: str) -> str:
    """A group's teacher, as legends call it: St-T and Dy-T in the paper."""
    return f"{SHORT.get(group, group)}-T"
