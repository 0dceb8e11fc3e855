"""What the sections and rows of a config are made of: their base, and the kinds of value that several of them have."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

NAME = r"^[A-Za-z0-9][A-Za-z0-9_.+-]*$"  # becomes part of a path
# Not empty, which would be the root; Snakemake takes what stands in braces or angle brackets for its own.
PATH = r"^[^{}<>\x00-\x1f\x7f]+$"
Name = Annotated[str, Field(pattern=NAME)]
PathText = Annotated[str, Field(pattern=PATH)]
Fraction = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
