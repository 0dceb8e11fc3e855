"""How often classes keep their subset where their videos are redrawn."""

from dtkd.common.workflow_job import job

with job(snakemake):  # noqa: F821
    from dtkd.common.files import read_parquet, write_json
    from dtkd.motion import stability, subsets

    settings = snakemake.params.settings  # noqa: F821
    index = read_parquet(snakemake.input.index)  # noqa: F821
    flows = subsets.read_flows(snakemake.input.flow, index, settings)  # noqa: F821
    write_json(snakemake.output[0], stability.of_split(flows, settings))  # noqa: F821
