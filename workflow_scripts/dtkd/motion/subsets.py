"""Static and dynamic classes (Eq. 1), or more groups: class means of flow, thresholds, the split.

Eq. 1 prints ``μ_c < Q1``, but Table 2's 26 of 101 and 13 of 51 static classes come from ``μ_c ≤ Q1`` with linear
quantiles, hence the default boundary. Standard deviations are of a sample (n − 1), 0 for a single value; the paper's
Table 1 does not tell which it uses.
"""

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from dtkd.common.errors import DtkdError
from dtkd.common.files import read_parquet
from dtkd.data import groups as groups_of_classes
from dtkd.data import published
from dtkd.data.datasets import class_names
from dtkd.data.groups import SUBSETS, default_names, group_names
from dtkd.motion import thresholds

USUAL = {"unit": "frame", "over_time": "mean"}
"""How a class's flow is summed in the paper; what else there is, tables of flow and splits say."""
BOUNDARIES: dict[str, Callable[[float, float], bool]] = {
    "inclusive": lambda mean, threshold: mean <= threshold,
    "strict": lambda mean, threshold: mean < threshold,
}
FEATURE_CHANGE = "feature_change"
"""The measure that is of features (a column of their `videos.parquet`), and not of flow."""
RULE = ("threshold", "quantile", "value", "boundary", "names")
"""The keys of a config's `split` that decide which class means make which group; as far as there are any."""


def train_flows(flows: Mapping[str, pd.DataFrame], index: pd.DataFrame, column: str) -> dict[str, pd.DataFrame]:
    """The classes' tables of their train videos alone, by the list ``column`` of a `videos.parquet`."""
    own = index[index[column] == "train"].groupby("class")["video"].agg(set)  # a name is its own within its class only
    return {name: table[table["video"].isin(own.get(name, set()))] for name, table in flows.items()}


def read_flows(
    paths: Iterable[str | Path], index: pd.DataFrame, settings: Mapping[str, Any]
) -> dict[str, pd.DataFrame]:  # fmt: skip
    """Class -> its table of flow, of all videos or of list 1's train videos alone (`split.over`).

    Where the measure of ``settings`` is the change of features, which the index has, its tables are the index's.
    """
    if settings["measure"] == FEATURE_CHANGE:
        flows = {str(name): table.reset_index(drop=True) for name, table in index.groupby("class")}
    else:
        flows = {Path(path).stem: read_parquet(path) for path in paths}
    return train_flows(flows, index, "list1") if settings["over"] == "train" else flows


def without_person(flows: Mapping[str, pd.DataFrame]) -> dict[str, list[str]]:
    """Class -> its videos in which no person was found, of the classes that have such; ``flows`` as of `counted`."""
    found = {name: table.loc[~(table["with_person"] > 0), "video"].tolist() for name, table in flows.items()}
    return {name: videos for name, videos in found.items() if videos}


def counted(flows: Mapping[str, pd.DataFrame], settings: Mapping[str, Any]) -> Mapping[str, pd.DataFrame]:
    """The classes' tables (`flow.class_flow`) of the videos that have the measure of ``settings``.

    That is all videos, unless persons are measured (`config.Split.settings` then has ``on_no_person``): one in which no
    person was found has no motion of persons, and no other number would stand for it.

    Raises DtkdError for such a video with ``on_no_person: fail``, and for a class of no others with ``skip``.
    """
    if "on_no_person" not in settings or not (lacking := without_person(flows)):
        return flows
    number, remedy = sum(map(len, lacking.values())), "lower flow.persons.threshold, choose a split.measure that needs "
    remedy += "no person, such as moving, "
    if settings["on_no_person"] == "fail":
        names = [f"{name}/{video}" for name, videos in sorted(lacking.items()) for video in videos]
        listed = ", ".join(names[:10]) + " ..." * (number > 10)
        raise DtkdError(
            f"split.measure: {settings['measure']}: no person was found in {number} of "
            f"{sum(map(len, flows.values()))} videos ({listed}), which so have no motion of persons: {remedy}or set "
            "split.on_no_person: skip, by which a class's mean is over its other videos."
        )
    if empty := [name for name, videos in sorted(lacking.items()) if len(videos) == len(flows[name])]:
        raise DtkdError(
            f"split.measure: {settings['measure']}: no person was found in any video of {', '.join(empty[:10])}"
            f"{' ...' if len(empty) > 10 else ''}: {remedy}or leave the class out."
        )
    return {name: table[table["with_person"] > 0] for name, table in flows.items()}


def class_means(flows: Mapping[str, pd.DataFrame], measure: str = "mean") -> pd.DataFrame:
    """μ_c: per class the unweighted mean over its videos of one measure of their flow.

    ``flows`` gives each class's table from ``flow.class_flow``; ``measure`` is one of its columns (in pixels a frame or
    a second, or a share of the time, as its ``attrs`` say: ``unit``, ``over_time``).

    Returns one row a class, sorted by name (index ``class``): ``mean``, ``std`` (over videos), ``videos`` (count);
    ``attrs`` have ``measure``, and the tables' ``unit`` and ``over_time``.

    Raises DtkdError for an unknown measure, or a class left without videos or with a mean that is not finite.
    """
    rows = {}
    for name in sorted(flows):
        table = flows[name]
        if measure not in table.columns or measure == "video":
            known = ", ".join(column for column in table.columns if column != "video")
            raise DtkdError(f"split.measure: flow has no measure {measure!r}: choose one of {known}.")
        values = table[measure].to_numpy(np.float64)
        if not values.size:
            raise DtkdError(f"class {name} has no videos to take its mean flow over: add some or leave the class out.")
        if not np.isfinite(values).all():
            raise DtkdError(f"class {name} has a flow {measure} that is not a number: compute its flow tables again.")
        rows[name] = (values.mean(), _std(values), values.size)
    means = pd.DataFrame.from_dict(rows, orient="index", columns=["mean", "std", "videos"]).rename_axis("class")
    means.attrs["measure"] = measure
    for key, usual in USUAL.items():
        found = {table.attrs.get(key, usual) for table in flows.values()}
        if len(found) > 1:
            raise DtkdError(f"classes' flow is summed in different ways ({key}: {', '.join(sorted(found))}): make the "
                            "class tables again.")  # fmt: skip
        means.attrs[key] = found.pop() if found else usual
    return means


def differing_rates(index: pd.DataFrame, ratio: float = 1.2) -> list[str]:
    """A warning for each class whose frame rate is not the others': its motion a frame tells of the camera.

    ``index`` is a `videos.parquet`; compared are the medians of ``fps``. Classes are named from a ``ratio`` on.
    """
    if "fps" not in index or not (index["fps"] > 0).any():
        return []
    known = index[index["fps"] > 0]
    usual = float(known["fps"].median())
    return [
        f"the videos of {name} have {own:.4g} frames a second, the data set's {usual:.4g}: motion in pixels a frame "
        "makes the camera decide what is static; set flow.unit: second (and clip.fps)"
        for name, own in known.groupby("class")["fps"].median().items()
        if max(own / usual, usual / own) >= ratio
    ]


def of_settings(
    settings: Mapping[str, Any], dataset: str, classes: Sequence[str], means: pd.DataFrame | None
) -> dict[str, object]:
    """The split that the config asks for; ``settings`` are `config.Split.settings`.

    ``means`` (from `class_means`) decide where its source is flow; of other splits they fill in mean, std and videos,
    which are None without them.
    """
    match settings["source"]:
        case "flow":
            return split(means, **rule(settings))
        case "published":
            return published_split(dataset, classes, means)
        case "listed":
            return listed_split(dataset, classes, settings, means)
        case "random":
            return random_split(classes, means=means, seed=settings["seed"], **rule(settings))


def rule(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of `split` in a `config.Split.settings`."""
    return {key: settings[key] for key in RULE if key in settings}


def split(
    means: pd.DataFrame, quantile: float | Sequence[float] = 0.25, boundary: str = "inclusive", *,
    value: float | None = None, threshold: str | None = None, names: Sequence[str] | None = None,
) -> dict[str, object]:  # fmt: skip
    """Eq. 1: split the classes of ``class_means`` in static and dynamic, or in more groups; what ``split.json`` has.

    The threshold is one of `thresholds.THRESHOLDS`; without its name, ``value`` (in the measure's unit, pixels a
    frame) if there is one, such as one taken from another dataset, or else the ``quantile`` of the class means; several
    quantiles make a group more than there are. A class on a threshold is below it with ``boundary`` ``inclusive``,
    above it with ``strict``. ``names`` are the groups', the least motion first.

    Returns ``criterion`` (source, measure, threshold, its parameters, boundary), ``threshold`` (float; of several a
    list), ``groups`` (their names), ``classes`` (sorted by name; each mean, std, videos, subset, which is its group).

    Raises DtkdError for unknown names or values, if a group would be empty, and if a threshold that nobody gave a
    number leaves one of them a single class.
    """
    if boundary not in BOUNDARIES:
        raise DtkdError(f"split.boundary: {boundary!r} is not known: choose one of {', '.join(BOUNDARIES)}.")
    if len(means) < 2:
        raise DtkdError(f"a split needs at least two classes, not {len(means)}: add classes to the dataset.")
    given = {"threshold": threshold, "quantile": quantile, "value": value}
    by, numbers = thresholds.of_rule(given)
    values = means["mean"].to_numpy(np.float64)
    limits = thresholds.limits(values, given)
    if values.min() == values.max():
        raise DtkdError(
            f"the split cannot tell classes apart: the {_measure(means)} of flow is {values.min():.6g} in each; look "
            "whether their videos show motion, and choose another split.measure, or split.source: listed or random"
        )
    names = tuple(names or default_names(len(limits) + 1))
    above = {name: sum(not BOUNDARIES[boundary](float(mean), limit) for limit in limits)
             for name, mean in means["mean"].items()}  # fmt: skip
    groups = {group: [name for name, index in above.items() if index == number] for number, group in enumerate(names)}
    numbers_of = ", ".join(f"{limit:.6g}" for limit in limits)
    where = f"(threshold {numbers_of}, {boundary}; class means {values.min():.6g} to {values.max():.6g})"
    for number, (group, own) in enumerate(groups.items()):
        size = len(own)
        if size < 2 and not numbers:
            raise DtkdError(
                f"split.threshold: {by} leaves {size or 'no'} {group} class {where}, and a teacher of fewer than "
                "two has nothing to tell a student: set split.threshold: quantile."
            )
        if not size:
            remedy = (f"raise split.{by} or set split.boundary: inclusive" if number == 0 else
                      f"lower split.{by} or set split.boundary: strict" if number == len(limits) else
                      f"set numbers of split.{by} that are further apart")  # fmt: skip
            raise DtkdError(f"the split has no {group} class {where}: {remedy}.")
    numbers |= {"method": "linear"} if by == "quantile" else {}
    criterion = {"source": "flow", "measure": _measure(means), **_summed(means), "threshold": by, **numbers,
                 "boundary": boundary}  # fmt: skip
    return {"criterion": criterion, "threshold": limits[0] if len(limits) == 1 else limits, "groups": list(names),
            "classes": _classes(groups, means)}  # fmt: skip


def published_split(dataset: str, classes: Iterable[str], means: pd.DataFrame | None = None) -> dict[str, object]:
    """The paper's own split of ``ucf101`` or ``hmdb51``, in the form of ``split``; its ``threshold`` is None.

    ``classes`` are the dataset's classes as found; ``means``: see `of_settings`.

    Raises DtkdError if the dataset is another, or its classes are not exactly the published ones.
    """
    found, known = set(classes), set(published.classes(dataset))
    if found != known:
        parts = [
            f"{label} {', '.join(sorted(names)[:10])}{' ...' if len(names) > 10 else ''}"
            for label, names in (("missing", known - found), ("unknown", found - known))
            if names
        ]
        raise DtkdError(
            f"the published split of {dataset} does not fit its {len(found)} classes ({'; '.join(parts)}): complete or "
            "rename them, or set split.source to flow."
        )
    static = published.static_classes(dataset)
    groups = dict(zip(SUBSETS, (static, found - set(static)), strict=True))
    return _given({"source": "published", "dataset": dataset}, groups, means)


def listed_split(
    dataset: str, classes: Iterable[str], settings: Mapping[str, Any], means: pd.DataFrame | None = None
) -> dict[str, object]:
    """The split whose groups the config lists (`groups.listed`), in the form of ``split``: of any meaning."""
    return _given({"source": "listed"}, groups_of_classes.listed(dataset, settings, classes), means)


def random_split(
    classes: Iterable[str], quantile: float | Sequence[float], boundary: str, seed: int,
    means: pd.DataFrame | None = None, names: Sequence[str] | None = None,
) -> dict[str, object]:  # fmt: skip
    """A random split, in the form of ``split``: Eq. 1 with a random order of the classes in place of their motion.

    So its groups have the sizes of those of as many different class means: a control of what motion has to do with it.
    """
    known = sorted(classes)
    order = np.random.default_rng(seed).permutation(len(known)).astype(np.float64)
    drawn = split(pd.DataFrame({"mean": order, "std": 0.0, "videos": 0}, index=known), quantile, boundary, names=names)
    criterion = {"source": "random", "seed": seed, "quantile": quantile, "boundary": boundary}
    return _given(criterion, {group: groups_of_classes.members(drawn, group) for group in group_names(drawn)}, means)


def read_splits(
    datasets: Sequence[str], paths: Sequence[str], indexes: Sequence[str] | None = None
) -> dict[str, dict[str, Any]]:
    """Dataset -> its `split.json`; with ``indexes`` (`videos.parquet`) its classes are in the order of their labels.

    That is not always the names' order: UCF101's classInd.txt has Hammering before HammerThrow.

    Raises DtkdError, with its name, for a file that is not there.
    """
    splits = {}
    for name, path in zip(datasets, paths, strict=True):
        if not Path(path).exists():
            raise DtkdError(f"{path}: there is no such file; let the workflow make it")
        splits[name] = json.loads(Path(path).read_text(encoding="utf-8"))
    for split, index in zip(splits.values(), indexes or [], strict=bool(indexes)):
        split["classes"] = {name: split["classes"][name] for name in class_names(read_parquet(index))}
    return splits


def subset_summary(split: Mapping[str, object]) -> pd.DataFrame:
    """Table 1's statistics of the class means: rows (``subset``) overall, dynamic, static, or the groups there are.

    Columns: ``subset``, ``classes`` (count), ``q1``, ``mean``, ``std``, ``iqr`` (pixels a frame; linear quantiles;
    std over classes). DtkdError if the split has no class means.
    """
    classes = split["classes"]
    if unknown := [name for name, entry in classes.items() if entry["mean"] is None]:
        raise DtkdError(f"the split gives no mean flow for class {unknown[0]}: make it with the dataset's flow tables.")
    rows = []
    for subset in ("overall", *reversed(group_names(split))):
        values = np.array([e["mean"] for e in classes.values() if subset in ("overall", e["subset"])], np.float64)
        q1, q3 = np.quantile(values, [0.25, 0.75])
        rows.append((subset, values.size, q1, values.mean(), _std(values), q3 - q1))
    return pd.DataFrame(rows, columns=["subset", "classes", "q1", "mean", "std", "iqr"])


def _given(
    criterion: dict[str, object], groups: Mapping[str, Collection[str]], means: pd.DataFrame | None
) -> dict[str, object]:
    """A split that no threshold of the flow has made."""
    measured = {"measure": None} if means is None else {"measure": _measure(means), **_summed(means)}
    return {
        "criterion": criterion | measured,
        "threshold": None,
        "groups": list(groups),
        "classes": _classes(groups, means),
    }


def _measure(means: pd.DataFrame) -> str:
    return means.attrs.get("measure", "mean")


def _summed(means: pd.DataFrame) -> dict[str, str]:
    """How the flow is summed, where that is not as usual."""
    return {key: means.attrs[key] for key, usual in USUAL.items() if means.attrs.get(key, usual) != usual}


def motion_unit(splits: Iterable[Mapping[str, Any]]) -> str:
    """What the class means of some splits are, for labels: pixels/frame, or, say, residual, maximum over time, ..."""
    units = sorted({_unit(split["criterion"]) for split in splits})
    return " or ".join(units) if units else "pixels/frame"


def _unit(criterion: Mapping[str, Any]) -> str:
    measure, over_time = criterion.get("measure") or "mean", criterion.get("over_time", "mean")
    words = {"mean": [], "max": ["maximum over time"], "q90": ["90 % quantile over time"], "share": []}[over_time]
    if measure == FEATURE_CHANGE:
        return "per step"
    unit = "share of the time" if over_time == "share" else f"{length(measure)}/{criterion.get('unit', 'frame')}"
    return ", ".join([*([measure] if measure != "mean" else []), *words, unit])


def motion_word(splits: Iterable[Mapping[str, Any]]) -> str:
    """What the class means of some splits are of: flow, or the change of features."""
    return " or ".join(sorted({FEATURE_CHANGE.replace("_", " ") if split["criterion"].get("measure") == FEATURE_CHANGE
                               else "flow" for split in splits}))  # fmt: skip


def length(measure: str) -> str:
    """What a measure counts a frame, or a second."""
    return "% of height" if measure == "person_height" else "pixels"


def _classes(groups: Mapping[str, Collection[str]], means: pd.DataFrame | None) -> dict[str, dict[str, object]]:
    """``classes`` of a split, sorted by name, as plain values that JSON can hold."""
    group_of, entries = {name: group for group, own in groups.items() for name in own}, {}
    for name in sorted(group_of):
        entry = {"mean": None, "std": None, "videos": None}
        if means is not None and name in means.index:
            row = means.loc[name]
            entry = {"mean": float(row["mean"]), "std": float(row["std"]), "videos": int(row["videos"])}
        entries[name] = entry | {"subset": group_of[name]}
    return entries


def _std(values: np.ndarray) -> float:
    return float(values.std(ddof=1)) if values.size > 1 else 0.0
