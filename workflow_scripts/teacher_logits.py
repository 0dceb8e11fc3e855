"""What finished teachers, specialists or one baseline, say to every training clip, once for all that they teach."""

from dtkd.common.workflow_job import job

with job(snakemake):  # noqa: F821
    from dtkd.common.files import read_parquet
    from dtkd.config import Augment, Clip, Train
    from dtkd.data.datasets import SUBSETS, Videos
    from dtkd.training import networks, targets
    from dtkd.training.hardware import choose_hardware

    given, params = snakemake.input, snakemake.params  # noqa: F821
    settings = params.settings
    machine = choose_hardware(params.device, snakemake.threads, params.cache_mb)  # noqa: F821

    index = read_parquet(given.index)
    classes = index["class"].nunique()
    videos = Videos.of(index, params.root, f"list{snakemake.wildcards.list}", "train")  # noqa: F821
    teachers = ("teacher",) if "teacher" in given.keys() else SUBSETS  # noqa: SIM118 (it is no dictionary)
    said = targets.frozen(
        {name: networks.trained_model(settings, classes, given[name]) for name in teachers},
        networks.normaliser(given.pixels),
        videos,
        clip=Clip(**settings["clip"]),
        augment=Augment(**settings["augment"]),
        settings=Train(**settings["train"], **params.computing),
        seed=settings["seed"],
        hardware=machine,
        label=snakemake.output[0],  # noqa: F821
    )
    said.save(snakemake.output[0], videos)  # noqa: F821
