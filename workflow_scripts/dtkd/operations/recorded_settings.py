"""The settings that results were made with, by their records, beside those that the study has now."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from glob import escape, glob
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from dtkd.common import provenance
from dtkd.common.errors import DtkdError

if TYPE_CHECKING:
    from dtkd.config import Run, Study


BEFORE = {"teacher_outputs": "masked", "window": None}
"""What a training was made with whose record lacks the setting: it is of a time without this choice, or masked; or saw
the windows of its own clip."""


class Expected(NamedTuple):
    """What a study expects of one record, or of several that are alike; plain values, for JSON."""

    path: str  # what the record tells of
    record: str  # a file, or a pattern of files
    settings: dict[str, Any]  # of the study, nested as the record has them
    names: dict[str, str | None]  # beginnings of a recorded setting's name -> the config's; None: no setting


class Difference(NamedTuple):
    setting: str  # as the config names it: "train.lr"
    recorded: Any
    configured: Any

    def __str__(self) -> str:
        return f"{self.setting} {_said(self.recorded)} (the study has {_said(self.configured)})"


class Artefact(NamedTuple):
    """What one record, or several that are alike, tell of: a run's folder, a split, the flow of some classes.

    Settings are flat, by the config's names: "train.lr".
    """

    path: str
    recorded: dict[str, Any]  # those that determine the result
    configured: dict[str, Any]  # the same of the study
    computing: dict[str, Any]  # recorded ones that change no result: the study may have others

    @property
    def differences(self) -> list[Difference]:
        names = self.configured | self.recorded
        pairs = [Difference(name, self.recorded.get(name), self.configured.get(name)) for name in names]
        return [pair for pair in pairs if pair.recorded != pair.configured]


# What a study expects


def expected(study: Study) -> list[Expected]:
    """Of every artefact whose settings are recorded: trainings, what they read, lists, flow, splits, Table 6."""
    of_trainings = [*_runs(study), *_candidates(study), *_targets(study), *_features(study)]
    return [*of_trainings, *_of_datasets(study), *_analysis(study)]


def of_run(study: Study, run: Run) -> Expected:
    """Of one training."""
    folder = f"{study.results}/{run.folder}"
    known = ["teacher_outputs"] if run.subset or run.has_specialists else []
    known += ["window"] if study.window_for(run.network) else []
    settings = {name: BEFORE[name] for name in known} | study.settings(run)
    return Expected(folder, f"{folder}/run.json", settings, _names(run))


def of_forgotten_runs(study: Study, is_known: Callable[[str], Any]) -> dict[str, list[Difference]]:
    """The runs, and candidates of searches, whose records have other settings than the study, and which.

    By the output that a training is known by, where Snakemake does not know of that.

    ``is_known`` says whether Snakemake has a record of a file. Its own are in .snakemake: there is none of a run that
    was copied here, or ended after its Snakemake did.
    """
    found = {}
    for expected in (*_runs(study), *_candidates(study)):
        output = expected.record if expected.record.endswith("/run.json") else expected.path
        differences = [each for made in artefacts_of(expected) for each in made.differences]
        if differences and not is_known(output):
            found[output] = differences
    return found


def refuse_forgotten(output: str, forgotten: Mapping[str, Sequence[Difference]]) -> None:
    """Raise DtkdError where an output is `of_forgotten_runs`: say in what it differs, and how all are made again."""
    if output in forgotten:
        raise DtkdError(
            f"{output.removesuffix('/run.json')} was made with other settings: "
            f"{', '.join(map(str, forgotten[output]))}; "
            "Snakemake's own record, in .snakemake, is gone: set these back, or have all such runs made again with "
            f"--forcerun {' '.join(sorted(forgotten))}"
        )


def _names(run: Run) -> dict[str, str | None]:
    """Where in the config a run's settings come from. Those in its folder's name cannot differ."""
    own = {"clip": "clip of its own", "window": "windows of clip"} if run.clip else {}
    if run.search:
        own["search"] = f"students.{run.dataset}.{run.search}.search"
    if run.role == "pretrain":
        return {"train": "pretrain.train", "computing": "pretrain.train", "dropout": "pretrain.dropout", **own}
    return {"computing": "train", "dropout": "model.dropout", "weights": "model.weights", **own}


def _runs(study: Study) -> Iterator[Expected]:
    for run in study.runs().values():
        yield of_run(study, run)


def _candidates(study: Study) -> Iterator[Expected]:
    """Candidates of searches at their first rung; what later ones find follows from it."""
    for search in study.searches().values():
        for name, candidate in zip(search.tried(search.epochs[0]), search.candidates.values(), strict=True):
            file = f"{study.results}/{name}"
            names = {f"settings.{key}": shown for key, shown in _names(candidate).items()} | {"settings": ""}
            yield Expected(file, _record(file), {"settings": study.settings(candidate)}, names)


def _targets(study: Study) -> Iterator[Expected]:
    for name, (teachers, run) in study.all_teacher_sets().items():
        file = f"{study.results}/{name}"
        names = {f"settings.{name}": shown for name, shown in _names(run).items()} | {"settings": ""}
        yield Expected(file, _record(file), {"settings": study.targets_settings(run, teachers)}, names)


def _features(study: Study) -> Iterator[Expected]:
    for name, asked in study.frozen_features().items():
        file = f"{study.results}/{name}"
        names = {f"settings.{name}": shown for name, shown in _names(asked.runs[0]).items()} | {"settings": ""}
        yield Expected(file, _record(file), {"settings": study.features_settings(asked)}, names)


def _of_datasets(study: Study) -> Iterator[Expected]:
    for dataset in study.use:
        folder, own = f"{study.results}/{dataset}", study.datasets[dataset]
        if own.format == "folders":  # the project draws its lists; where the videos lie, no result depends on
            drawn = {"group_pattern": own.group_pattern, "lists": own.lists, "test_fraction": own.test_fraction,
                     "seed": own.split_seed}  # fmt: skip
            names = {"source": f"datasets.{dataset}", "source.seed": f"datasets.{dataset}.split_seed"}
            names |= dict.fromkeys(("source.format", "source.videos", "source.annotations"))
            yield Expected(f"{folder}/videos.parquet", _record(f"{folder}/videos.parquet"), {"source": drawn}, names)
        flow = f"{escape(folder)}/flow/*.run.json"
        yield Expected(f"{folder}/flow", flow, {"settings": study.flow_settings}, {"settings": "flow"})
        other = ("stability", ()) if study.split.source == "flow" else ("motion", ("measure", "over"))
        for name, more in [("split", ()), other]:
            settings = {"settings": study.split.settings(dataset, *more)}
            yield Expected(f"{folder}/{name}.json", _record(f"{folder}/{name}.json"), settings, {"settings": "split"})
        for name, split in study.splits.items():
            if name in study.splits_of(dataset):
                file, settings = f"{study.results}/{study.split_file(dataset, name)}", split.settings(dataset)
                yield Expected(file, _record(file), {"settings": settings}, {"settings": f"splits.{name}"})


def _analysis(study: Study) -> Iterator[Expected]:
    if divergences := study.divergences():
        for file in ("tables/table6.csv", "figures/figure8.png"):
            file = f"{study.results}/{file}"
            yield Expected(file, _record(file), {"divergences": divergences}, {"divergences": "analysis"})


def _record(output: str) -> str:
    return str(provenance.place([output]))


# What records have


def artefacts(expected: Iterable[Expected]) -> list[Artefact]:
    """What there is of a study; without what has no record that can be read."""
    return [found for each in expected for found in artefacts_of(each)]


def artefacts_of(expected: Expected) -> list[Artefact]:
    """One artefact; where ``record`` is a pattern, one for all files that are alike.

    A part of the settings that only one side has, such as a record of another version, is not compared, except for
    what is known of such versions (``BEFORE``).
    """
    files = sorted(glob(expected.record)) if "*" in expected.record else [expected.record]
    alike: dict[str, list[str]] = defaultdict(list)
    for file in files:
        made = provenance.settings(file)
        parts = {name: made[name] for name in expected.settings if name in made}
        parts |= {name: BEFORE[name] for name in expected.settings.keys() & BEFORE if made and name not in made}
        alike[json.dumps([parts, provenance.settings(file, "computing")])].append(file)
    found = []
    for content, files in alike.items():
        parts, computing = json.loads(content)
        wanted = json.loads(json.dumps({name: expected.settings[name] for name in parts}))  # no tuples, as in records
        path = expected.path
        if "*" in expected.record:
            path += f"/{Path(files[0]).name.removesuffix('.run.json')}"
            path += f" and {len(files) - 1} more" if len(files) > 1 else ""
        flat = [_flat(nested, expected.names) for nested in (parts, wanted, {"computing": computing})]
        if parts:
            found.append(Artefact(path, *flat))
    return found


def values(found: Iterable[Artefact]) -> dict[str, list[tuple[Any, int]]]:
    """Every recorded setting with its values, the most frequent first, and how many artefacts have each."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for artefact in found:
        for name, value in (artefact.recorded | artefact.computing).items():
            counts[name][json.dumps(value)] += 1
    return {
        name: [(json.loads(value), number) for value, number in count.most_common()] for name, count in counts.items()
    }


def _flat(nested: Mapping[str, Any], names: Mapping[str, str | None], above: str = "") -> dict[str, Any]:
    """Nested settings as {"train.lr": 0.1}, each under the name that the config has for it."""
    flat = {}
    for key, value in nested.items():
        name = f"{above}.{key}".removeprefix(".")
        if isinstance(value, Mapping):
            flat |= _flat(value, names, name)
            continue
        begin = max((each for each in names if f"{name}.".startswith(f"{each}.")), key=len, default="")
        if (other := names.get(begin, "")) is not None:
            flat[f"{other}{name.removeprefix(begin)}".removeprefix(".")] = value
    return flat


def _said(value: Any) -> str:
    """A value as the config writes it."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
