"""Fetch the published weights of a flow algorithm that is a network, or of the detector of persons."""

from dtkd.common.workflow_job import job

with job(snakemake):  # noqa: F821
    from dtkd.models import weights
    from dtkd.motion import algorithms
    from dtkd.motion.detectors import DETECTOR

    network = snakemake.wildcards.network  # noqa: F821
    published = DETECTOR.weights if network == DETECTOR.name else algorithms.entry(network).weights
    weights.download(published, snakemake.output[0])  # noqa: F821
