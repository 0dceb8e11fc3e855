"""Render the videos of one class of the embedded demo's datasets."""

from dtkd.common.workflow_job import job

with job(snakemake):  # noqa: F821
    import cv2

    from dtkd.data import synthetic

    cv2.setNumThreads(1)
    render = synthetic.Render(**snakemake.params.render)  # noqa: F821
    synthetic.render_class(render, snakemake.wildcards.cls, snakemake.params.root)  # noqa: F821
