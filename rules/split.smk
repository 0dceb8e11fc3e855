# Eq. 1: class means of the flow -> static and dynamic classes; or classes that are static for another reason.
def split_settings(dataset: str, *more: str, name: str | None = None) -> dict:
    """What a split of it is made by, and ``more``; classes that are listed have to be there."""
    split = STUDY.split_called(name)
    settings = checked(split.settings, dataset, *more)
    if split.source == "listed":
        checked(groups.listed, dataset, settings, videos_by_class(dataset))
    return settings


def filmed(dataset: str) -> str:
    """The data set whose videos tell of motion: another one, where this one has features of them."""
    other = dataset_settings(dataset).features_of
    if other and videos_by_class(other).keys() != videos_by_class(dataset).keys():
        abort(f"config: datasets.{dataset}.features_of: {other} has other classes")
    return other or dataset


def index_of_motion(wildcards) -> str:
    return f"{RESULTS}/{filmed(wildcards.dataset)}/videos.parquet"


def flow_of_classes(wildcards) -> list[str]:
    """The flow by which classes are divided; none where the measure is of features, which the index has."""
    if STUDY.split.measure == "feature_change":
        return []
    dataset = filmed(wildcards.dataset)
    return [f"{RESULTS}/{dataset}/flow/{cls}.parquet" for cls in videos_by_class(dataset)]


def threshold_plugin(name: str | None = None) -> str | list:
    """The plug-in's file that a split's threshold is from; [] where it is none's."""
    return THRESHOLDS.source(STUDY.split_called(name).found_by) or []


rule split:
    message:
        "Static and dynamic classes of {wildcards.dataset}"
    input:
        index=index_of_motion,
        flow=lambda w: flow_of_classes(w) if STUDY.split.source == "flow" else [],
        plugin=threshold_plugin(),
    output:
        f"{RESULTS}/{{dataset}}/split.json",
    params:
        settings=lambda w: split_settings(w.dataset),
    log:
        f"{RESULTS}/logs/split/{{dataset}}.log",
    resources:
        mem_mb=scale_with_attempt(2000),
        runtime=scale_with_attempt(30),
    conda:
        "../envs/split.yaml"
    script:
        "../workflow_scripts/split.py"


if STUDY.splits:

    use rule split as further_split with:
        message:
            "Groups of {wildcards.dataset} by the split {wildcards.split}"
        input:
            index=index_of_motion,
            flow=lambda w: flow_of_classes(w) if STUDY.split_called(w.split).source == "flow" else [],
            plugin=lambda w: threshold_plugin(w.split),
        output:
            f"{RESULTS}/{{dataset}}/splits/{{split}}.json",
        params:
            settings=lambda w: split_settings(w.dataset, name=w.split),
        wildcard_constraints:
            split="|".join(STUDY.splits),
        log:
            f"{RESULTS}/logs/split/{{dataset}}-{{split}}.log",


# What a split by motion is worth: how often classes stay on their side where their videos are redrawn.
if STUDY.split.source == "flow":

    rule stability:
        message:
            "How stable the split of {wildcards.dataset} is"
        input:
            index=index_of_motion,
            flow=flow_of_classes,
            plugin=threshold_plugin(),
        output:
            f"{RESULTS}/{{dataset}}/stability.json",
        params:
            settings=lambda w: split_settings(w.dataset),
        log:
            f"{RESULTS}/logs/split/{{dataset}}-stability.log",
        localrule: True
        conda:
            "../envs/split.yaml"
        script:
            "../workflow_scripts/stability.py"


# Another split says nothing about motion: Table 1, Figures 1 and 2 take it from here, and no teacher waits for it.
else:

    rule motion:
        message:
            "Mean flow of the static and dynamic classes of {wildcards.dataset}"
        input:
            index=index_of_motion,
            flow=flow_of_classes,
        output:
            f"{RESULTS}/{{dataset}}/motion.json",
        params:
            settings=lambda w: split_settings(w.dataset, "measure", "over"),
        log:
            f"{RESULTS}/logs/split/{{dataset}}-motion.log",
        resources:
            mem_mb=scale_with_attempt(2000),
            runtime=scale_with_attempt(30),
        conda:
            "../envs/split.yaml"
        script:
            "../workflow_scripts/split.py"
