"""What specialists say to every training clip while they go on learning, once for all students of theirs."""

from pathlib import Path

from dtkd.common.workflow_job import job

with job(snakemake):  # noqa: F821
    from dtkd.common import provenance
    from dtkd.common.files import atomic, read_parquet
    from dtkd.data import validation
    from dtkd.data.datasets import Videos, class_names
    from dtkd.training import networks, targets
    from dtkd.training.classifier import Classifier
    from dtkd.training.hardware import choose_hardware

    given, params, output = snakemake.input, snakemake.params, snakemake.output  # noqa: F821
    machine = choose_hardware(params.device, snakemake.threads, params.cache_mb)  # noqa: F821

    index = read_parquet(given.index)
    settings = networks.of_data(params.settings, index)
    classes, split = class_names(index), networks.read_json(given.split)
    column = f"list{snakemake.wildcards.list}"  # noqa: F821
    videos = Videos.of(validation.apart(index, column, given.validation or None), params.root, column, "train")
    resume = Path(output.targets).with_suffix(".resume.pt")
    said, history = targets.continued(
        {
            name: Classifier(networks.trained_model(settings, len(classes), checkpoint),
                             networks.allowed(settings | {"subset": name}, classes, split))
            for name, checkpoint in zip(params.teachers, given.teachers, strict=True)
        },
        networks.class_groups(split, classes),
        networks.normaliser(given.pixels),
        videos,
        **networks.training_options(settings, params.computing),
        hardware=machine,
        resume=resume,
        fingerprint={"settings": settings, "inputs": [provenance.hashed(path) for path in given]},
        label=output.targets,
    )  # fmt: skip
    with atomic(output.history) as path:
        history.to_parquet(path, index=False)
    said.save(output.targets, videos)
    resume.unlink(missing_ok=True)
