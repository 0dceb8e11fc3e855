# One page that holds the study: settings, tables, figures, what was decided, what made each result.
REPORTED = sorted(RUNS.values(), key=lambda run: run.role == "pretrain")  # pretraining last


EXAMPLES = [] if STUDY.of_features else f"{RESULTS}/figures/examples.csv"  # of features there are no frames to show


rule report:
    message:
        "Report"
    input:
        tables=[f"{RESULTS}/tables/{table}.csv" for table in [*TABLES, "disagreements"]],
        figures=[f"{RESULTS}/figures/{figure}.png" for figure in [*ALL_FIGURES, *["examples"] * bool(EXAMPLES)]],
        pictures=f"{RESULTS}/tables/disagreements.json",
        examples=EXAMPLES,
        records=[f"{RESULTS}/{run.folder}/run.json" for run in REPORTED],
        histories=[f"{RESULTS}/{run.folder}/history.parquet" for run in REPORTED],
        checks=checks_of_report(),
        decisions=f"{workflow.basedir}/docs/explanation/decisions.md",
        code=code("report"),
        contents=f"{LIBRARY}/analysis/contents.yaml",
        templates=[f"{LIBRARY}/reports/templates/{name}" for name in ("report.html.j2", "report.css")],
        templates_of_checks=[f"{LIBRARY}/reports/templates/{name}" for name in ("report_checks.html.j2", "findings.html.j2", "findings.css")],
    output:
        f"{RESULTS}/report.html",
    params:
        study=STUDY.model_dump(mode="json"),
        expected=EXPECTED,
        checked={dataset: STUDY.checked(dataset) for dataset in STUDY.use},
        runs=[
            dict(dataset=run.dataset, list=run.list, role=run.role, run=run.name, seed=run.seed, model=MODELS.get(run.folder, ""))
            for run in REPORTED
        ],
    log:
        f"{RESULTS}/logs/report.log",
    localrule: True
    conda:
        "../envs/report.yaml"
    script:
        "../workflow_scripts/report.py"
