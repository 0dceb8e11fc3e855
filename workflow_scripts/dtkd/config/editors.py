"""JSON Schemas of config files: editors complete keys, show what they mean and mark what is wrong."""

from __future__ import annotations

from copy import deepcopy

from dtkd.config.datasets import RENDER
from dtkd.config.schema import Schema, parts
from dtkd.config.sections import Sections


def config_schema() -> Schema:
    """Of a whole config, as config.yaml is one."""
    schema = Sections.model_json_schema()
    defs = schema["$defs"]
    for key, text in RENDER.items():
        defs["Render"]["properties"][key]["description"] = text
    defs["Render"] |= {"additionalProperties": False, "description": "A data set that the project renders itself."}
    defs["TrainPart"] = deepcopy(defs["Train"])
    del defs["TrainPart"]["required"]
    defs["Pretrain"]["properties"]["train"] |= {"$ref": "#/$defs/TrainPart"}
    defs["Baseline"]["properties"]["train"] |= {"$ref": "#/$defs/TrainPart"}
    defs["Teachers"]["properties"]["train"]["anyOf"][0] = {"$ref": "#/$defs/TrainPart"}
    for part in parts(schema):
        part.pop("title", None)
        if "patternProperties" in part:
            part["additionalProperties"] = False
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "A study's config"} | schema


def overlay_schema() -> Schema:
    """Of an overlay, which may leave everything out."""
    schema = config_schema() | {"title": "An overlay of config.yaml"}
    for part in parts(schema):
        part.pop("required", None)
    return schema
