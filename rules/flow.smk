# Optical flow: one parquet per video, one job per class.
#
# A class's job declares its videos as input and the class's summary as output, and keeps the parquet of every video
# whose file and settings are as they were. Declaring 13,320 parquets too would cost Snakemake seven times as long to
# plan, for the same jobs; one video's parquet can still be asked for by its path (flow_of_video).


def flow_summary() -> dict:
    """A parameter of jobs that sum the flow, where a class's table is to give more than it always did: none otherwise, so
    that what was made before stands."""
    return {"summary": STUDY.flow_summary} if STUDY.flow_summary else {}


def flow_weights(wildcards) -> str | list:
    """The parameters of a flow algorithm that is a network: the configured file, or the one to download."""
    if not STUDY.flow.entry.network:
        return []
    return STUDY.flow.weights or f"{RESULTS}/weights/{STUDY.flow.algorithm}.pth"


# Where a plug-in brings the algorithm: its file.
FLOW_PLUGIN = algorithms.ALGORITHMS.source(STUDY.flow.algorithm) or []


def person_weights(wildcards) -> str | list:
    """The parameters of the detector of persons, where a measure needs it: the configured file, or the one to download."""
    if not STUDY.by_person:
        return []
    return STUDY.flow.persons.weights or f"{RESULTS}/weights/{DETECTOR.name}.pth"


FLOW_NEEDS_TORCH = STUDY.flow.entry.network or STUDY.by_person


rule download_flow_weights:
    message:
        "Download the weights of {wildcards.network}"
    output:
        f"{RESULTS}/weights/{{network}}.pth",
    wildcard_constraints:
        network="|".join([DETECTOR.name, *(name for name in algorithms.names() if algorithms.entry(name).weights)]),
    log:
        f"{RESULTS}/logs/weights/{{network}}.log",
    localrule: True
    conda:
        "../envs/raft.yaml"
    script:
        "../workflow_scripts/download_flow_weights.py"


rule flow:
    message:
        "Optical flow of {wildcards.dataset}/{wildcards.cls}"
    input:
        videos=lambda w: videos(w.dataset, w.cls),
        weights=flow_weights,
        plugin=FLOW_PLUGIN,
        person_weights=person_weights,
    output:
        f"{RESULTS}/{{dataset}}/flow/{{cls}}.parquet",
    params:
        settings=STUDY.flow_settings,
        device=device,
        folder=lambda w: f"{RESULTS}/{w.dataset}/flow/{w.cls}",
        root=lambda w: dataset_settings(w.dataset).videos,
        names=lambda w: {path: datasets.video_name(path, w.cls) for path in videos_by_class(w.dataset)[w.cls]},
        on_bad_video=on_bad_video,
        **flow_summary(),
    wildcard_constraints:
        cls="[^/]+",
    log:
        f"{RESULTS}/logs/flow/{{dataset}}/{{cls}}.log",
    resources:
        gpu=flow_gpus,
        cpu=flow_cores,
        mem_mb=scale_with_attempt(2000),
        runtime=scale_with_attempt(240),
    conda:
        "../envs/raft.yaml" if FLOW_NEEDS_TORCH else "../envs/flow.yaml"
    script:
        "../workflow_scripts/flow.py"


def video_called(wildcards) -> str:
    for path in videos_by_class(wildcards.dataset).get(wildcards.cls, []):
        if datasets.video_name(path, wildcards.cls) == wildcards.video:
            return f"{dataset_settings(wildcards.dataset).videos}/{path}"
    abort(f"{wildcards.dataset}/{wildcards.cls} has no video called {wildcards.video!r}")


rule flow_of_video:
    message:
        "Optical flow of {wildcards.dataset}/{wildcards.cls}/{wildcards.video}"
    input:
        video=video_called,
        weights=flow_weights,
        plugin=FLOW_PLUGIN,
        person_weights=person_weights,
    output:
        f"{RESULTS}/{{dataset}}/flow/{{cls}}/{{video}}.parquet",
    params:
        settings=STUDY.flow_settings,
        device=device,
    wildcard_constraints:
        cls="[^/]+",
        video="[^/]+",
    log:
        f"{RESULTS}/logs/flow_of_video/{{dataset}}/{{cls}}/{{video}}.log",
    resources:
        gpu=flow_gpus,
        cpu=flow_cores,
        mem_mb=scale_with_attempt(2000),
        runtime=scale_with_attempt(240),
    conda:
        "../envs/raft.yaml" if FLOW_NEEDS_TORCH else "../envs/flow.yaml"
    script:
        "../workflow_scripts/flow_of_video.py"
