"""The whole config: its sections together, checked against each other, and what can be looked up in them."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from dtkd.common import plugins
from dtkd.common.fields import Name, PathText, Section
from dtkd.config.analysis import Analysis
from dtkd.config.augment import Augment
from dtkd.config.datasets import Dataset
from dtkd.config.flow import Flow
from dtkd.config.grids import Grid, StudentRow
from dtkd.config.model import STUDYS_OWN, Clip, Model, OwnNetwork
from dtkd.config.places import Place, place
from dtkd.config.rows import Baseline, OfSpecialists, Student
from dtkd.config.searches import Searched
from dtkd.config.split import Split
from dtkd.config.training import Evaluation, Pretrain, Teachers, Train


def _results(path: str) -> str:
    if path in (".", "/"):
        raise ValueError(f": name a folder of its own, such as results (got {path!r})")
    return path


def _loaded(plugin: str) -> str:
    """A plug-in in its one spelling, once it is loaded: fields below may then have the names that it adds."""
    if plugins.is_file(plugin):
        plugin = place(plugin)
    plugins.load(plugin)
    return plugin


class Sections(Section):
    """Keys that stand at the top of the file, beside the sections."""

    name: str = Field(description="The study's name in the report and the plan.")
    results: Annotated[Place, AfterValidator(_results)] = Field(
        "results",
        description="Folder for everything that is made; every target begins with it. Change it to keep two studies "
        "apart, or to use another disk.",
    )
    use: Annotated[list[Name], Field(min_length=1)] = Field(
        description="The data sets of the study, in the order of the tables: names of entries of `datasets`."
    )
    seeds: Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1)] = Field(
        [0],
        description="Each seed repeats every training but the pretraining. Several, such as `[0, 1, 2]`, give mean ± "
        "standard deviation in the tables.",
    )
    device: Literal["auto", "cpu", "cuda"] = Field(
        "auto",
        description="Where networks compute. `auto`: on the GPU where there is one. `cuda`: a job that cannot use a "
        "GPU stops, which is right for a study that is too large for a CPU.",
    )
    on_bad_video: Literal["fail", "skip"] = Field(
        "fail",
        description="What happens where videos cannot be used (`results/<dataset>/problems.csv` lists them). `skip`: "
        "the study goes on without them.",
    )
    cache_mb: Annotated[int, Field(ge=0)] = Field(
        512,
        description="Megabytes of decoded frames that a training keeps, so that small videos are decoded once. On a "
        "CPU they are in one store; on a GPU each loader process keeps its share. More for small videos and much "
        "memory; `0` where memory is short. It changes no result.",
    )
    plugins: list[Annotated[PathText, AfterValidator(_loaded)]] = Field(
        [],
        description="Python files (paths from the working folder) or modules that add networks, methods, flow "
        "algorithms or thresholds of your own (plug-ins). A change of a file makes again what uses it.",
    )
    datasets: dict[Name, Dataset] = Field(description="The data sets, by name; `use` says which of them the study has.")
    flow: Flow = Flow()
    split: Split = Split()
    splits: dict[Name, Split] = Field(
        {},
        description="Further splits, each with the keys of `split`: a student whose row says `split: <name>` has "
        "teachers of that split's groups, such as random ones. Baselines are shared.",
    )
    model: Model
    pretrain: Pretrain | None = Field(
        None, description="The pretraining; needed by `model.weights: pretrain`. `null` takes it away."
    )
    teachers: Teachers = Teachers()
    clip: Clip
    augment: Augment
    train: Train
    evaluation: Evaluation = Evaluation()
    analysis: Analysis = Analysis()
    baselines: dict[Name, dict[Name, Baseline | None]] = Field(
        description="Data set → name → row. `U5: null` in an overlay takes an inherited row away."
    )
    students: dict[Name, dict[Name, StudentRow | None]] = Field(
        description="Data set → name → row. `SU2: null` in an overlay takes an inherited row away, all of its grid too."
    )

    @property
    def by_person(self) -> bool:
        """Whether some split is by the motion of persons, who are sought then."""
        return any(split.by_person for split in (self.split, *self.splits.values()))

    @property
    def flow_settings(self) -> dict[str, Any]:
        """What tables of flow depend on, beside the content of weights; nobody is sought where no measure needs it."""
        return self.flow.settings | (self.flow.persons.settings if self.by_person else {})

    def used_datasets(self) -> list[str]:
        """The study's datasets, those whose features they are, and the one that its backbone is pretrained on."""
        starts = {network.weights or self.model.weights for network in self.networks().values()}
        pretrain = self.pretrain if "pretrain" in starts else None
        filmed = [other for name in self.use if (other := self.datasets[name].features_of)]
        return list(dict.fromkeys([*self.use, *filmed, *([pretrain.dataset] if pretrain else [])]))

    @property
    def of_features(self) -> bool:
        """Whether the study is of features of videos, which have no frames to crop."""
        return self.datasets[self.use[0]].source().of_features

    def baselines_of(self, dataset: str) -> dict[str, Baseline]:
        return {name: row for name, row in self.baselines.get(dataset, {}).items() if row is not None}

    def students_of(self, dataset: str) -> dict[str, Student]:
        """The students by name; a row with a grid is several, one with a search is one, a `Searched`."""
        found: dict[str, Student] = {}
        for name, row in self.students.get(dataset, {}).items():
            found |= row.named(name) if isinstance(row, Grid) else {name: row} if row else {}
        return found

    def grids_of(self, dataset: str) -> dict[str, Grid]:
        """The rows of students that have a grid."""
        return {name: row for name, row in self.students.get(dataset, {}).items() if isinstance(row, Grid)}

    def learners_of(self, dataset: str) -> dict[str, Student]:
        """The students that are trained, by name; in the place of a `Searched` its candidates, `<row>/<candidate>`."""
        found: dict[str, Student] = {}
        for name, row in self.students_of(dataset).items():
            candidates = row.candidates.items() if isinstance(row, Searched) else []
            found |= {f"{name}/{candidate}": each for candidate, each in candidates} or {name: row}
        return found

    def of_specialists(self, dataset: str) -> dict[str, OfSpecialists]:
        """The students that a teacher for each group of classes teaches."""
        return {name: row for name, row in self.students_of(dataset).items() if isinstance(row, OfSpecialists)}

    def split_called(self, name: str | None) -> Split:
        """One of `splits`; the study's own where a row names none."""
        return self.split if name is None else self.splits[name]

    def splits_of(self, dataset: str) -> list[str | None]:
        """The splits that a data set is divided by, by name: the study's own (None) first."""
        rows = self.learners_of(dataset).values()
        return list(dict.fromkeys([None, *(row.split for row in rows if isinstance(row, OfSpecialists))]))

    @property
    def flow_summary(self) -> dict[str, str]:
        """What classes' summaries of flow have to give for the splits, where that is not what they always gave."""
        own = self.split.summary
        return {key: value for split in self.splits.values() for key, value in split.summary.items()} | own

    def backbones(self) -> set[str]:
        """Every backbone that some run of the study has."""
        return {self.model.backbone} | {network.backbone for network in self.networks().values() if network.backbone}

    def own_network(self, row: OwnNetwork) -> OwnNetwork:
        """What of a row's network is not the study's: equal where two rows have the same network."""
        said = {key: getattr(row, key) for key in OwnNetwork.model_fields}
        if all(value is None for value in said.values()):
            return STUDYS_OWN
        clip = row.clip
        if clip and clip.crop == self.augment.crop:
            clip = clip.model_copy(update={"crop": None})
        usual = {"backbone": self.model.backbone, "weights": self.model.weights, "dropout": self.model.dropout,
                 "clip": self.clip, "pixels": "study"}  # fmt: skip
        said["clip"] = clip
        return OwnNetwork(**{key: value for key, value in said.items() if value != usual[key]})

    def teachers_network(self, group: str) -> OwnNetwork:
        """That of a group's specialist."""
        own = self.teachers.groups.get(group, OwnNetwork()).model_dump(exclude_none=True)
        shared = {key: getattr(self.teachers, key) for key in OwnNetwork.model_fields}
        return self.own_network(OwnNetwork(**shared | own))

    def networks(self) -> dict[str, OwnNetwork]:
        """What of its network each part of the config has of its own: by row and, of teachers, by group."""
        found = {"model": STUDYS_OWN}
        for dataset in self.use:
            for name, baseline in self.baselines_of(dataset).items():
                found[f"baselines.{dataset}.{name}"] = self.own_network(baseline)
            for name, student in self.students_of(dataset).items():
                found[f"students.{dataset}.{name}"] = self.own_network(student)
            for row in self.of_specialists(dataset).values():
                for group in self.split_called(row.split).group_names(dataset):
                    where = f"teachers.groups.{group}" if group in self.teachers.groups else "teachers"
                    found[where] = self.teachers_network(group)
        return found

    def window_for(self, network: OwnNetwork) -> Clip | None:
        """The clip whose windows a network sees in training; None where its own spans as much, and draws the same."""
        return None if network.clip is None or network.clip.span == self.clip.span else self.clip

    def weights_sha256(self, backbone: str) -> str | None:
        """The checksum that the config gives for the weights' file of ``backbone``."""
        return self.model.weights_sha256 if backbone == self.model.backbone else None

    def train_settings(self, role: str) -> Train:
        """`train`, with what differs from it in the trainings of a role."""
        own = {"pretrain": self.pretrain and self.pretrain.train, "teacher": self.teachers.train}.get(role)
        return Train.model_validate(self.train.model_dump() | own) if own else self.train

    def with_recipe(self, row: Baseline) -> Train:
        """`train`, with what differs from it in a baseline's row."""
        return Train.model_validate(self.train.model_dump() | row.train) if row.train else self.train

    def reference(self, dataset: str, number: int, network: OwnNetwork = STUDYS_OWN) -> tuple[str, Baseline] | None:
        """What students of a list and a network (the study's own: by default) are compared with.

        The list's first baseline that differs from them in nothing else.
        """
        for name, row in self.baselines_of(dataset).items():
            if row.list == number and not row.frozen and not row.train and self.own_network(row) == network:
                return name, row
        return None

    def references(self, dataset: str, number: int) -> dict[OwnNetwork, tuple[str, Baseline]]:
        """What a list's students are compared with, by their network: first, where there is one, the study's own."""
        students = [self.own_network(row) for row in self.students_of(dataset).values() if row.list == number]
        found = {network: self.reference(dataset, number, network) for network in (STUDYS_OWN, *students)}
        return {network: baseline for network, baseline in found.items() if baseline}

    def reference_of(self, dataset: str, student: Student) -> tuple[str, Baseline]:
        """The baseline that a student is compared with: of its list and network."""
        found = self.reference(dataset, student.list, self.own_network(student))
        assert found, "checks.students_have_a_reference"
        return found

    def chosen(self, dataset: str) -> tuple[str, OfSpecialists] | None:
        """The student of specialists that tables and figures single out: the configured one or the first.

        None where there is no such student.
        """
        students = self.of_specialists(dataset)
        name = self.analysis.chosen.get(dataset, next(iter(students), None))
        return None if name is None else (name, students[name])

    def compared(self, dataset: str) -> Counter[int]:
        """List -> how many students and controls are compared with its baseline: Holm's family in Table 5."""
        found = Counter(row.list for row in self.students_of(dataset).values())
        found.update(row.list for row in self.baselines_of(dataset).values() if row.train)
        return found

    def checked(self, name: str, dataset: Dataset | None = None) -> dict[str, Any]:
        """All that a check of a data set reads of the study, as plain values; ``dataset`` is one that has no entry."""
        split = self.split.settings(name) if self.split.source == "flow" else {"source": self.split.source}
        return {
            "dataset": (dataset or self.datasets[name]).model_dump(mode="json", exclude={"render", "features_of"}),
            "augment": self.augment.model_dump(mode="json"),
            "clip": self.clip.model_dump(exclude_none=True),
            "evaluation": self.evaluation.model_dump(),
            "unit": self.flow.unit,
            "split": split,
            "selection": self.train.selection,
            "epochs": self.train.epochs,
            "students": max(self.compared(name).values(), default=0),
            "seed": self.seeds[0],
        }
