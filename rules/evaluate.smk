# The logits of every test video by another protocol than training's own test (one centre crop of one centre clip), whose
# logits each run leaves beside its checkpoint. Tables and figures read only logits.
def evaluation(wildcards) -> dict:
    """The study's protocol, which the file's name has to spell."""
    if STUDY.evaluation.file != f"predictions-{wildcards.protocol}.parquet":
        abort(f"predictions-{wildcards.protocol}.parquet: the study's evaluation makes {STUDY.evaluation.file}")
    return STUDY.evaluation.model_dump()


rule evaluate:
    message:
        "Evaluate {wildcards.dataset}, list {wildcards.list}: {wildcards.role} {wildcards.run}, {wildcards.protocol}"
    input:
        index=f"{RESULTS}/{{dataset}}/videos.parquet",
        pixels=f"{RUN}/pixels.json",
        checkpoint=f"{RUN}/{{role}}/{{run}}/checkpoint.pt",
        plugin=lambda w: plugin(run_of(w, w.role)),
        split=lambda w: split_of(run_of(w, w.role)) if w.role == "teacher" else [],
    output:
        f"{RUN}/{{role}}/{{run}}/predictions-{{protocol}}.parquet",
    wildcard_constraints:
        protocol="[^/]+",
    params:
        settings=lambda w: STUDY.settings(run_of(w, w.role)),
        evaluation=evaluation,
        root=lambda w: dataset_settings(w.dataset).videos,
        device=device,
    log:
        f"{RESULTS}/logs/evaluate/{{dataset}}-list{{list}}-{{role}}-{{run}}-{{protocol}}.log",
    threads: training_threads(on_cpu=1)
    resources:
        gpu=gpus,
        cpu=training_cores,
        mem_mb=training_memory,
        runtime=scale_with_attempt(1440),
    conda:
        "../envs/train.yaml"
    script:
        "../workflow_scripts/evaluate.py"


rule benchmark:
    message:
        "Benchmark {wildcards.dataset}, list {wildcards.list}: {wildcards.role} {wildcards.run}"
    input:
        checkpoint=f"{RUN}/{{role}}/{{run}}/checkpoint.pt",
        plugin=lambda w: plugin(run_of(w, w.role)),
    output:
        f"{RUN}/{{role}}/{{run}}/benchmark.json",
    params:
        device=device,
    log:
        f"{RESULTS}/logs/benchmark/{{dataset}}-list{{list}}-{{role}}-{{run}}.log",
    threads: training_threads(on_cpu=1)
    resources:
        gpu=gpus,
        cpu=training_cores,
        mem_mb=training_memory,
        runtime=scale_with_attempt(60),
    conda:
        "../envs/train.yaml"
    script:
        "../workflow_scripts/benchmark.py"
