"""Figure 2: the classes' mean flow against its standard deviation."""

from dtkd.job import job

with job(snakemake):  # noqa: F821
    from dtkd import figures, figures_motion, subsets

    splits = subsets.read_splits(snakemake.params.datasets, snakemake.input.splits)  # noqa: F821
    figures.save(figures_motion.figure2(splits), snakemake.output)  # noqa: F821
