# Eq. 1: class means of the flow -> static and dynamic classes; or classes that are static for another reason.
def split_settings(dataset: str, *more: str) -> dict:
    """What its split is made by, and ``more``; classes that are listed have to be there."""
    settings = checked(STUDY.split.settings, dataset, *more)
    if STUDY.split.source == "listed":
        checked(groups.listed, dataset, settings, videos_by_class(dataset))
    return settings


def flow_of_classes(wildcards) -> list[str]:
    return [f"{RESULTS}/{wildcards.dataset}/flow/{cls}.parquet" for cls in videos_by_class(wildcards.dataset)]


# Where a plug-in brings the threshold: its file.
THRESHOLD_PLUGIN = THRESHOLDS.source(STUDY.split.found_by) or []


rule split:
    message:
        "Static and dynamic classes of {wildcards.dataset}"
    input:
        index=f"{RESULTS}/{{dataset}}/videos.parquet",
        flow=lambda w: flow_of_classes(w) if STUDY.split.source == "flow" else [],
        plugin=THRESHOLD_PLUGIN,
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


# What a split by motion is worth: how often classes stay on their side where their videos are redrawn.
if STUDY.split.source == "flow":

    rule stability:
        message:
            "How stable the split of {wildcards.dataset} is"
        input:
            index=f"{RESULTS}/{{dataset}}/videos.parquet",
            flow=flow_of_classes,
            plugin=THRESHOLD_PLUGIN,
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
            index=f"{RESULTS}/{{dataset}}/videos.parquet",
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
