"""Fetch the published weights of a flow algorithm that is a network."""

from dtkd.common.workflow_job import job

with job(snakemake):  # noqa: F821
    from dtkd.models import weights
    from dtkd.motion import algorithms

    weights.download(algorithms.entry(snakemake.wildcards.network).weights, snakemake.output[0])  # noqa: F821
