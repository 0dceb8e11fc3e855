"""What specialists say to every training clip while they go on learning, once for all students of theirs."""

from pathlib import Path

from dtkd.common.workflow_job import job

with job(snakemake):  # noqa: F821
    from dtkd.common import provenance
    from dtkd.common.files import atomic, read_parquet
    from dtkd.config import Augment, Clip, Train
    from dtkd.data.datasets import SUBSETS, Videos, class_names
    from dtkd.training import networks, targets
    from dtkd.training.classifier import Classifier
    from dtkd.training.hardware import choose_hardware

    given, params, output = snakemake.input, snakemake.params, snakemake.output  # noqa: F821
    settings = params.settings
    machine = choose_hardware(params.device, snakemake.threads, params.cache_mb)  # noqa: F821

    index = read_parquet(given.index)
    classes, split = class_names(index), networks.read_json(given.split)
    videos = Videos.of(index, params.root, f"list{snakemake.wildcards.list}", "train")  # noqa: F821
    resume = Path(output.targets).with_suffix(".resume.pt")
    said, history = targets.continued(
        {
            name: Classifier(networks.trained_model(settings, len(classes), given[name]),
                             networks.allowed(settings | {"subset": name}, classes, split))
            for name in SUBSETS
        },
        networks.class_groups(split, classes),
        networks.normaliser(given.pixels),
        videos,
        clip=Clip(**settings["clip"]),
        augment=Augment(**settings["augment"]),
        settings=Train(**settings["train"], **params.computing),
        seed=settings["seed"],
        hardware=machine,
        resume=resume,
        fingerprint={
            "settings": settings,
            "inputs": {name: provenance.hashed(path) for name, path in given.items() if path},
        },
        label=output.targets,
    )  # fmt: skip
    with atomic(output.history) as path:
        history.to_parquet(path, index=False)
    said.save(output.targets, videos)
    resume.unlink(missing_ok=True)
