"""Fetch a backbone's published Kinetics-400 weights."""

from dtkd.common.workflow_job import job

with job(snakemake):  # noqa: F821
    from dtkd import models
    from dtkd.models import weights

    published = models.entry(snakemake.wildcards.backbone).kinetics400  # noqa: F821
    weights.download(published, snakemake.output[0], snakemake.params.sha256)  # noqa: F821
