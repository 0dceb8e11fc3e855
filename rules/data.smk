# Videos and lists -> one index per dataset, and the statistics that normalise its pixels.
RENDERED = {name: STUDY.datasets[name] for name in STUDY.used_datasets() if STUDY.datasets[name].render}

# One job a class. A rule for all of a dataset's videos would have thousands of outputs, and Snakemake holds every input
# against every output of the rule that may make it: a time that grows with the square of the videos.
for name, settings in RENDERED.items():

    rule:
        name:
            f"render_{name}"
        output:
            [f"{settings.videos}/{pattern}" for pattern in synthetic.clip_patterns(settings.render)],
        wildcard_constraints:
            cls="|".join(videos_by_class(name)),
            visible="[uf]",
        params:
            render=asdict(settings.render),
            root=settings.videos,
        log:
            f"{RESULTS}/logs/render/{name}/{synthetic.clip_patterns(settings.render)[0]}.log",  # with all the wildcards
        # what is pretrained on comes first: a pretraining is one long job, beside which other videos are rendered
        priority: 20 if name not in STUDY.use else 10
        group:
            "render"  # on a cluster; profiles name groups by rule, and these rules' names are the datasets'
        resources:
            cpu=own_cores,
            mem_mb=scale_with_attempt(2000),
            runtime=scale_with_attempt(60),
        message:
            f"Render {name}/{{wildcards.cls}}: {len(synthetic.clip_patterns(settings.render))} videos"
        conda:
            "../envs/data.yaml"
        script:
            "../workflow_scripts/render.py"

    rule:
        name:
            f"lists_{name}"
        output:
            annotation_files(name),
        params:
            render=asdict(settings.render),
            annotations=settings.annotations,
        log:
            f"{RESULTS}/logs/lists/{name}.log",
        localrule: True
        message:
            f"Lists of {name}"
        conda:
            "../envs/data.yaml"
        script:
            "../workflow_scripts/lists.py"


def videos_to_index(wildcards) -> list[str]:
    """A dataset's videos. Missing ones are for the library to report, with list and line: Snakemake would go on with
    an old index without a word, or name 13,320 files. Only where all have gone, an index stands without them."""
    settings = dataset_settings(wildcards.dataset)
    paths = videos(wildcards.dataset)
    index = f"{RESULTS}/{wildcards.dataset}/videos.parquet"
    if settings.may_part_scenes and not os.path.exists(index):  # else the job looks
        every = [path for own in videos_by_class(wildcards.dataset).values() for path in own]
        checked(datasets.check_scenes, settings.videos, every)
    if not settings.render:
        found = [os.path.exists(path) for path in paths]
        if not all(found) and (any(found) or not os.path.exists(index)):
            checked(datasets.index, settings.source())
    if STUDY.on_bad_video == "fail" and os.path.exists(index):
        refuse_skipped(wildcards.dataset, set(paths))
    return paths


def refuse_skipped(dataset: str, listed: set[str]) -> None:
    """End, where an index was made without some videos (`on_bad_video: skip`) and stands, but the study says `fail`.

    A video that was fixed since, or has left the lists, makes the index run again anyhow.
    """
    file = Path(f"{RESULTS}/{dataset}/problems.csv")
    if not file.exists():
        return
    root, since = dataset_settings(dataset).videos, file.stat().st_mtime
    with open(file, encoding="utf-8", newline="") as lines:
        skipped = [f"{root}/{row['video']}" for row in csv.DictReader(lines)]
    if skipped and all(path in listed and os.stat(path).st_mtime <= since for path in skipped):
        abort(
            f"{file}: the index was made without these {len(skipped)} videos, such as {skipped[0]}: fix (and "
            "touch) them, take them off the lists, or set `on_bad_video: skip`"
        )


def may_part_scenes(wildcards, resources) -> bool:
    """The parameter of that name: to say that scenes may be parted is no reason to make the index again."""
    return dataset_settings(wildcards.dataset).may_part_scenes


def index_source(wildcards) -> dict:
    """Where a dataset lies. How lists are drawn stands at its defaults where the format has its own: a change of it is no
    reason to make the index, and so everything, again."""
    own = dataset_settings(wildcards.dataset).source()
    return asdict(own if own.format == "folders" else datasets.Source(own.format, own.videos, own.annotations))


# Beside the index, undeclared: problems.csv (the videos that cannot be used, and why), which has to outlive a job that
# fails because of them, and inspection.parquet, so that one changed video is one video to inspect.
rule index:
    message:
        "Index {wildcards.dataset}"
    input:
        videos=videos_to_index,
        annotations=lambda w: annotation_files(w.dataset),
    output:
        f"{RESULTS}/{{dataset}}/videos.parquet",
    params:
        source=index_source,
        may_part_scenes=may_part_scenes,
        on_bad_video=on_bad_video,
        # for a warning alone: with `resources` in the signature it makes nothing run again
        views=lambda wildcards, resources: dict(augment=STUDY.augment.settings, crops=STUDY.evaluation.crops_per_clip),
    log:
        f"{RESULTS}/logs/index/{{dataset}}.log",
    priority: 10
    # to decode every video once; with all of a small machine's cores it would wait for all other jobs to end
    threads: 8 if ON_CLUSTER else max(1, min(8, CORES // 2))
    resources:
        cpu=own_cores,
        mem_mb=scale_with_attempt(2000),
        runtime=scale_with_attempt(60),
    conda:
        "../envs/data.yaml"
    script:
        "../workflow_scripts/index.py"


# With `train.selection: validation`: no run of a list trains on these, and each chooses its epoch by them.
rule hold_out:
    message:
        "Hold out {wildcards.fraction} of the training videos of {wildcards.dataset}, list {wildcards.list}"
    input:
        index=f"{RESULTS}/{{dataset}}/videos.parquet",
        annotations=lambda w: annotation_files(w.dataset),
    output:
        f"{RESULTS}/{{dataset}}/list{{list}}/validation-{{fraction}}.csv",
    params:
        source=index_source,
    log:
        f"{RESULTS}/logs/hold_out/{{dataset}}-list{{list}}-{{fraction}}.log",
    localrule: True
    conda:
        "../envs/data.yaml"
    script:
        "../workflow_scripts/hold_out.py"


rule pixel_statistics:
    message:
        "Pixel mean and standard deviation of {wildcards.dataset}, list {wildcards.list}"
    input:
        index=f"{RESULTS}/{{dataset}}/videos.parquet",
    output:
        f"{RESULTS}/{{dataset}}/list{{list}}/pixels.json",
    params:
        root=lambda w: dataset_settings(w.dataset).videos,
        settings=dict(frames_per_video=4, most_videos=1000),
    log:
        f"{RESULTS}/logs/pixel_statistics/{{dataset}}-list{{list}}.log",
    priority: 10
    resources:
        cpu=own_cores,
        mem_mb=scale_with_attempt(3000),
        runtime=scale_with_attempt(60),
    conda:
        "../envs/train.yaml"
    script:
        "../workflow_scripts/pixel_statistics.py"
