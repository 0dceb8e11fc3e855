"""Evaluate a run by another protocol than training's own test: clips over time, crops, how they are averaged."""

from dtkd.common.workflow_job import job

with job(snakemake):  # noqa: F821
    from dtkd.common.files import atomic, read_parquet
    from dtkd.config import Evaluation
    from dtkd.data.datasets import Videos, class_names
    from dtkd.models import weights
    from dtkd.training import evaluation, networks
    from dtkd.training.classifier import Classifier
    from dtkd.training.hardware import choose_hardware
    from dtkd.training.views import views_to_test

    given, params = snakemake.input, snakemake.params  # noqa: F821
    machine = choose_hardware(params.device, snakemake.threads)  # noqa: F821

    index = read_parquet(given.index)
    settings = networks.of_data(params.settings, index)
    classes = class_names(index)
    split = networks.read_json(given.split) if given.split else None
    allowed = networks.allowed(settings, classes, split)
    classifier = Classifier(networks.trained_model(settings, len(classes), given.checkpoint), allowed)

    options = networks.training_options(settings, computing={})
    protocol, normalise = Evaluation(**params.evaluation), networks.normaliser(settings, given.pixels)
    videos = Videos.of(index, params.root, f"list{snakemake.wildcards.list}", "test")  # noqa: F821
    table = evaluation.evaluate(
        classifier,
        {part: weights.load_state_dict(given.checkpoint, part=part) for part in ("model", "last")},
        normalise,
        videos,
        views_to_test(videos, options["clip"], options["augment"], protocol, normalise),
        settings=options["settings"],
        hardware=machine,
        average=protocol.average,
        label=str(given.checkpoint),
    )
    with atomic(snakemake.output[0]) as path:  # noqa: F821
        table.to_parquet(path, index=False)
