"""Make the list of timm's image networks (`timm_list`) from the installed timm: python -m dtkd.models.list_timm"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import astuple, fields

import timm

from dtkd.models.timm_list import LIST, Image


def found() -> list[Image]:
    """What the installed timm has."""
    listed = []
    for name in timm.list_models():
        known = timm.get_pretrained_cfg(name)
        if known is None or not isinstance(known.classifier, str):
            continue  # no classifier, or several: of teachers that timm's own students had
        weights = known.hf_hub_id if known.hf_hub_id and not known.custom_load and known.num_classes else None
        listed.append(
            Image(name, timm.model_entrypoint(name).__module__.rpartition(".")[2], known.classifier,
                  known.input_size[-1], bool(known.fixed_input_size), _of_colours(known.mean), _of_colours(known.std),
                  weights or "")
        )  # fmt: skip
    return listed


def _of_colours(values: Sequence[float]) -> tuple[float, float, float]:
    red, green, blue = values if len(values) == 3 else values * 3
    return red, green, blue


def write() -> None:
    """Make the list again."""
    with LIST.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(field.name for field in fields(Image))
        for image in found():
            writer.writerow(_written(value) for value in astuple(image))


def _written(value: object) -> object:
    if isinstance(value, tuple):
        return " ".join(map(str, value))
    return int(value) if isinstance(value, bool) else value


if __name__ == "__main__":
    write()
