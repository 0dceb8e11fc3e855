"""How often classes keep their subset where their videos are redrawn."""

from dtkd.common.workflow_job import job

with job(snakemake):  # noqa: F821
    from pathlib import Path

    from dtkd.common.files import read_parquet, write_json
    from dtkd.motion import stability, subsets

    settings = snakemake.params.settings  # noqa: F821
    flows = {Path(path).stem: read_parquet(path) for path in snakemake.input.flow}  # noqa: F821
    if settings["over"] == "train":
        flows = subsets.train_flows(flows, read_parquet(snakemake.input.index), "list1")  # noqa: F821
    write_json(snakemake.output[0], stability.of_split(flows, settings))  # noqa: F821
