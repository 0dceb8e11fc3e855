"""Distillation methods by name: what a row of `students` may say under `method`, and the losses of that.

>>> from dtkd.distillation import methods
>>> method = methods.build("dtkd", S_alpha=0.3, KD_T=2, KD_alpha=0.4)
>>> loss = method.loss(student_logits, {"static": ..., "dynamic": ...}, labels=labels, groups=groups)  # doctest: +SKIP
>>> loss.total.backward()  # doctest: +SKIP
"""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from dtkd.common.errors import DtkdError
from dtkd.distillation.methods.base import Loss, Method, SoftTargets, Target
from dtkd.distillation.methods.bskd import BSKD
from dtkd.distillation.methods.dtkd import DTKD
from dtkd.distillation.methods.kd import KD

METHODS: dict[str, type[Method]] = {method.name: method for method in (DTKD, BSKD, KD)}

__all__ = ["METHODS", "Loss", "Method", "SoftTargets", "Target", "build", "get"]


def get(name: str) -> type[Method]:
    """Look up a method; raises DtkdError with the known names."""
    if name not in METHODS:
        raise DtkdError(f"method: {name!r} is unknown; choose one of {', '.join(METHODS)}")
    return METHODS[name]


def build(name: str, **settings: Any) -> Method:
    """The method ``name`` with its settings, such as `S_alpha`, `KD_T` and `KD_alpha` of `dtkd`.

    Raises DtkdError for an unknown name, and for settings that are missing, unknown or out of range.
    """
    try:
        return get(name)(**settings)
    except ValidationError as error:
        said = "; ".join(f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}" for problem in error.errors())
        raise DtkdError(f"method {name}: {said}") from None
