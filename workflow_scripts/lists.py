"""Write the train and test lists of one of the embedded demo's datasets."""

from dtkd.common.workflow_job import job

with job(snakemake):  # noqa: F821
    from dtkd.data import synthetic

    synthetic.write_lists(synthetic.Render(**snakemake.params.render), snakemake.params.annotations)  # noqa: F821
