"""The figure that the job's files are called after: the function of this name in `dtkd.analysis.figures.<name>`."""

from dtkd.common.workflow_job import job

with job(snakemake):  # noqa: F821
    from importlib import import_module
    from pathlib import Path

    from dtkd.analysis.figures import base

    output = snakemake.output  # noqa: F821
    name = Path(output.png).stem
    module = import_module(f"dtkd.analysis.figures.{name}")
    data = module.read(snakemake.input, snakemake.params)  # noqa: F821
    base.save(getattr(module, name)(*data), output)
