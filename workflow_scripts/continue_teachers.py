"""What specialists say to every training clip while they go on learning, once for all students of theirs."""

from pathlib import Path

from dtkd.common.workflow_job import job

with job(snakemake):  # noqa: F821
    import pandas as pd
    import torch

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
    checkpoints, inputs = dict(zip(params.teachers, given.teachers, strict=True)), [*map(provenance.hashed, given)]
    groups, said, histories, resumes = networks.class_groups(split, classes), [], [], []
    for own, names in networks.asked_alike(params.settings, params.teachers):  # their paths are their own
        some = "" if names == list(params.teachers) else f".{names[0]}"
        resumes.append(Path(output.targets).with_suffix(f"{some}.resume.pt"))
        numbers = torch.tensor([names.index(name) if name in names else -1 for name in params.teachers])
        answers, history = targets.continued(
            {
                name: Classifier(networks.trained_model(own, len(classes), checkpoints[name]),
                                 networks.allowed(own | {"subset": name}, classes, split))
                for name in names
            },
            numbers[groups],
            networks.normaliser(own, given.pixels),
            videos,
            **networks.training_options(own, params.computing),
            hardware=machine,
            resume=resumes[-1],
            fingerprint={"settings": own, "inputs": inputs},
            label=output.targets,
        )  # fmt: skip
        said.append(answers)
        histories.append(history.set_index(["epoch", "lr"]))
    with atomic(output.history) as path:
        pd.concat(histories, axis=1).reset_index().to_parquet(path, index=False)
    targets.Targets.beside(said, params.teachers).save(output.targets, videos)
    for resume in resumes:
        resume.unlink(missing_ok=True)
