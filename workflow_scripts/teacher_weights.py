"""How much each teacher counted over the students' training."""

from dtkd.common.workflow_job import job

with job(snakemake):  # noqa: F821
    from dtkd.analysis.figures import base, distillation
    from dtkd.common.files import read_parquet

    histories = base.read_runs(snakemake.params.shown, read_parquet)  # noqa: F821
    figure = distillation.teacher_weights(histories, snakemake.params.chosen)  # noqa: F821
    base.save(figure, snakemake.output)  # noqa: F821
