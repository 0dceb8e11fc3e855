"""How much each teacher counted over the students' training."""

from dtkd.job import job

with job(snakemake):  # noqa: F821
    from dtkd import figures, figures_distillation
    from dtkd.files import read_parquet

    histories = figures.read_runs(snakemake.params.shown, read_parquet)  # noqa: F821
    figure = figures_distillation.teacher_weights(histories, snakemake.params.chosen)  # noqa: F821
    figures.save(figure, snakemake.output)  # noqa: F821
