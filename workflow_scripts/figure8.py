"""Figure 8: how far a student is from its teachers on every test video."""

from dtkd.common.workflow_job import job

with job(snakemake):  # noqa: F821
    from dtkd.analysis.figures import base, distillation
    from dtkd.training.metrics import Predictions

    runs = base.read_runs(snakemake.params.shown, Predictions.read)  # noqa: F821
    divergences = distillation.divergences(runs, snakemake.params.divergences)  # noqa: F821
    base.save(distillation.figure8(divergences), snakemake.output)  # noqa: F821
