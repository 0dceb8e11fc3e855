"""Evaluate a run by another protocol than training's own test: clips over time, crops, how they are averaged."""

from dtkd.job import job

with job(snakemake):  # noqa: F821
    from dtkd import engine, networks
    from dtkd.datasets import Videos, class_names
    from dtkd.files import atomic, read_parquet
    from dtkd.learners import Classifier
    from dtkd.study import Augment, Clip, Evaluation, Train

    given, params = snakemake.input, snakemake.params  # noqa: F821
    settings = params.settings
    machine = engine.hardware(params.device, snakemake.threads)  # noqa: F821

    index = read_parquet(given.index)
    classes = class_names(index)
    split = networks.read_json(given.split) if given.split else None
    own = networks.own_classes(settings, classes, split)
    videos = Videos.of(index, params.root, f"list{snakemake.wildcards.list}", "test", own)  # noqa: F821
    normalise = networks.normaliser(given.pixels).to(machine.device)

    logits = {}
    for part in ("model", "last"):
        model = networks.trained_model(settings, len(classes), given.checkpoint, part)
        learner = Classifier(model, networks.allowed(settings, classes, split)).to(machine.device)
        logits[part] = engine.evaluate(
            learner.logits, normalise, videos, clip=Clip(**settings["clip"]), augment=Augment(**settings["augment"]),
            evaluation=Evaluation(**params.evaluation), settings=Train(**settings["train"]), hardware=machine,
            label=f"{given.checkpoint} ({part})",
        )  # fmt: skip
    with atomic(snakemake.output[0]) as path:  # noqa: F821
        engine.predictions(videos, logits["model"], logits["last"]).to_parquet(path, index=False)
