# Eq. 1: class means of the flow -> static and dynamic classes; or the paper's own static classes.
from dtkd.study import Split


def split_settings(*read: str) -> dict:
    """The settings that a job reads; a change of the others, which stand at their defaults, makes nothing run again."""
    return Split(**STUDY.split.model_dump(include={"source", *read})).model_dump()


def flow_of_classes(wildcards) -> list[str]:
    return [f"{RESULTS}/{wildcards.dataset}/flow/{cls}.parquet" for cls in videos_by_class(wildcards.dataset)]


rule split:
    message:
        "Static and dynamic classes of {wildcards.dataset}"
    input:
        index=f"{RESULTS}/{{dataset}}/videos.parquet",
        flow=lambda w: flow_of_classes(w) if STUDY.split.source == "flow" else [],
    output:
        f"{RESULTS}/{{dataset}}/split.json",
    params:
        settings=split_settings(*(Split.model_fields if STUDY.split.source == "flow" else ())),
    log:
        f"{RESULTS}/logs/split/{{dataset}}.log",
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    conda:
        "../envs/split.yaml"
    script:
        "../workflow_scripts/split.py"


# The published split says nothing about motion: Table 1, Figures 1 and 2 take it from here, and no teacher waits for it.
if STUDY.split.source == "published":

    rule motion:
        message:
            "Mean flow of the published static and dynamic classes of {wildcards.dataset}"
        input:
            index=f"{RESULTS}/{{dataset}}/videos.parquet",
            flow=flow_of_classes,
        output:
            f"{RESULTS}/{{dataset}}/motion.json",
        params:
            settings=split_settings("measure", "over"),
        log:
            f"{RESULTS}/logs/split/{{dataset}}-motion.log",
        resources:
            mem_mb=growing(2000),
            runtime=growing(30),
        conda:
            "../envs/split.yaml"
        script:
            "../workflow_scripts/split.py"
