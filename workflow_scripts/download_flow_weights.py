"""Fetch the published weights of a flow algorithm that is a network."""

from dtkd.common.workflow_job import job

with job(snakemake):  # noqa: F821
    from dtkd.motion import raft

    raft.download(snakemake.wildcards.network, snakemake.output[0])  # noqa: F821
