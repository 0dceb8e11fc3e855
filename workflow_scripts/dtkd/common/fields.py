"""What the sections and rows of a config are made of: their base, and the kinds of value that several of them have."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, GetCoreSchemaHandler, GetJsonSchemaHandler

from dtkd.common.errors import DtkdError
from dtkd.common.registry import NAME, Registry

# Not empty, which would be the root; Snakemake takes what stands in braces or angle brackets for its own.
PATH = r"^[^{}<>\x00-\x1f\x7f]+$"
Name = Annotated[str, Field(pattern=NAME)]
PathText = Annotated[str, Field(pattern=PATH)]
Fraction = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]


class NameIn:
    """That a string is a name in a registry, when it is looked up: plug-ins may have added some."""

    def __init__(self, registry: Registry[Any]) -> None:
        self.registry = registry

    def __get_pydantic_core_schema__(self, source: type, handler: GetCoreSchemaHandler) -> Any:
        return AfterValidator(self._known).__get_pydantic_core_schema__(source, handler)

    def __get_pydantic_json_schema__(self, schema: Any, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        listed = {"enum": self.registry.names(), "type": "string"}
        families = [{"pattern": f"^{prefix}.", "type": "string"} for prefix in self.registry.families]
        return {"anyOf": [listed, *families]} if families else listed

    def _known(self, name: str) -> str:
        try:
            self.registry[name]
        except DtkdError as error:
            raise ValueError(f": {error}") from None
        return name


class Section(BaseModel):
    # Deferred: a section that is a part of another needs no validator of its own.
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)
