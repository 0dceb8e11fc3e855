"""Draw the training videos of one list that are held out to choose epochs by."""

from dtkd.common.workflow_job import job

with job(snakemake):  # noqa: F821
    from dtkd.common.files import atomic, read_parquet
    from dtkd.data import datasets, validation

    source = datasets.Source(**snakemake.params.source)  # noqa: F821
    index, column = read_parquet(snakemake.input.index), f"list{snakemake.wildcards.list}"  # noqa: F821
    held = validation.held_out(index, column, source, float(snakemake.wildcards.fraction))  # noqa: F821
    with atomic(snakemake.output[0]) as path:  # noqa: F821
        held.to_csv(path, index=False)
