# Pretrained weights -> baselines and teachers -> students. Every run is one folder with its checkpoint and history.
RUN = f"{RESULTS}/{{dataset}}/list{{list}}"


def start_weights(run: Run) -> str | list:
    """The file that a run's backbone starts from; [] where there is none (a script gets one file as it is)."""
    choice = STUDY.model.weights
    if run.role == "pretrain" or choice == "none":
        return []
    if choice == "pretrain":
        return f"{RESULTS}/{STUDY.pretrain_run(run.backbone).folder}/checkpoint.pt"
    if choice == "kinetics400":
        return f"{RESULTS}/weights/{run.backbone}.pyth"
    return choice


def training_inputs(role: str) -> dict:
    """The inputs that every role has: the index, the pixel statistics, the weights to start from."""
    return dict(
        index=f"{RESULTS}/{{dataset}}/videos.parquet",
        pixels=f"{RUN}/pixels.json",
        start=lambda w: start_weights(run_of(w, role)),
    )


def training_params(role: str) -> dict:
    return dict(
        settings=lambda w: STUDY.settings(run_of(w, role)),
        root=lambda w: dataset_settings(w.dataset).videos,
        device=device,
    )


rule download_weights:
    message:
        "Download the Kinetics-400 weights of {wildcards.backbone}"
    output:
        f"{RESULTS}/weights/{{backbone}}.pyth",
    params:
        sha256=STUDY.model.weights_sha256,
    log:
        f"{RESULTS}/logs/weights/{{backbone}}.log",
    localrule: True
    conda:
        "../envs/train.yaml"
    script:
        "../workflow_scripts/download_weights.py"


rule pretrain:
    message:
        "Pretrain {wildcards.run} on {wildcards.dataset}, list {wildcards.list}"
    input:
        **training_inputs("pretrain"),
    output:
        checkpoint=f"{RUN}/pretrain/{{run}}/checkpoint.pt",
        history=f"{RUN}/pretrain/{{run}}/history.parquet",
        record=f"{RUN}/pretrain/{{run}}/run.json",
    params:
        **training_params("pretrain"),
    log:
        f"{RESULTS}/logs/pretrain/{{dataset}}-list{{list}}-{{run}}.log",
    priority: 10
    threads: training_threads(on_cpu=1)
    resources:
        gpu=gpus,
    conda:
        "../envs/train.yaml"
    script:
        "../workflow_scripts/train.py"


rule train_baseline:
    message:
        "Train baseline {wildcards.run} on {wildcards.dataset}, list {wildcards.list}"
    input:
        **training_inputs("baseline"),
    output:
        checkpoint=f"{RUN}/baseline/{{run}}/checkpoint.pt",
        history=f"{RUN}/baseline/{{run}}/history.parquet",
        record=f"{RUN}/baseline/{{run}}/run.json",
    params:
        **training_params("baseline"),
    log:
        f"{RESULTS}/logs/baseline/{{dataset}}-list{{list}}-{{run}}.log",
    threads: training_threads(on_cpu=1)
    resources:
        gpu=gpus,
    conda:
        "../envs/train.yaml"
    script:
        "../workflow_scripts/train.py"


rule train_teacher:
    message:
        "Train teacher {wildcards.run} on {wildcards.dataset}, list {wildcards.list}"
    input:
        **training_inputs("teacher"),
        split=f"{RESULTS}/{{dataset}}/split.json",
    output:
        checkpoint=f"{RUN}/teacher/{{run}}/checkpoint.pt",
        history=f"{RUN}/teacher/{{run}}/history.parquet",
        record=f"{RUN}/teacher/{{run}}/run.json",
    params:
        **training_params("teacher"),
    log:
        f"{RESULTS}/logs/teacher/{{dataset}}-list{{list}}-{{run}}.log",
    priority: 5
    threads: training_threads(on_cpu=1)
    resources:
        gpu=gpus,
    conda:
        "../envs/train.yaml"
    script:
        "../workflow_scripts/train.py"


rule train_student:
    message:
        "Train student {wildcards.run} on {wildcards.dataset}, list {wildcards.list}"
    input:
        **training_inputs("student"),
        split=f"{RESULTS}/{{dataset}}/split.json",
        static=lambda w: f"{RESULTS}/{STUDY.teacher_runs(run_of(w, 'student'))['static'].folder}/checkpoint.pt",
        dynamic=lambda w: f"{RESULTS}/{STUDY.teacher_runs(run_of(w, 'student'))['dynamic'].folder}/checkpoint.pt",
    output:
        checkpoint=f"{RUN}/student/{{run}}/checkpoint.pt",
        history=f"{RUN}/student/{{run}}/history.parquet",
        record=f"{RUN}/student/{{run}}/run.json",
    params:
        **training_params("student"),
    log:
        f"{RESULTS}/logs/student/{{dataset}}-list{{list}}-{{run}}.log",
    threads: training_threads(on_cpu=1)
    resources:
        gpu=gpus,
    conda:
        "../envs/train.yaml"
    script:
        "../workflow_scripts/train.py"
