"""Fetch a backbone's published Kinetics-400 weights."""

from dtkd.common.workflow_job import job

with job(snakemake):  # noqa: F821
    from dtkd.common import download
    from dtkd.models import backbones

    url = backbones.backbone(snakemake.wildcards.backbone).weights_url  # noqa: F821
    download.fetch(url, snakemake.output[0], sha256=snakemake.params.sha256)  # noqa: F821
