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
from dtkd.common.registry import Registry
from dtkd.distillation.methods.aekd import AEKD
from dtkd.distillation.methods.average import Average
from dtkd.distillation.methods.base import Labels, Loss, Method, SoftTargets, Target
from dtkd.distillation.methods.bskd import BSKD
from dtkd.distillation.methods.ca_mkd import CAMKD
from dtkd.distillation.methods.discrepancy import Discrepancy
from dtkd.distillation.methods.dist import DIST
from dtkd.distillation.methods.dkd import DKD
from dtkd.distillation.methods.dtkd import DTKD
from dtkd.distillation.methods.dynamic_temperature import DynamicTemperature
from dtkd.distillation.methods.ebkd import EBKD
from dtkd.distillation.methods.fitnet import FitNet
from dtkd.distillation.methods.kd import KD
from dtkd.distillation.methods.mixture import Mixture
from dtkd.distillation.methods.rkd import RKD
from dtkd.distillation.methods.sp import SP

METHODS: Registry[type[Method]] = Registry("method")

__all__ = ["METHODS", "Labels", "Loss", "Method", "SoftTargets", "Target", "build", "names", "register"]


def names() -> list[str]:
    """The names of all methods, those of plug-ins last."""
    return METHODS.names()


def register(method: type[Method]) -> None:
    """Add a method, which a row of `students` can then name. Raises DtkdError for a name that is taken or no name."""
    METHODS.add(method.name, method)


def build(name: str, **settings: Any) -> Method:
    """The method ``name`` with its settings, such as `S_alpha`, `KD_T` and `KD_alpha` of `dtkd`.

    Raises DtkdError for an unknown name, and for settings that are missing, unknown or out of range.
    """
    try:
        return METHODS[name](**settings)
    except ValidationError as error:
        said = "; ".join(f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}" for problem in error.errors())
        raise DtkdError(f"method {name}: {said}") from None


for _method in (DTKD, BSKD, Mixture, KD, DKD, DIST, DynamicTemperature, Average, EBKD, CAMKD, AEKD, Discrepancy, FitNet,
                RKD, SP):  # fmt: skip
    register(_method)
