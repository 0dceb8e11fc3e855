"""A data set as checks see it: its index and settings, and what is measured of its videos where a check asks for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from dtkd.checks import duplicates, group_lists, name_groups, scenes, windows
from dtkd.checks.wording import config
from dtkd.common.files import read_parquet
from dtkd.config import Augment, Clip, Dataset, Evaluation
from dtkd.data import thumbnails
from dtkd.data.datasets import class_names
from dtkd.data.video_info import VideoInfo, infos

Progress = Callable[..., Iterable]


@dataclass(frozen=True)
class Settings:
    """What of a study a check reads; `Study.checked` gives it as plain values."""

    dataset: Dataset
    augment: Augment
    clip: Clip
    evaluation: Evaluation
    unit: str
    """`flow.unit`: what motion is counted per."""
    split: Mapping[str, Any]
    """`config.Split.settings`."""
    selection: str
    epochs: int
    students: int
    seed: int
    plain: Mapping[str, Any] = field(repr=False)
    """As they were given."""

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> Settings:
        return cls(
            Dataset(**plain["dataset"]), Augment(**plain["augment"]), Clip(**plain["clip"]),
            Evaluation(**plain["evaluation"]), plain["unit"], plain["split"], plain["selection"], plain["epochs"],
            plain["students"], plain["seed"], plain,
        )  # fmt: skip


@dataclass
class Card:
    """One data set. What takes time is computed when it is first asked for, and then kept."""

    name: str
    settings: Settings
    index: pd.DataFrame
    """Of the videos that can be used, with what decoding has shown of them (`inspection.described`)."""
    problems: pd.DataFrame
    """Those that cannot (`inspection.problems`)."""
    folder: Path
    """`results/<dataset>`: where flow tables are, and small pictures are kept."""
    threads: int = 1
    progress: Callable[[str], Progress] | None = None
    """Of a name, what wraps the iteration over videos, as ``tqdm(iterable, total=n)`` does."""
    flow: bool = True
    """Whether the flow tables count, where they are there: a rule that does not ask for them must not see them."""
    in_config: bool = True
    """Whether the config has it; a folder that was named need not be there."""

    def entry(self, **changes: Any) -> str:
        """Changes of its entry, as a line of config; all of it where there is none yet."""
        known = {} if self.in_config else {"format": "folders", "videos": str(self.root)}
        return config(datasets={self.name: known | changes})

    @cached_property
    def root(self) -> Path:
        return Path(self.settings.dataset.videos)

    @cached_property
    def paths(self) -> list[str]:
        return list(self.index["path"])

    @cached_property
    def classes(self) -> list[str]:
        """In the order of their labels."""
        return class_names(self.index)

    @cached_property
    def infos(self) -> tuple[VideoInfo, ...]:
        return infos(self.index)

    @cached_property
    def lists(self) -> list[str]:
        """The columns of the lists."""
        return [column for column in self.index.columns if column.startswith("list")]

    @cached_property
    def durations(self) -> np.ndarray:
        """Seconds of each video; NaN where a file has no times."""
        return np.array([info.duration for info in self.infos])

    def chance(self, column: str) -> tuple[float, float]:
        """The accuracy on a list's test videos of saying the class with most training videos, and of guessing."""
        train, test = (self.index[self.index[column] == side]["class"] for side in ("train", "test"))
        return float((test == train.mode()[0]).mean()), 1 / len(self.classes)

    # what is measured

    @cached_property
    def pictures(self) -> np.ndarray:
        return thumbnails.of_videos(
            self.root, self.index, self.infos, self.folder / "thumbnails.parquet", self.threads, self._bar("pictures")
        )

    @cached_property
    def twins(self) -> list[duplicates.Pair]:
        """Pairs of the same file, of copies, and of parts of one recording."""
        files = duplicates.same_files(self.root, self.paths, list(self.index["bytes"]))
        known = {(pair.first, pair.second) for pair in files}
        alike = duplicates.same_recordings(self.pictures, thumbnails.seconds(self.infos))
        seen = [pair for pair in alike if (pair.first, pair.second) not in known]
        return sorted([*files, *seen], key=lambda pair: (pair.first, pair.second))

    @cached_property
    def places(self) -> list[int]:
        """Of each video the number of the first one that shows the same place."""
        return name_groups.joined(len(self.index), scenes.same_places(self.pictures))

    @cached_property
    def one_place(self) -> float:
        """The share of the videos that show the data set's one place; 0 where there are several."""
        share = max(Counter(self.places).values()) / len(self.places)
        return share if share >= scenes.WHOLE else 0.0

    @cached_property
    def named(self) -> name_groups.Grouping | None:
        """The groups that names tell of."""
        return name_groups.by_names(self.paths, list(self.index["class"]))

    @cached_property
    def numbered(self) -> name_groups.Grouping | None:
        """Blocks of neighbouring numbers, where names are nothing else."""
        return name_groups.by_numbers(self.paths, list(self.index["class"]))

    @cached_property
    def occasions(self) -> name_groups.Grouping | None:
        """The groups that times of recording tell of."""
        files = [self.root / path for path in self.paths]
        starts, sure = name_groups.start_times(files, list(self.index["mtime_ns"]), self.infos)
        return name_groups.by_times(starts, self.durations, list(self.index["class"]), sure)

    @property
    def grouped(self) -> bool:
        """Whether names or recordings themselves tell what belongs together."""
        return bool(self.named or (self.occasions and self.occasions.sure))

    @cached_property
    def views(self) -> list[windows.View]:
        settings = self.settings
        return windows.views(
            self.root, self.paths, self.infos, windows.chosen(list(self.index["label"])), clip=settings.clip,
            augment=settings.augment, evaluation=settings.evaluation, seed=settings.seed, threads=self.threads,
            progress=self._bar("motion"),
        )  # fmt: skip

    @cached_property
    def flows(self) -> dict[str, pd.DataFrame] | None:
        """Class -> its flow table, or None where some are not made yet, or lack the persons that are measured."""
        if not self.flow:
            return None
        files = {name: self.folder / "flow" / f"{name}.parquet" for name in self.classes}
        if not all(file.exists() for file in files.values()):
            return None
        tables = {name: read_parquet(file) for name, file in files.items()}
        lacks = "on_no_person" in self.settings.split and any("with_person" not in one for one in tables.values())
        return None if lacks else tables

    # what belongs together

    @cached_property
    def signs(self) -> dict[str, list[Any]]:
        """What tells which videos belong together, the surest first: name -> a group for every video."""
        count, found = len(self.index), {}
        copies = [pair for pair in self.twins if pair.kind != "part"]
        for name, pairs in (("copies", copies), ("recordings", self.twins)):
            if pairs:
                found[name] = name_groups.joined(count, [(pair.first, pair.second) for pair in pairs])
        for name, grouping in (("names", self.named), ("occasions", self.occasions)):
            if grouping:
                found[name] = list(grouping.groups)
        if not self.one_place:
            found["places"] = self.places
        if self.numbered and not self.grouped:
            found["numbers"] = list(self.numbered.groups)
        return found

    @property
    def proposal_in_use(self) -> bool:
        """Whether the data set's lists are those that an earlier check proposed."""
        annotations = self.settings.dataset.annotations
        return bool(annotations) and Path(annotations).resolve() == (self.folder / group_lists.FILE).resolve()

    @cached_property
    def proposal(self) -> tuple[pd.DataFrame, list[str]] | None:
        """Lists that keep together what belongs together, and the signs that they keep to (`group_lists.proposed`).

        None where the data set has such lists already: they keep together what can be.
        """
        dataset = self.settings.dataset
        if self.proposal_in_use:
            return None
        return group_lists.proposed(
            self.paths, list(self.index["class"]), self.signs, len(self.lists), dataset.test_fraction,
            dataset.split_seed,
        )  # fmt: skip

    def _bar(self, what: str) -> Progress | None:
        return self.progress and self.progress(what)
