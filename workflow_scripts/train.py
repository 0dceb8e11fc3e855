"""Train one run: a pretraining, a baseline, a teacher or a student, as its settings say."""

from dtkd.job import job

with job(snakemake):  # noqa: F821
    from pathlib import Path

    import torch

    from dtkd import engine, networks, provenance
    from dtkd.datasets import Videos, class_names
    from dtkd.files import atomic, read_parquet, write_json
    from dtkd.study import SUBSETS, Augment, Clip, Evaluation, Train

    given, params, output = snakemake.input, snakemake.params, snakemake.output  # noqa: F821
    settings = params.settings
    column = f"list{snakemake.wildcards.list}"  # noqa: F821
    machine = engine.hardware(params.device, snakemake.threads, params.cache_mb)  # noqa: F821

    index = read_parquet(given.index)
    classes = class_names(index)
    split = networks.read_json(given.split) if given.get("split") else None
    own = networks.own_classes(settings, classes, split)
    videos = Videos.of(index, params.root, column, "train", own)
    options = Train(**settings["train"])
    teachers = {subset: given.get(subset) for subset in SUBSETS}
    known = (
        networks.known_logits(given.logits, videos, options.epochs * options.clips_per_video)
        if given.get("logits")
        else None
    )
    inputs = {name: path for name, path in given.items() if path}

    record = provenance.record(settings, inputs, str(machine.device))
    record["network"] = networks.size(settings, len(classes))
    checkpoint, history, predictions = engine.train(
        networks.learner(
            settings,
            classes,
            start=given.get("start") or None,
            sha256=params.sha256,
            split=split,
            teachers=teachers,
            known=known,
        ),
        networks.normaliser(given.pixels),
        videos,
        Videos.of(index, params.root, column, "test", own),
        clip=Clip(**settings["clip"]),
        augment=Augment(**settings["augment"]),
        settings=options,
        seed=settings["seed"],
        hardware=machine,
        resume=Path(output.checkpoint).with_name("resume.pt"),
        fingerprint={"settings": settings, "inputs": record["inputs"]},
        label=str(Path(output.checkpoint).parent),
    )
    if own is not None:  # a teacher answers for the other subset too: Table 6 compares it with students on every video
        predictions = engine.evaluate(
            networks.learner(settings, classes, split=split), checkpoint, networks.normaliser(given.pixels),
            Videos.of(index, params.root, column, "test"), clip=Clip(**settings["clip"]),
            augment=Augment(**settings["augment"]), evaluation=Evaluation(), settings=options, hardware=machine,
            label=f"{Path(output.checkpoint).parent} (test)",
        )  # fmt: skip
    with atomic(output.history) as path:
        history.to_parquet(path, index=False)
    with atomic(output.predictions) as path:
        predictions.to_parquet(path, index=False)
    write_json(output.record, record)
    with atomic(output.checkpoint) as path:
        torch.save(checkpoint | {"classes": classes, "settings": settings}, path)
    Path(output.checkpoint).with_name("resume.pt").unlink(missing_ok=True)
