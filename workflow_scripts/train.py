"""Train one run: a pretraining, a baseline, a teacher or a student, as its settings say."""

from dtkd.common.workflow_job import job

with job(snakemake):  # noqa: F821
    from dtkd.training import launch
    from dtkd.training.trainer import Plan

    params = snakemake.params  # noqa: F821
    launch.start(
        Plan(
            settings=params.settings,
            computing=params.computing,
            root=params.root,
            column=f"list{snakemake.wildcards.list}",  # noqa: F821
            device=params.device,
            threads=snakemake.threads,  # noqa: F821
            cache_mb=params.cache_mb,
            sha256=params.sha256,
            inputs={name: str(path) for name, path in snakemake.input.items() if path},  # noqa: F821
            outputs={name: str(path) for name, path in snakemake.output.items()},  # noqa: F821
        )
    )
