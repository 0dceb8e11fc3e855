"""The table that the job's files are called after: the function of this name in `dtkd.analysis.tables.<name>`."""

from dtkd.common.workflow_job import job

with job(snakemake):  # noqa: F821
    from importlib import import_module
    from pathlib import Path

    from dtkd.analysis.tables import writing
    from dtkd.common.files import read_parquet
    from dtkd.motion import subsets

    given, params, output = snakemake.input, snakemake.params, snakemake.output  # noqa: F821
    data = {} if params.rows is None else {"rows": params.rows}
    if given.splits:
        data["splits"] = subsets.read_splits(params.get("splits") or params.datasets, given.splits)
    if given.indexes:
        data["indexes"] = dict(zip(params.datasets, map(read_parquet, given.indexes), strict=True))
    name = Path(output.csv).stem
    table = getattr(import_module(f"dtkd.analysis.tables.{name}"), name)
    writing.write(table(**data), output)
