"""Fetch published weights: a backbone's of Kinetics-400 or ImageNet, or those of a repository on a hub."""

from dtkd.common.workflow_job import job

with job(snakemake):  # noqa: F821
    from dtkd import models
    from dtkd.common.published import HUB, Published
    from dtkd.models import weights

    asked, params = snakemake.wildcards, snakemake.params  # noqa: F821
    if hasattr(asked, "owner"):
        published = Published(f"{HUB}{asked.owner}/{asked.name}")
    else:
        published = models.entry(asked.backbone).published(params.get("weights", "kinetics400"))
    weights.download(published, snakemake.output[0], params.sha256)  # noqa: F821
