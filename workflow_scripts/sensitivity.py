"""Students' accuracy over their hyperparameters."""

from dtkd.common.workflow_job import job

with job(snakemake):  # noqa: F821
    from dtkd.analysis.figures import base, distillation

    table = base.read_table(snakemake.input.table)  # noqa: F821
    base.save(distillation.sensitivity(table), snakemake.output)  # noqa: F821
