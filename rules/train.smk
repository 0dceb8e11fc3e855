# Pretrained weights -> baselines and teachers -> students. Every run is one folder with its checkpoint and history.
RUN = f"{RESULTS}/{{dataset}}/list{{list}}"


def start_weights(run: Run) -> str | list:
    """The file that a run's backbone starts from; [] where there is none (a script gets one file as it is)."""
    choice = STUDY.weights_of(run)
    if choice == "none" or STUDY.finished(run):
        return []
    if choice == "pretrain":
        return f"{RESULTS}/{STUDY.pretrain_run(run.backbone).folder}/checkpoint.pt"
    if choice == "kinetics400":
        return f"{RESULTS}/weights/{run.backbone}.pyth"
    if choice == "imagenet":
        return f"{RESULTS}/weights/imagenet/{run.backbone}.pyth"
    if choice.startswith(HUB):
        return f"{RESULTS}/weights/hub/{choice.removeprefix(HUB).replace('/', '--')}.pyth"
    return choice


def sha256_of_start(run: Run) -> str | None:
    """The checksum that the config gives for what `start_weights` names: of the study's own network's alone."""
    return None if run.role == "pretrain" or run.network.weights else STUDY.weights_sha256(run.backbone)


def run_to_train(wildcards, role: str) -> Run:
    """The run that a training's folder names; the workflow ends here where it is a `forgotten` one."""
    run = run_of(wildcards, role)
    made_by = role if role == "pretrain" else "train_winner" if run.search else f"train_{role}"
    refuse_forgotten(f"{RESULTS}/{run.folder}/run.json", made_by)
    return run


def plugin(run: Run) -> str | list:
    """The plug-in's file that a run's network is from; [] where it is none's."""
    return NETWORKS.source(run.backbone) or []


def split_of(run: Run) -> str:
    """The split whose groups a teacher, or a student's teachers, have."""
    return f"{RESULTS}/{STUDY.split_file(run.dataset, run.split)}"


def held_out(run: Run) -> str | list:
    """The file of the training videos that no run of the list trains on; [] where none are held out."""
    file = STUDY.validation_file(run)
    return f"{RESULTS}/{file}" if file else []


def inputs_of(run) -> dict:
    """The inputs that every training has: the index, who is held out, the pixel statistics, the weights to start from, a
    plug-in's file. ``run`` gives it by its wildcards."""
    return dict(
        index=f"{RESULTS}/{{dataset}}/videos.parquet",
        validation=lambda w: held_out(run(w)),
        pixels=f"{RUN}/pixels.json",
        start=lambda w: start_weights(run(w)),
        plugin=lambda w: plugin(run(w)),
    )


def training_inputs(role: str) -> dict:
    return inputs_of(lambda w: run_to_train(w, role))


def head_inputs(role: str) -> dict:
    """Those of a role whose backbone may be frozen."""
    return training_inputs(role) | dict(features=lambda w: frozen_features(run_of(w, role)))


def frozen_features(run: Run) -> str | list:
    """What a run's frozen backbone makes of its clips; [] where it computes that itself."""
    file = STUDY.features_file(run)
    return f"{RESULTS}/{file}" if file else []


def training_outputs(role: str) -> dict:
    """What every role leaves in its run's folder."""
    files = {"checkpoint": "checkpoint.pt", "history": "history.parquet", "predictions": "predictions.parquet"}
    return {name: f"{RUN}/{role}/{{run}}/{file}" for name, file in (files | {"record": "run.json"}).items()}


def training_params(role: str) -> dict:
    run = lambda w: run_of(w, role)
    return dict(settings=lambda w: STUDY.settings(run(w)), **machine_params(role, run))


def machine_params(role: str, run) -> dict:
    """Where and how a training computes; ``run`` gives it by its wildcards."""
    return dict(
        root=lambda w: dataset_settings(w.dataset).videos,
        device=device,
        computing=computing(role),
        cache_mb=cache_mb,
        # a checksum changes no result: with `resources` in the signature it makes nothing train again
        sha256=lambda w, resources: sha256_of_start(run(w)),
    )


rule download_weights:
    message:
        "Download the Kinetics-400 weights of {wildcards.backbone}"
    output:
        f"{RESULTS}/weights/{{backbone}}.pyth",
    wildcard_constraints:
        backbone="[^/]+",
    params:
        sha256=lambda w, resources: STUDY.weights_sha256(w.backbone),
    log:
        f"{RESULTS}/logs/weights/{{backbone}}.log",
    localrule: True
    conda:
        "../envs/train.yaml"
    script:
        "../workflow_scripts/download_weights.py"


use rule download_weights as download_imagenet_weights with:
    message:
        "Download the ImageNet weights of {wildcards.backbone}"
    output:
        f"{RESULTS}/weights/imagenet/{{backbone}}.pyth",
    params:
        weights="imagenet",
        sha256=lambda w, resources: STUDY.weights_sha256(w.backbone),
    log:
        f"{RESULTS}/logs/weights/imagenet/{{backbone}}.log",


use rule download_weights as download_hub_weights with:
    message:
        "Download the weights {wildcards.owner}/{wildcards.name}"
    output:
        f"{RESULTS}/weights/hub/{{owner}}--{{name}}.pyth",
    wildcard_constraints:
        owner="[^/]+?",
        name="[^/]+",
    params:
        sha256=lambda w, resources: STUDY.model.weights_sha256,
    log:
        f"{RESULTS}/logs/weights/hub/{{owner}}--{{name}}.log",


# The other roles' trainings are this rule with inputs of their own.
rule pretrain:
    message:
        "Pretrain {wildcards.run} on {wildcards.dataset}, list {wildcards.list}"
    input:
        **training_inputs("pretrain"),
    output:
        **training_outputs("pretrain"),
    params:
        **training_params("pretrain"),
    log:
        f"{RESULTS}/logs/pretrain/{{dataset}}-list{{list}}-{{run}}.log",
    priority: 10
    threads: training_threads(on_cpu=1, processes=devices("pretrain"))
    resources:
        **training_resources("pretrain"),
    conda:
        "../envs/train.yaml"
    script:
        "../workflow_scripts/train.py"


use rule pretrain as train_baseline with:
    message:
        "Train baseline {wildcards.run} on {wildcards.dataset}, list {wildcards.list}"
    input:
        **head_inputs("baseline"),
    output:
        **training_outputs("baseline"),
    params:
        **training_params("baseline"),
    log:
        f"{RESULTS}/logs/baseline/{{dataset}}-list{{list}}-{{run}}.log",
    priority: 0
    threads: training_threads(on_cpu=1, processes=devices("baseline"))
    resources:
        **training_resources("baseline"),


use rule pretrain as train_teacher with:
    message:
        "Train teacher {wildcards.run} on {wildcards.dataset}, list {wildcards.list}"
    input:
        **head_inputs("teacher"),
        split=lambda w: split_of(run_of(w, "teacher")),
        finished=lambda w: STUDY.finished(run_of(w, "teacher")) or [],
    output:
        **training_outputs("teacher"),
    params:
        **training_params("teacher"),
    log:
        f"{RESULTS}/logs/teacher/{{dataset}}-list{{list}}-{{run}}.log",
    priority: 5
    threads: training_threads(on_cpu=1, processes=devices("teacher"))
    resources:
        **training_resources("teacher"),


FROZEN_FEATURES = checked(STUDY.frozen_features)


def asked_features(wildcards) -> FeatureSet:
    """A file of a frozen backbone's features, by the runs that read it; all of these agree on what it holds."""
    file = f"{wildcards.dataset}/list{wildcards.list}/features/{wildcards.features}.pt"
    if file not in FROZEN_FEATURES:
        abort(f"{RESULTS}/{file}: no run of the study reads it")
    return FROZEN_FEATURES[file]


def reads_features(wildcards) -> Run:
    return asked_features(wildcards).runs[0]


# A frozen backbone speaks once for all heads that are trained on it, as teachers do for their students.
rule frozen_features:
    message:
        "Features of the frozen backbone {wildcards.features} on {wildcards.dataset}, list {wildcards.list}"
    input:
        **inputs_of(reads_features),
    output:
        f"{RUN}/features/{{features}}.pt",
    wildcard_constraints:
        features="[^/]+",
    params:
        settings=lambda w: STUDY.features_settings(asked_features(w)),
        # how many clips pass at a time, and how: it changes no result
        train=lambda w, resources: STUDY.train_of(reads_features(w)).model_dump(mode="json"),
        root=lambda w: dataset_settings(w.dataset).videos,
        device=device,
        cache_mb=cache_mb,
        sha256=lambda w, resources: sha256_of_start(reads_features(w)),
    log:
        f"{RESULTS}/logs/frozen_features/{{dataset}}-list{{list}}-{{features}}.log",
    priority: 5
    threads: training_threads(on_cpu=1)
    resources:
        gpu=gpus,
        cpu=training_cores,
        mem_mb=training_memory,
        runtime=scale_with_attempt(1440),
    conda:
        "../envs/train.yaml"
    script:
        "../workflow_scripts/frozen_features.py"


TEACHER_SETS = STUDY.all_teacher_sets()


def taught_by(run: Run) -> dict[str, str]:
    """What a student learns from: its teachers' targets, of specialists the split, which says whose a class is, and its
    method's plug-in."""
    split = {"split": split_of(run)} if run.has_specialists else {}
    method = {"method": file for file in [METHODS.source(run.row.method)] if file}
    names = ["targets", *(f"targets_{number}" for number in range(2, 2 + len(run.baselines)))]
    asked = {name: f"{RESULTS}/{teachers.file}" for name, teachers in zip(names, STUDY.teacher_sets(run))}
    return split | asked | method


def asked(wildcards, kind: str) -> tuple[TeacherSet, Run]:
    """The teachers of a file of targets, and a student that reads it; all of these agree on what it holds."""
    file = f"{wildcards.dataset}/list{wildcards.list}/targets/{kind}-{wildcards.teachers}.pt"
    if file not in TEACHER_SETS:
        abort(f"{RESULTS}/{file}: no student of the study learns from it")
    return TEACHER_SETS[file]


def teachers_plugin(wildcards, kind: str) -> list[str]:
    """The plug-ins' files that teachers' networks are from."""
    return sorted({file for run in asked(wildcards, kind)[0].teachers.values() if (file := plugin(run))})


def teacher_checkpoints(wildcards, kind: str) -> list[str]:
    return [f"{RESULTS}/{teacher.folder}/checkpoint.pt" for teacher in asked(wildcards, kind)[0].teachers.values()]


def targets_params(kind: str) -> dict:
    return dict(
        settings=lambda w: STUDY.targets_settings(*reversed(asked(w, kind))),
        teachers=lambda w: list(asked(w, kind)[0].teachers),
        root=lambda w: dataset_settings(w.dataset).videos,
        device=device,
        computing=computing("student"),
        cache_mb=cache_mb,
    )


# Teachers speak once for all their students: a training clip is a function of (seed, epoch, video).
rule teacher_logits:
    message:
        "Logits of the frozen teachers ({wildcards.teachers}) on {wildcards.dataset}, list {wildcards.list}"
    input:
        teachers=lambda w: teacher_checkpoints(w, "frozen"),
        plugin=lambda w: teachers_plugin(w, "frozen"),
        index=f"{RESULTS}/{{dataset}}/videos.parquet",
        validation=lambda w: held_out(asked(w, "frozen")[1]),
        pixels=f"{RUN}/pixels.json",
    output:
        f"{RUN}/targets/frozen-{{teachers}}.pt",
    params:
        **targets_params("frozen"),
    log:
        f"{RESULTS}/logs/teacher_logits/{{dataset}}-list{{list}}-{{teachers}}.log",
    priority: 5
    threads: training_threads(on_cpu=1)
    resources:
        gpu=gpus,
        cpu=training_cores,
        mem_mb=training_memory,
        runtime=scale_with_attempt(1440),
    conda:
        "../envs/train.yaml"
    script:
        "../workflow_scripts/teacher_logits.py"


rule continue_teachers:
    message:
        "Teachers that go on learning ({wildcards.teachers}) on {wildcards.dataset}, list {wildcards.list}"
    input:
        teachers=lambda w: teacher_checkpoints(w, "continued"),
        plugin=lambda w: teachers_plugin(w, "continued"),
        index=f"{RESULTS}/{{dataset}}/videos.parquet",
        validation=lambda w: held_out(asked(w, "continued")[1]),
        pixels=f"{RUN}/pixels.json",
        split=lambda w: split_of(asked(w, "continued")[1]),
    output:
        targets=f"{RUN}/targets/continued-{{teachers}}.pt",
        history=f"{RUN}/targets/continued-{{teachers}}.parquet",
    params:
        **targets_params("continued"),
    log:
        f"{RESULTS}/logs/continue_teachers/{{dataset}}-list{{list}}-{{teachers}}.log",
    priority: 5
    threads: training_threads(on_cpu=1)
    resources:
        gpu=gpus,
        cpu=training_cores,
        mem_mb=training_memory,
        runtime=TRAINING_MINUTES,
    conda:
        "../envs/train.yaml"
    script:
        "../workflow_scripts/continue_teachers.py"


use rule pretrain as train_student with:
    message:
        "Train student {wildcards.run} on {wildcards.dataset}, list {wildcards.list}"
    input:
        unpack(lambda w: taught_by(run_of(w, "student"))),
        **training_inputs("student"),
    output:
        **training_outputs("student"),
    params:
        **training_params("student"),
    log:
        f"{RESULTS}/logs/student/{{dataset}}-list{{list}}-{{run}}.log",
    priority: 0
    threads: training_threads(on_cpu=1, processes=devices("student"))
    resources:
        **training_resources("student"),
