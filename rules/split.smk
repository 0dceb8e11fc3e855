# Eq. 1: class means of the flow -> static and dynamic classes; or the paper's own static classes.
rule split:
    message:
        "Static and dynamic classes of {wildcards.dataset}"
    input:
        index=f"{RESULTS}/{{dataset}}/videos.parquet",
        flow=lambda w: (
            [f"{RESULTS}/{w.dataset}/flow/{cls}.parquet" for cls in videos_by_class(w.dataset)]
            if STUDY.split.source == "flow"
            else []
        ),
    output:
        f"{RESULTS}/{{dataset}}/split.json",
    params:
        settings=STUDY.split.model_dump(),
    log:
        f"{RESULTS}/logs/split/{{dataset}}.log",
    conda:
        "../envs/split.yaml"
    script:
        "../workflow_scripts/split.py"
