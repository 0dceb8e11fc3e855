"""The section `analysis`: what tables and figures single out."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from dtkd.config.fields import Name, Section
from dtkd.config.training import Outputs


class Analysis(Section):
    """What tables and figures single out; a change of it trains and evaluates nothing."""

    chosen: dict[Name, Name] = Field(default_factory=dict, description="dataset -> the student of Table 6, Figures 6-8")
    kl: Literal["forward", "reverse"] = "forward"  # as in `metrics.kl_divergence`
    kl_floor: Annotated[float, Field(gt=0, lt=1)] = Field(1e-12, description="reverse: a masked teacher's least")

    def divergence(self, outputs: Outputs) -> dict[str, Any]:
        """What Table 6 and Figure 8 compute from teachers with such ``outputs``; only what matters is told."""
        return {"kl": self.kl, "floor": self.kl_floor if (self.kl, outputs) == ("reverse", "masked") else None}
