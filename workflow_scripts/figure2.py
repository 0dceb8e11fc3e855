"""Figure 2: the classes' mean flow against its standard deviation."""

from dtkd.common.workflow_job import job

with job(snakemake):  # noqa: F821
    from dtkd.analysis.figures import base, motion
    from dtkd.motion import subsets

    splits = subsets.read_splits(snakemake.params.datasets, snakemake.input.splits)  # noqa: F821
    base.save(motion.figure2(splits), snakemake.output)  # noqa: F821
