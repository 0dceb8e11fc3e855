# Tables, computed from parquet and JSON with no model in sight. The code that determines a table is among its inputs: a
# change of it, or of the chosen student, makes tables again, and what is drawn of them, but trains nothing.
INDEXES = [f"{RESULTS}/{dataset}/videos.parquet" for dataset in STUDY.use]
SPLITS = [f"{RESULTS}/{STUDY.split_file(dataset)}" for dataset in STUDY.use]
ALL_SPLITS = shown_runs.splits(STUDY)
# Those of the chosen students; a data set without any has none that matters.
CHOSEN_SPLITS = [f"{RESULTS}/{STUDY.split_file(dataset, chosen[1].split if chosen else None)}"
                 for dataset in STUDY.use for chosen in [STUDY.chosen(dataset)]]  # fmt: skip
ROOTS = {dataset: dataset_settings(dataset).videos for dataset in STUDY.use}
# The classes' mean flow: where it did not make the split, it is measured beside it.
MOTIONS = [f"{RESULTS}/{dataset}/{'split' if STUDY.split.source == 'flow' else 'motion'}.json" for dataset in STUDY.use]


def files_in(shown) -> list[str]:
    """Every file that rows of any shape name."""
    if isinstance(shown, dict):
        shown = shown.values()
    elif not isinstance(shown, list):
        return [shown] if str(shown).endswith((".parquet", ".json")) else []
    return sorted({file for part in shown for file in files_in(part)})


@lru_cache(maxsize=None)
def of_runs(reads: contents.Reads):
    """What a table or figure shows of the study's runs: None if it has none to show, empty if the study has none."""
    return getattr(shown_runs, reads.runs)(STUDY) if reads.runs else None


def in_study(reads: contents.Reads) -> bool:
    """Whether the study has what a table or figure is made of."""
    return (reads.runs is None or bool(of_runs(reads))) and (not reads.stability or STUDY.split.source == "flow")


def splits_of(reads: contents.Reads) -> list[str]:
    return {"split": SPLITS, "each": list(ALL_SPLITS.values()), "chosen": CHOSEN_SPLITS, "motion": MOTIONS,
            None: []}[reads.splits]  # fmt: skip


def code(script: str, *modules: str) -> list[str]:
    """A script of this name and what it uses of the library, and ``modules`` that it imports by name."""
    return code_of(f"{workflow.basedir}/workflow_scripts/{script}.py", *modules)


def table_code(wildcards) -> list[str]:
    paper = [f"{LIBRARY}/data/published/table{n}.csv" for n in range(1, 7)]
    return code("table", f"dtkd.analysis.tables.{wildcards.table}") + paper


TABLES = {name: reads for name, reads in contents.TABLES.items() if in_study(reads)}
SETTINGS = {  # of the study, by the names in `contents.Reads`; a job whose table or figure has no such one has None
    "divergences": STUDY.divergences(),
    "chosen": {dataset: STUDY.chosen(dataset)[0] for dataset in STUDY.use if STUDY.chosen(dataset)},
    # the data sets whose chosen student may be the paper's
    "as_published": [row["dataset"] for row in shown_runs.table6(STUDY) if row["as_published"]],
}


def setting(reads: contents.Reads, name: str):
    return SETTINGS[name] if reads.setting == name else None


rule table:
    message:
        "Table {wildcards.table}"
    input:
        runs=lambda w: files_in(of_runs(TABLES[w.table]) or []),
        indexes=lambda w: INDEXES if TABLES[w.table].indexes else [],
        splits=lambda w: splits_of(TABLES[w.table]),
        code=table_code,
    output:
        csv=f"{RESULTS}/tables/{{table}}.csv",
        md=f"{RESULTS}/tables/{{table}}.md",
        tex=f"{RESULTS}/tables/{{table}}.tex",
    wildcard_constraints:
        table="|".join(TABLES),
    params:
        rows=lambda w: of_runs(TABLES[w.table]),
        datasets=list(STUDY.use),
        splits=lambda w: list(ALL_SPLITS) if TABLES[w.table].splits == "each" else None,
        divergences=lambda w: setting(TABLES[w.table], "divergences"),  # the rows have them; for the record
    log:
        f"{RESULTS}/logs/tables/{{table}}.log",
    localrule: True
    conda:
        "../envs/tables.yaml"
    script:
        "../workflow_scripts/table.py"


rule disagreements:
    message:
        "Test videos on which the chosen student and its baseline disagree"
    input:
        runs=files_in(shown_runs.against_baseline(STUDY)),
        indexes=INDEXES,
        splits=CHOSEN_SPLITS,
        code=code("disagreements"),
    output:
        csv=f"{RESULTS}/tables/disagreements.csv",
        pictures=f"{RESULTS}/tables/disagreements.json",
    params:
        shown=shown_runs.against_baseline(STUDY),
        datasets=list(STUDY.use),
        roots=ROOTS,
        augment=None if STUDY.of_features else STUDY.augment.settings,
        crops=STUDY.evaluation.crops_per_clip,
    log:
        f"{RESULTS}/logs/tables/disagreements.log",
    localrule: True
    conda:
        "../envs/figures.yaml"
    script:
        "../workflow_scripts/disagreements.py"
