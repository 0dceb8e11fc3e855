"""Train one run: a pretraining, a baseline, a teacher or a student, as its settings say."""

from dtkd.common.workflow_job import job

with job(snakemake):  # noqa: F821
    from dtkd.training import launch
    from dtkd.training.trainer import Plan

    inputs = {name: str(path) for name, path in snakemake.input.items() if path}  # noqa: F821
    outputs = {name: str(path) for name, path in snakemake.output.items()}  # noqa: F821
    launch.start(Plan.of(snakemake, settings=snakemake.params.settings, inputs=inputs, outputs=outputs))  # noqa: F821
