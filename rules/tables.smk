# Tables, computed from parquet with no model in sight. A table's own code is an input, so that changing it reruns it.
def table5_runs() -> list[dict]:
    """The rows of Table 5: per dataset the first baseline of list 1, then its students."""
    rows = []
    for dataset in STUDY.use:
        baseline, run = STUDY.reference(dataset)
        rows.append(dict(dataset=dataset, model=baseline, folder=run.folder, method="baseline"))
        for model, student in STUDY.students_of(dataset).items():
            folder = STUDY.student_run(dataset, student).folder
            settings = {key: getattr(student, key) for key in ("method", "LT", "FT", "S_alpha", "KD_T", "KD_alpha")}
            rows.append(dict(dataset=dataset, model=model, folder=folder, **settings))
    return rows


rule table5:
    message:
        "Table 5"
    input:
        predictions=lambda w: sorted({f"{RESULTS}/{row['folder']}/predictions.parquet" for row in table5_runs()}),
        code=f"{LIBRARY}/tables.py",
    output:
        csv=f"{RESULTS}/tables/table5.csv",
        md=f"{RESULTS}/tables/table5.md",
        tex=f"{RESULTS}/tables/table5.tex",
    params:
        rows=table5_runs(),
        results=RESULTS,
    log:
        f"{RESULTS}/logs/tables/table5.log",
    localrule: True
    conda:
        "../envs/tables.yaml"
    script:
        "../workflow_scripts/table5.py"
