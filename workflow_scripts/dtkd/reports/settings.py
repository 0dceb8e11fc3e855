"""The settings of a study, as its results were made with them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

Values = Sequence[tuple[Any, int]]  # of a setting, and how many artefacts were made with each
Difference = tuple[str, Any, Any]  # a setting, its recorded and its configured value (`recorded_settings.Difference`)
NOT_OF_FEATURES = {"flow", "augment"}  # sections about frames
NESTED = ("train",)  # a section's keys that are sections: `pretrain.train`


def settings(study: Mapping[str, Any], recorded: Mapping[str, Values]) -> list[tuple[str, list[tuple[str, str]]]]:
    """The sections of the resolved config that hold settings, as (section, [(key, value)]).

    What results were made with stands here as their records have it, not as the config has it now: where they differ
    among each other, every value with the number of artefacts that were made with it.
    """
    left_out = {"datasets", "baselines", "students"} | (NOT_OF_FEATURES if of_features(study) else set())
    plain = [
        (key, _plain(value)) for key, value in study.items() if key not in left_out and not isinstance(value, dict)
    ]
    parts = [("study", [(key, value) for key, value in plain if value])]
    for name, section in study.items():
        if isinstance(section, dict) and name not in left_out and section:
            flat = [
                (f"{key}.{part}", each) if part else (key, each)
                for key, value in section.items()
                for part, each in ((value or {}).items() if key in NESTED else [("", value)])
            ]
            parts.append((name, [(key, _recorded(recorded.get(f"{name}.{key}"), value)) for key, value in flat]))
    return parts


def _recorded(values: Values | None, configured: Any) -> str:
    if not values:
        return _plain(configured)
    if len(values) == 1:
        return _plain(values[0][0])
    return "; ".join(f"{_plain(value)} ({count} ×)" for value, count in values)


def as_made(study: Mapping[str, Any], recorded: Mapping[str, Values]) -> dict[str, Any]:
    """The resolved config with the values that results were made with; of several, what most were made with."""
    made = {name: dict(section) if isinstance(section, dict) else section for name, section in study.items()}
    for name, values in recorded.items():
        section, _, key = name.partition(".")
        if isinstance(made.get(section), dict) and key in made[section]:
            made[section][key] = values[0][0]
    return made


def differences(found: Mapping[str, Sequence[Difference]]) -> list[dict[str, Any]]:
    """What was made with another setting than the config has now, by the setting and both its values."""
    alike = defaultdict(list)
    for path, some in found.items():
        for setting, recorded, configured in some:
            alike[setting, _plain(recorded), _plain(configured)].append(path)
    return [
        {"setting": setting, "recorded": recorded, "configured": configured, "paths": paths}
        for (setting, recorded, configured), paths in alike.items()
    ]


def _plain(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_plain(part)}" for key, part in value.items()) or "–"
    return ", ".join(map(_plain, value)) if isinstance(value, list) else str(value)


def of_features(study: Mapping[str, Any]) -> bool:
    """Whether the study is of features of videos (`Study.of_features`)."""
    return any(study["datasets"][name]["format"] == "features" for name in study["use"])


def data_sets(study: Mapping[str, Any]) -> list[dict[str, str]]:
    """The data sets that the study uses: what for, and where their videos are."""
    used = {name: "tables and figures" for name in study["use"]}
    if study.get("pretrain") and study["model"]["weights"] == "pretrain":
        used.setdefault(study["pretrain"]["dataset"], "pretraining")
    rows = []
    for name, purpose in used.items():
        own = study["datasets"][name]
        source = "rendered by the project" if own.get("render") else own.get("annotations") or "drawn from the folders"
        rows.append({"name": name, "purpose": purpose, "format": own["format"], "videos": own["videos"],
                     "lists": source, "number": str(own["lists"])})  # fmt: skip
    return rows
