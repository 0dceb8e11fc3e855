# A look at each data set before anything trains on it: results/<dataset>/check.html, with a cheap measurement of a few
# frames a video; `python -m dtkd.check` makes the same page without the rest of the workflow.


def check_settings(wildcards) -> dict:
    if dataset_settings(wildcards.dataset).source().of_features:
        abort(f"{wildcards.dataset}: checks look at videos; files of features are looked at as the index is made")
    return STUDY.checked(wildcards.dataset)


# Beside its output, undeclared: lists_by_group.csv, where there are lists to propose, and thumbnails.parquet, so that a
# second check decodes nothing again.
rule check:
    message:
        "Check {wildcards.dataset}"
    input:
        index=f"{RESULTS}/{{dataset}}/videos.parquet",
        code=code("check"),
        templates=[f"{LIBRARY}/reports/templates/{name}" for name in ("check.html.j2", "findings.html.j2", "findings.css", "report.css")],
    output:
        page=f"{RESULTS}/{{dataset}}/check.html",
        findings=f"{RESULTS}/{{dataset}}/check.json",
        table=f"{RESULTS}/{{dataset}}/check.csv",
    params:
        settings=check_settings,
    log:
        f"{RESULTS}/logs/check/{{dataset}}.log",
    priority: 10
    threads: 8 if ON_CLUSTER else max(1, min(8, CORES // 2))
    resources:
        cpu=own_cores,
        mem_mb=scale_with_attempt(4000),
        runtime=scale_with_attempt(120),
    conda:
        "../envs/check.yaml"
    script:
        "../workflow_scripts/check.py"


# What needs the flow of every video is a job of its own: the others are done long before.
rule check_groups:
    message:
        "Check the groups of {wildcards.dataset}"
    input:
        index=f"{RESULTS}/{{dataset}}/videos.parquet",
        flow=flow_of_classes,
        code=code("check_groups"),
    output:
        f"{RESULTS}/{{dataset}}/check_groups.json",
    params:
        settings=check_settings,
    log:
        f"{RESULTS}/logs/check/{{dataset}}-groups.log",
    localrule: True
    conda:
        "../envs/check.yaml"
    script:
        "../workflow_scripts/check_groups.py"


def checks_of_report() -> list[str]:
    if STUDY.of_features:  # checks look at videos; files of features are looked at as the index is made
        return []
    files = ["check.json", *["check_groups.json"] * (STUDY.split.source == "flow")]
    return [f"{RESULTS}/{dataset}/{file}" for dataset in STUDY.use for file in files]
