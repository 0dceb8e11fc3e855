# A trained run -> the logits of every test video, once; tables and figures read only these.
rule evaluate:
    message:
        "Evaluate {wildcards.dataset}, list {wildcards.list}: {wildcards.role} {wildcards.run}"
    input:
        index=f"{RESULTS}/{{dataset}}/videos.parquet",
        pixels=f"{RUN}/pixels.json",
        checkpoint=f"{RUN}/{{role}}/{{run}}/checkpoint.pt",
        split=lambda w: f"{RESULTS}/{w.dataset}/split.json" if w.role == "teacher" else [],
    output:
        f"{RUN}/{{role}}/{{run}}/predictions.parquet",
    params:
        settings=lambda w: STUDY.settings(run_of(w, w.role)),
        evaluation=STUDY.evaluation.model_dump(),
        root=lambda w: dataset_settings(w.dataset).videos,
        device=device,
    log:
        f"{RESULTS}/logs/evaluate/{{dataset}}-list{{list}}-{{role}}-{{run}}.log",
    threads: training_threads(on_cpu=1)
    resources:
        gpu=gpus,
    conda:
        "../envs/train.yaml"
    script:
        "../workflow_scripts/evaluate.py"
