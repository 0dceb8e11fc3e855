"""What has to hold between the sections of a config: each check raises ValueError for the first thing that does not."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from pydantic import ValidationError

from dtkd.common.errors import DtkdError
from dtkd.common.registry import hint
from dtkd.config.explain import explain
from dtkd.config.model import PUBLISHED, WEIGHTS, OwnNetwork
from dtkd.config.rows import OfBaselines, OfBoth, OfGeneralist, OfSpecialists, Student
from dtkd.config.searches import Searched
from dtkd.config.training import Train
from dtkd.models.entries import NETWORKS

NAME_PARTS = {"LT", "FT", "full", "masked", "specialists", "both"}  # of a run's folder

if TYPE_CHECKING:
    from dtkd.config.sections import Sections
    from dtkd.config.split import Split


def names_are_given_once(config: Sections) -> None:
    for key, named, what in (("use", config.use, "data set"), ("seeds", config.seeds, "seed")):
        if len(set(named)) < len(named):
            raise ValueError(f"{key}: {named} names a {what} twice")
    for dataset in config.use:
        baselines, rows = config.baselines_of(dataset), config.students.get(dataset, {})
        if twice := baselines.keys() & config.students_of(dataset).keys() & rows.keys():
            raise ValueError(f"students.{dataset}.{min(twice)}: a baseline has that name too; give one of them another")
        taken = {*baselines, *(name for name, row in rows.items() if row)} - config.grids_of(dataset).keys()
        for name, grid in config.grids_of(dataset).items():
            if twice := grid.named(name).keys() & taken:
                raise ValueError(
                    f"students.{dataset}.{name}.grid: one of its students is called {min(twice)}, as another row is; "
                    "give one of them another name"
                )
            taken |= grid.named(name).keys()


def _at(config: Sections, dataset: str, student: str, key: str = "") -> str:
    """Where the config has a learner, or a key of it: one of a grid, or of a search, stands in its row."""
    student, _, candidate = student.partition("/")
    row = config.students_of(dataset)[student]
    if candidate and isinstance(row, Searched) and (key in row.search.grid or not key):
        return ".".join(filter(None, [_at(config, dataset, student, "search"), "grid", key]))
    for name, grid in config.grids_of(dataset).items():
        if student.startswith(f"{name}-") and student.removeprefix(f"{name}-") in grid.students:
            found = ["students", dataset, name, "grid" if key in grid.grid or not key else "", key]
            return ".".join(filter(None, found))
    return ".".join(filter(None, ["students", dataset, student, key]))


def datasets_are_known(config: Sections) -> None:
    for dataset in config.use:
        if dataset not in config.datasets:
            raise ValueError(f"use: {dataset!r} is not one of datasets{hint(dataset, config.datasets)}")
    named: dict[str, Iterable[str]] = {
        "baselines": config.baselines,
        "students": config.students,
        "split.static": config.split.static,
        "split.groups": config.split.groups,
        **{f"splits.{name}.static": split.static for name, split in config.splits.items()},
        **{f"splits.{name}.groups": split.groups for name, split in config.splits.items()},
        "teachers.checkpoints": config.teachers.checkpoints,
        "analysis.chosen": config.analysis.chosen,
    }
    for section, entries in named.items():
        for dataset in entries:
            if dataset not in config.datasets:
                raise ValueError(f"{section}.{dataset}: not one of datasets{hint(dataset, config.datasets)}")


def rows_have_their_list(config: Sections) -> None:
    for dataset in config.use:
        lists = config.datasets[dataset].lists
        numbers = [(f"baselines.{dataset}.{name}.list", row.list) for name, row in config.baselines_of(dataset).items()]
        numbers += [(_at(config, dataset, name, "list"), row.list) for name, row in config.students_of(dataset).items()]
        for at, number in numbers:
            if number > lists:
                raise ValueError(f"{at}: {number}, but {dataset} has {lists} lists")


def baselines_can_train(config: Sections) -> None:
    for dataset in config.use:
        for name, row in config.baselines_of(dataset).items():
            where = f"baselines.{dataset}.{name}.train"
            try:
                own = config.with_recipe(row)
            except ValidationError as error:
                raise ValueError("; ".join(explain(error, Train, where))) from None
            same_videos_are_held_out(config.train, own, where)
            for key in config.train.computing().keys() & row.train.keys():
                raise ValueError(f"{where}.{key}: is the same for all baselines; set train.{key}")


def students_have_a_reference(config: Sections) -> None:
    for dataset in config.use:
        if not config.baselines_of(dataset):
            raise ValueError(f"baselines.{dataset}: the study needs at least one baseline to compare with")
        for name, row in config.students_of(dataset).items():
            network = config.own_network(row)
            if config.reference(dataset, row.list, network) is None:
                own = network.model_dump(mode="json", exclude_none=True)
                remedy = f"; add a row {{list: {row.list}, {', '.join(map(_said, own.items()))}}}" if own else ""
                raise ValueError(
                    f"baselines.{dataset}: no unfrozen baseline of list {row.list} with the backbone and clip of "
                    f"{name}{remedy}"
                )


def students_have_their_teachers(config: Sections) -> None:
    for dataset in config.use:
        for name, row in config.learners_of(dataset).items():
            if isinstance(row, OfGeneralist) and row.teacher is not None:
                _can_teach(config, dataset, _at(config, dataset, name, "teacher"), row, row.teacher)
            elif isinstance(row, OfGeneralist) and config.reference(dataset, row.list) is None:
                raise ValueError(
                    f"{_at(config, dataset, name, 'teacher')}: list {row.list} has no unfrozen baseline of the study's "
                    "network; name the baseline that teaches"
                )
            if isinstance(row, OfBaselines):
                where = _at(config, dataset, name, "teachers")
                for number, taught_by in enumerate(row.named):
                    _can_teach(config, dataset, where, row, taught_by)
                    if taught_by in row.named[:number]:
                        raise ValueError(f"{where}: {taught_by} is named twice")
            if isinstance(row, OfBoth) and "generalist" in config.split_called(row.split).group_names(dataset):
                raise ValueError(
                    f"{_at(config, dataset, name)}: a group of classes is called generalist, as its other teacher; "
                    "rename it"
                )


def methods_suit_their_teachers(config: Sections) -> None:
    for dataset in config.use:
        for name, row in config.learners_of(dataset).items():
            split = config.split_called(row.split) if isinstance(row, OfSpecialists) else None
            names = list(split.group_names(dataset)) if split else []
            names += row.named if isinstance(row, OfBaselines) else []
            names += ["generalist"] if isinstance(row, OfGeneralist) else []
            try:
                row.distillation.check_teachers(names)
            except DtkdError as error:
                raise ValueError(f"{_at(config, dataset, name)}: {error}") from None


def batches_stay_whole_where_a_loss_compares_samples(config: Sections) -> None:
    train = config.train
    parts = {"micro_batch": (train.micro_batch, None), "devices": (train.devices, 1), "nodes": (train.nodes, 1)}
    for dataset in config.use:
        for name, row in config.learners_of(dataset).items():
            if row.distillation.whole_batch and train.batch_size == 1:
                raise ValueError(
                    f"{_at(config, dataset, name, 'method')}: {row.method} compares the samples of a batch with each "
                    "other, and of train.batch_size: 1 there is none to compare with; set train.batch_size: 2 or more"
                )
            for key, (value, whole) in parts.items():
                if row.distillation.whole_batch and value != whole:
                    raise ValueError(
                        f"{_at(config, dataset, name, 'method')}: {row.method} compares the samples of a batch with "
                        f"each other, and train.{key}: {value} takes it apart; set train.{key}: {whole or 'null'}"
                    )


def features_are_read_of_what_is_not_compiled(config: Sections) -> None:
    for dataset in config.use:
        for name, row in config.learners_of(dataset).items():
            if row.distillation.needs_features and config.train.compile:
                raise ValueError(
                    f"{_at(config, dataset, name, 'method')}: {row.method} reads features inside of networks, which "
                    "train.compile hides; set train.compile: false"
                )


def students_see_what_their_targets_are_of(config: Sections) -> None:
    """Targets are of whole clips, and of continued teachers only of clips that are drawn."""
    mixes = [key for key in ("mixup", "cutmix") if getattr(config.train, key)]
    for dataset in config.use:
        for name, row in config.learners_of(dataset).items():
            if mixes:
                raise ValueError(
                    f"train.{mixes[0]}: mixes clips, and what teachers say to students.{dataset}.{name} is of whole "
                    f"clips; set it in teachers.train, pretrain.train or a baseline's train"
                )
            if config.train.class_balance == "sampling" and isinstance(row, OfSpecialists) and not row.FT:
                raise ValueError(
                    f"students.{dataset}.{name}.FT: teachers that go on learning would not see every clip by "
                    "train.class_balance: sampling; use weights, or FT: true"
                )


def _can_teach(config: Sections, dataset: str, where: str, row: Student, taught_by: str) -> None:
    """Whether a student can ask a baseline about the clips that it sees."""
    known = config.baselines_of(dataset)
    if taught_by not in known:
        raise ValueError(f"{where}: no baseline is called {taught_by!r}{hint(taught_by, known)}")
    teacher = known[taught_by]
    if teacher.list != row.list:
        raise ValueError(
            f"{where}: {taught_by} is of list {teacher.list}, and may have trained on test videos of list "
            f"{row.list}; name a baseline of that list"
        )
    _goes_by_the_studys_time(config, where, f"{taught_by} has", config.own_network(teacher))


def networks_see_the_studys_windows(config: Sections) -> None:
    """Students and their teachers see parts of what the study's clip draws, which counts frames or seconds."""
    if config.clip.crop is not None:
        raise ValueError("clip.crop: is for clips of rows; the study's is augment.crop")
    known = {
        group
        for dataset in config.use
        for split in config.splits_of(dataset)
        for group in config.split_called(split).group_names(dataset)
    }
    for group in config.teachers.groups:
        if group not in known:
            raise ValueError(
                f"teachers.groups.{group}: not one of the groups {', '.join(sorted(known))}{hint(group, known)}"
            )
    for where, network in config.networks().items():
        if not where.startswith("baselines."):
            _goes_by_the_studys_time(config, f"{where}.clip", "it has", network)


def _goes_by_the_studys_time(config: Sections, where: str, who: str, network: OwnNetwork) -> None:
    if network.clip and network.clip.span[0] != config.clip.span[0]:
        given, wanted = ("fps", "rate") if network.clip.fps else ("rate", "fps")
        raise ValueError(
            f"{where}: {who} clip.{given}, and the study's clip goes by {wanted}, in which students and teachers see "
            f"the same part of a video; set clip.{wanted}"
        )


def published_pixels_are_known(config: Sections) -> None:
    for where, network in config.networks().items():
        backbone = network.backbone or config.model.backbone
        if network.pixels == "published" and NETWORKS[backbone].input.mean is None:
            raise ValueError(f"{where}.pixels: {backbone} was not published with a mean; use study")


def _said(item: tuple[str, object]) -> str:
    """A key and its value as a row has them."""
    key, value = item
    if isinstance(value, dict):
        value = "{" + ", ".join(map(_said, value.items())) + "}"
    return f"{key}: {value}"


def searches_can_compare(config: Sections) -> None:
    """Candidates are told apart by videos that no table reports on, before their trainings end."""
    for dataset in config.use:
        for name, row in config.students_of(dataset).items():
            if not isinstance(row, Searched):
                continue
            if config.train.selection != "validation":
                raise ValueError(
                    f"{_at(config, dataset, name, 'search')}: compares candidates on training videos that are held "
                    f"out, and train.selection: {config.train.selection} holds none out; set it to validation"
                )
            if (last := row.search.rungs[-1]) >= config.train.epochs:
                raise ValueError(
                    f"{_at(config, dataset, name, 'search.rungs')}: {last}, but trainings end after train.epochs: "
                    f"{config.train.epochs}; give rungs before that"
                )


def chosen_students_have_specialists(config: Sections) -> None:
    for dataset, name in config.analysis.chosen.items():
        if dataset not in config.use:
            continue
        known = config.students_of(dataset)
        if name not in known:
            raise ValueError(f"analysis.chosen.{dataset}: no student is called {name!r}{hint(name, known)}")
        if type(known[name]) is Searched:
            raise ValueError(f"analysis.chosen.{dataset}: who teaches {name} is searched for; name another student")
        if name not in config.of_specialists(dataset):
            raise ValueError(
                f"analysis.chosen.{dataset}: {name} has one teacher, and several are compared; name another"
            )


def crops_differ(config: Sections) -> None:
    try:
        config.augment.check_crops(config.evaluation.crops_per_clip)
    except DtkdError as error:
        raise ValueError(f"evaluation.crops_per_clip: {error}") from None


def flow_has_its_device(config: Sections) -> None:
    if config.flow.entry.gpu == "must" and config.device == "cpu":
        raise ValueError(
            f"flow.algorithm: {config.flow.algorithm} computes on a GPU, and device is cpu; choose farneback"
        )


def split_has_what_its_source_reads(config: Sections) -> None:
    use = set(config.use)
    _split_has_what_its_source_reads("split", config.split, use)
    for name, split in config.splits.items():
        _split_has_what_its_source_reads(f"splits.{name}", split, {d for d in use if name in config.splits_of(d)})


def _split_has_what_its_source_reads(where: str, split: Split, use: set[str]) -> None:
    if split.source == "published" and use - {"ucf101", "hmdb51"}:
        raise ValueError(
            f"{where}.source: published lists exist for datasets named ucf101 and hmdb51; use flow or listed"
        )
    for key in ("static", "groups"):
        if getattr(split, key) and split.source != "listed":
            raise ValueError(
                f"{where}.{key}: source {split.source} reads none; set {where}.source: listed, or leave it out"
            )
    if twice := split.static.keys() & split.groups.keys():
        raise ValueError(f"{where}.groups.{min(twice)}: {where}.static has it as well; leave one of the two out")
    for key in ("value", "threshold"):
        if getattr(split, key) is not None and split.source != "flow":
            raise ValueError(f"{where}.{key}: source {split.source} has no threshold of flow; leave it out")
    if split.source == "listed" and (missing := use - split.static.keys() - split.groups.keys()):
        raise ValueError(
            f"{where}.static.{min(missing)}: this, or {where}.groups, is required by {where}.source: listed (of each "
            "data set in use)"
        )


def splits_fit_together(config: Sections) -> None:
    """Rows name splits that there are, and all splits read the same summaries of flow."""
    for dataset in config.use:
        for name, row in config.learners_of(dataset).items():
            if isinstance(row, OfSpecialists) and row.split is not None and row.split not in config.splits:
                known = hint(row.split, config.splits) if config.splits else "; there are none"
                raise ValueError(f"{_at(config, dataset, name, 'split')}: {row.split!r} is not one of splits{known}")
    measured = {"split": config.split} | {f"splits.{name}": split for name, split in config.splits.items()}
    times = {where: split.over_time for where, split in measured.items() if split.source == "flow"}
    for where, over_time in times.items():
        if over_time != (first := next(iter(times.values()))):
            raise ValueError(
                f"{where}.over_time: {over_time}, but {next(iter(times))} has {first}: the flow of a study is summed "
                "in one way; set both alike, or make another study"
            )
    for name in config.splits:
        if name in NAME_PARTS:
            raise ValueError(f"splits.{name}: names of runs have this word for something else; choose another")


def clips_suit_their_backbones(config: Sections) -> None:
    """The study's clip, which pretrainings see, too, and those of rows and teachers."""
    study, own = config.model.backbone, config.clip.frames
    if problem := _unsuited(study, own):
        raise ValueError(f"clip.frames: {own}, but {study} takes {problem[0]}; set {problem[1]}")
    for row, network in config.networks().items():
        where, backbone = f"{row}.clip.frames", network.backbone or study
        if network.clip and (problem := _unsuited(backbone, network.clip.frames)):
            raise ValueError(f"{where}: {network.clip.frames}, but {backbone} takes {problem[0]}; set {problem[1]}")
        if not network.clip and (problem := _unsuited(backbone, own)):
            raise ValueError(
                f"{where}: {backbone} takes {problem[0]}, and clip.frames is {own}; give the row a clip of its "
                f"own, with {problem[1]}"
            )
        starts = network.weights or config.model.weights
        if starts == "pretrain" and (problem := _unsuited(backbone, own)):
            raise ValueError(
                f"clip.frames: {own}, but {backbone} takes {problem[0]}, and its pretraining has the study's clip; "
                f"set {problem[1]}"
            )


def crops_suit_their_backbones(config: Sections) -> None:
    """Of networks that take one size alone, such as image transformers."""
    for where, network in config.networks().items():
        backbone = network.backbone or config.model.backbone
        takes, crop = NETWORKS[backbone].input, (network.clip or config.clip).side(config.augment.crop)
        if takes.one_crop and takes.crop != crop:
            key = f"{where}.clip.crop" if network.clip or network.backbone else "augment.crop"
            raise ValueError(f"{key}: {crop}, but {backbone} takes {takes.crop} alone; set that")


def _unsuited(backbone: str, frames: int) -> tuple[str, str] | None:
    """Which numbers of frames a network takes, and the nearest, unless it takes this one."""
    takes = NETWORKS[backbone].input
    return None if takes.takes(frames) else (str(takes), " or ".join(map(str, takes.nearest(frames))))


def features_have_their_own_networks(config: Sections) -> None:
    """Networks take what the data sets are of, frames or features; what is done to frames is not asked of features."""
    of_features = {name: config.datasets[name].source().of_features for name in config.use}
    if len(set(of_features.values())) > 1:
        raise ValueError(f"use: {config.use}: a study is of videos or of features; make two studies")
    for name, dataset in config.datasets.items():
        _features_of_a_data_set(config, name, dataset.features_of)
    named = {"model.backbone": config.model.backbone} | {
        f"{where}.backbone": network.backbone for where, network in config.networks().items() if network.backbone
    }
    for where, backbone in named.items():
        if NETWORKS[backbone].input.features != config.of_features:
            own = [name for name in NETWORKS.names() if NETWORKS[name].input.features == config.of_features]
            given, takes = ("features", "videos") if config.of_features else ("videos", "features")
            raise ValueError(
                f"{where}: {backbone} takes {takes}, and {config.use[0]} is of {given}; choose {', '.join(own)}"
            )
    _measures_what_is_there(config, "split", config.split)
    for name, split in config.splits.items():
        _measures_what_is_there(config, f"splits.{name}", split)
    if config.model.weights == "pretrain" and config.pretrain:
        name = config.pretrain.dataset
        if config.datasets[name].source().of_features != config.of_features:
            raise ValueError(
                f"pretrain.dataset: of {name} and {config.use[0]} one is of features, the other of videos; choose "
                "another, or set model.weights: none"
            )
    if config.of_features:
        _nothing_is_done_to_frames(config)


def _features_of_a_data_set(config: Sections, name: str, filmed: str | None) -> None:
    if filmed is None:
        return
    where = f"datasets.{name}.features_of"
    if filmed not in config.datasets:
        raise ValueError(f"{where}: {filmed!r} is not one of datasets{hint(filmed, config.datasets)}")
    if not config.datasets[name].source().of_features or config.datasets[filmed].source().of_features:
        raise ValueError(f"{where}: is for a data set of format features, and names one of videos")


def _measures_what_is_there(config: Sections, where: str, split: Split) -> None:
    by_change = split.measure == "feature_change"
    for name in config.use:
        if by_change and not config.of_features:
            raise ValueError(f"{where}.measure: feature_change is of features, and {name} is of videos; choose another")
        if config.of_features and by_change == bool(config.datasets[name].features_of):
            remedy = (f"choose a measure of flow, or leave datasets.{name}.features_of out" if by_change else
                      f"set {where}.measure: feature_change, or datasets.{name}.features_of")  # fmt: skip
            raise ValueError(f"{where}.measure: {split.measure} is not what {name} has the motion of; {remedy}")


def _nothing_is_done_to_frames(config: Sections) -> None:
    networks = config.networks()
    rows = [(f"{where}.clip", network.clip) for where, network in networks.items() if network.clip]
    for where, clip in [("clip", config.clip), *rows]:
        if clip.fps is not None:
            raise ValueError(f"{where}.fps: features have no times; set rate, in steps (and fps: null)")
        if clip.crop is not None:
            raise ValueError(f"{where}.crop: features have no squares; leave it out")
    for where, network in networks.items():
        if network.pixels:
            raise ValueError(f"{where}.pixels: features have none; leave it out")
    if config.evaluation.crops_per_clip != 1:
        raise ValueError("evaluation.crops_per_clip: features have no crops; set 1")
    recipes = {"train": config.train, "teachers.train": config.train_settings("teacher")} | {
        f"baselines.{name}.{key}.train": config.with_recipe(row)
        for name in config.use for key, row in config.baselines_of(name).items()
    }  # fmt: skip
    for where, train in recipes.items():
        for key in ("mixup", "cutmix", "rand_augment"):
            if getattr(train, key):
                raise ValueError(f"{where}.{key}: changes the frames of clips, and features have none; leave it out")


def weights_are_of_every_backbone(config: Sections) -> None:
    study = config.model.weights
    networks = {where: (each.backbone or config.model.backbone, each.weights)
                for where, each in config.networks().items()}  # fmt: skip
    for where, (backbone, own) in networks.items():
        start = own or study
        if start in PUBLISHED and not NETWORKS[backbone].published(start):
            others = [word for word in PUBLISHED if NETWORKS[backbone].published(word)]
            raise ValueError(
                f"{where if own else 'model'}.weights: there are no {start} weights of {backbone}; use "
                f"{' or '.join([*others, 'pretrain', *['none'] * bool(own)])}"
            )
    inherited = {backbone for backbone, weights in networks.values() if weights is None}
    others = sorted(each for each in inherited if _image_of(each) != _image_of(config.model.backbone))
    if study not in WEIGHTS and others:
        raise ValueError(
            f"model.weights: {study} is of one backbone, and some baselines have {', '.join(others)}: "
            "take these rows away (`U5: null`), or give them weights of their own"
        )
    files: dict[str, str] = {} if study in WEIGHTS else {study: config.model.backbone}
    for where, (backbone, weights) in networks.items():
        if weights and weights not in WEIGHTS and _image_of(files.setdefault(weights, backbone)) != _image_of(backbone):
            raise ValueError(
                f"{where}.weights: {weights} is of {files[weights]}, and here for {backbone}; name its own"
            )


def _image_of(backbone: str) -> str:
    """What a file of weights is of: `tsn-` and `tsm-` of one image network have the same parameters."""
    return str(NETWORKS[backbone].options.get("network", backbone))


def pretraining_is_described(config: Sections) -> None:
    rows = {where: each.weights for where, each in config.networks().items() if each.weights == "pretrain"}
    if config.model.weights != "pretrain" and not rows:
        return
    if config.pretrain is None:
        where = "model" if config.model.weights == "pretrain" else min(rows)
        raise ValueError(f"pretrain: required by {where}.weights: pretrain")
    if config.pretrain.dataset not in config.datasets:
        raise ValueError(f"pretrain.dataset: {config.pretrain.dataset!r} is not one of datasets")
    _train_settings(config, "pretrain", "pretrain.train")


def finished_teachers_fit(config: Sections) -> None:
    """A checkpoint is of a group that there is; of several lists each has its own, as it has seen one's test videos."""
    for dataset in config.use:
        files = config.teachers.checkpoints.get(dataset, {})
        known = config.split.group_names(dataset)
        learners = config.learners_of(dataset).values()
        rows = [row for row in learners if isinstance(row, OfSpecialists) and row.split is None]
        for group, file in files.items():
            where = f"teachers.checkpoints.{dataset}.{group}"
            if group not in known:
                raise ValueError(f"{where}: not one of the groups {', '.join(known)}{hint(group, known)}")
            if len({(row.LT, row.teacher_outputs or config.teachers.outputs) for row in rows}) > 1:
                raise ValueError(
                    f"{where}: students differ in LT or teacher_outputs, and one file is one teacher; have rows agree, "
                    "or the others' teachers trained in a study of their own"
                )
            if len({row.list for row in rows}) > 1 and "{list}" not in file:
                raise ValueError(
                    f"{where}: students are of several lists, and a teacher of one may have trained on test videos of "
                    "another; give each list its file, with {list} in the path"
                )


def teachers_can_train(config: Sections) -> None:
    _train_settings(config, "teacher", "teachers.train")
    same_videos_are_held_out(config.train, config.train_settings("teacher"), "teachers.train")


def same_videos_are_held_out(study: Train, own: Train, where: str) -> None:
    """What one training has learned from would be no validation of another that it teaches or is compared with."""
    for key in ("selection", "validation_fraction"):
        mine, other = getattr(study, key), getattr(own, key)
        if mine != other and "validation" in (study.selection, own.selection):
            raise ValueError(
                f"{where}.{key}: {other}, but train.{key} is {mine}: all trainings of a study hold out the same "
                f"videos; set train.{key} alone"
            )


def _train_settings(config: Sections, role: str, where: str) -> None:
    try:
        config.train_settings(role)
    except ValidationError as error:
        raise ValueError("; ".join(explain(error, Train, where))) from None


# In this order: later ones take for granted what earlier ones make sure of.
CHECKS: tuple[Callable[[Sections], None], ...] = (
    names_are_given_once,
    datasets_are_known,
    rows_have_their_list,
    baselines_can_train,
    splits_fit_together,
    networks_see_the_studys_windows,
    published_pixels_are_known,
    students_have_a_reference,
    students_have_their_teachers,
    methods_suit_their_teachers,
    batches_stay_whole_where_a_loss_compares_samples,
    features_are_read_of_what_is_not_compiled,
    students_see_what_their_targets_are_of,
    searches_can_compare,
    chosen_students_have_specialists,
    crops_differ,
    flow_has_its_device,
    split_has_what_its_source_reads,
    clips_suit_their_backbones,
    crops_suit_their_backbones,
    weights_are_of_every_backbone,
    pretraining_is_described,
    teachers_can_train,
    features_have_their_own_networks,
    finished_teachers_fit,
)
