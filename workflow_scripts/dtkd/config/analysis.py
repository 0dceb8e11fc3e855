"""The section `analysis`: what tables and figures single out."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from dtkd.common.fields import Name, Section
from dtkd.config.training import Outputs


class Analysis(Section):
    """What tables and figures single out. A change of it trains and evaluates nothing."""

    chosen: dict[Name, Name] = Field(
        default_factory=dict,
        description="Data set → the student of Table 6, Figures 6 to 8 and the disagreements; the first one where "
        "none is named. It needs two teachers.",
    )
    kl: Literal["forward", "reverse"] = Field(
        "forward",
        description="Table 6 and Figure 8, KL(S‖T). `forward`: Σ T (log T − log S), as Eq. 11 has to be read. "
        "`reverse`: Σ S (log S − log T) (decisions, row 13).",
    )
    kl_floor: Annotated[float, Field(gt=0, lt=1)] = Field(
        1e-12,
        description="With `kl: reverse` and masked teachers: a teacher's least probability, as it is zero outside its "
        "subset.",
    )

    benchmark: bool = Field(
        False,
        description="Whether to measure how fast the chosen students and their baselines answer, and in how much "
        "memory (table `deployment`). Have it done when nothing else computes: "
        "`snakemake --cores 1 results/tables/deployment.csv`.",
    )

    def divergence(self, outputs: Outputs) -> dict[str, Any]:
        """What Table 6 and Figure 8 compute from teachers with such ``outputs``; only what matters is told."""
        return {"kl": self.kl, "floor": self.kl_floor if (self.kl, outputs) == ("reverse", "masked") else None}
