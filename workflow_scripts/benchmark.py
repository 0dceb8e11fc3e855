"""What a run's network takes to answer on this machine, one clip at a time and in batches."""

from dtkd.common.workflow_job import job

with job(snakemake):  # noqa: F821
    from dtkd.common.files import write_json
    from dtkd.inference import measuring
    from dtkd.inference.trained import of_checkpoint

    given, params = snakemake.input, snakemake.params  # noqa: F821
    here = dict(device=params.device, threads=snakemake.threads)  # noqa: F821
    rows = measuring.measured(lambda device: of_checkpoint(given.checkpoint), **here)
    found = {"machine": measuring.machine(**here), "rows": rows}
    write_json(snakemake.output[0], found)  # noqa: F821
