"""What a frozen backbone makes of every clip of a list, once for all runs that train a head on it."""

from dtkd.common.workflow_job import job

with job(snakemake):  # noqa: F821
    from dtkd.common.files import read_parquet
    from dtkd.data import validation
    from dtkd.data.datasets import Videos
    from dtkd.training import frozen_features, networks
    from dtkd.training.hardware import choose_hardware

    given, params = snakemake.input, snakemake.params  # noqa: F821
    settings, column = params.settings, f"list{snakemake.wildcards.list}"  # noqa: F821
    index = validation.apart(read_parquet(given.index), column, given.validation or None)
    tested = index[column].where(index[column] != validation.SIDE, "test")
    classes = index["class"].nunique()  # of a head that says nothing here, but a start at random is drawn with it
    frozen_features.compute(
        networks.new_model(settings | {"dropout": 0.0, "frozen": True}, classes, given.start or None, params.sha256),
        networks.normaliser(settings, given.pixels),
        Videos.of(index, params.root, column, "train"),
        Videos.of(index.assign(**{column: tested}), params.root, column, "test"),
        clips=settings["clips"],
        **networks.training_options(settings | {"train": params.train}, {}),
        hardware=choose_hardware(params.device, snakemake.threads, params.cache_mb),  # noqa: F821
        label=snakemake.output[0],  # noqa: F821
    ).save(snakemake.output[0])  # noqa: F821
