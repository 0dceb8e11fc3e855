# Tables, computed from parquet with no model in sight. A table's own code is an input, so that changing it reruns it.
def predictions(run: Run) -> str:
    """A run's logits by the study's protocol, relative to the results folder."""
    return f"{run.folder}/{STUDY.evaluation.file}"


def as_published(run: Run) -> bool:
    """Whether what Table 5 has no column for is as in the paper."""
    usual = run.list == 1 and run.backbone == "slowfast_r101_16x8" and not run.frozen
    return usual and (run.student is None or (run.student.weighting, run.student.unfrozen) == ("gated", "own"))


def table5_runs() -> list[dict]:
    """The rows of Table 5: for each dataset and list the first baseline, then the students."""
    rows = []
    for dataset in STUDY.use:
        students = STUDY.students_of(dataset)
        for number in sorted({1} | {student.list for student in students.values()}):
            named = {name: STUDY.student_run(dataset, row) for name, row in students.items() if row.list == number}
            if STUDY.reference(dataset, number) is None:
                continue
            name, run = STUDY.reference(dataset, number)
            shared = dict(dataset=dataset, list=number)
            rows.append(dict(shared, model=name, method="baseline", predictions=predictions(run), as_published=as_published(run)))
            for name, run in named.items():
                settings = {key: getattr(run.student, key) for key in ("method", "LT", "FT", "S_alpha", "KD_T", "KD_alpha")}
                rows.append(dict(shared, model=name, predictions=predictions(run), as_published=as_published(run), **settings))
    return rows


rule table5:
    message:
        "Table 5"
    input:
        predictions=lambda w: sorted({f"{RESULTS}/{row['predictions']}" for row in table5_runs()}),
        code=[f"{LIBRARY}/tables.py", f"{LIBRARY}/metrics.py", *(f"{LIBRARY}/published/table{n}.csv" for n in (3, 5))],
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
