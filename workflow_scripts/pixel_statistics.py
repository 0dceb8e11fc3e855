"""Mean and standard deviation per channel, or per dimension of features, of a dataset's training videos."""

from dtkd.common.workflow_job import job

with job(snakemake):  # noqa: F821
    from dtkd.common.files import read_parquet, write_json
    from dtkd.data import features, pixel_statistics
    from dtkd.data.datasets import Videos

    index = read_parquet(snakemake.input.index)  # noqa: F821
    params = snakemake.params  # noqa: F821
    videos = Videos.of(index, params.root, f"list{snakemake.wildcards.list}", "train")  # noqa: F821
    of_features = "dimension" in index
    found = features.statistics(videos) if of_features else pixel_statistics.statistics(videos, **params.settings)
    write_json(snakemake.output[0], found)  # noqa: F821
