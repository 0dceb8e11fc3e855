"""Render one of the embedded demo's datasets: videos and lists."""

from dtkd.job import job

with job(snakemake):  # noqa: F821
    import cv2
    from tqdm import tqdm

    from dtkd import synthetic

    cv2.setNumThreads(1)
    render = synthetic.Render(**snakemake.params.render)  # noqa: F821
    root = snakemake.params.root  # noqa: F821
    for name in tqdm(synthetic.class_names(render.vocabulary), desc=f"render {render.vocabulary}", unit="class"):
        synthetic.render_class(render, name, root)
    synthetic.write_lists(render, snakemake.params.annotations)  # noqa: F821
