"""What finished teachers, specialists or one baseline, say to every training clip, once for all that they teach."""

from dtkd.common.workflow_job import job

with job(snakemake):  # noqa: F821
    from dtkd.common.files import read_parquet
    from dtkd.data import validation
    from dtkd.data.datasets import Videos
    from dtkd.training import networks, targets
    from dtkd.training.hardware import choose_hardware

    given, params = snakemake.input, snakemake.params  # noqa: F821
    machine = choose_hardware(params.device, snakemake.threads, params.cache_mb)  # noqa: F821

    index = read_parquet(given.index)
    settings = networks.of_data(params.settings, index)
    classes = index["class"].nunique()
    column = f"list{snakemake.wildcards.list}"  # noqa: F821
    videos = Videos.of(validation.apart(index, column, given.validation or None), params.root, column, "train")
    checkpoints = dict(zip(params.teachers, given.teachers, strict=True))
    said = [
        targets.frozen(
            {name: networks.trained_model(own, classes, checkpoints[name]) for name in names},
            networks.normaliser(own, given.pixels),
            videos,
            **networks.training_options(own, params.computing),
            hardware=machine,
            features=own.get("features", False),
            label=snakemake.output[0],  # noqa: F821
        )
        for own, names in networks.asked_alike(params.settings, params.teachers)
    ]
    targets.Targets.beside(said, params.teachers).save(snakemake.output[0], videos)  # noqa: F821
