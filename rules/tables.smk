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


# What each table is made of: files of the datasets, and rows that name files of runs.
TABLES = {
    "table1": dict(splits=MOTIONS),
    "table2": dict(indexes=INDEXES, splits=SPLITS),
    "table3": dict(rows=shown_runs.table3(STUDY)),
    "crossvalidation": dict(rows=shown_runs.table3(STUDY)),
    "table4": dict(rows=shown_runs.table4(STUDY), indexes=INDEXES, splits=list(ALL_SPLITS.values())),
    "teachers": dict(rows=shown_runs.teachers(STUDY), indexes=INDEXES, splits=list(ALL_SPLITS.values())),
    "table5": dict(rows=shown_runs.table5(STUDY)),
    "students_over_lists": dict(rows=shown_runs.students_over_lists(STUDY)),
    "table6": dict(rows=shown_runs.table6(STUDY), indexes=INDEXES, splits=CHOSEN_SPLITS),
    "readings": dict(rows=shown_runs.readings(STUDY)),
}
TABLES = {name: entry for name, entry in TABLES.items() if entry.get("rows", True)}  # what the study has runs for


def code(script: str, *modules: str) -> list[str]:
    """A script of this name and what it uses of the library, and ``modules`` that it imports by name."""
    return code_of(f"{workflow.basedir}/workflow_scripts/{script}.py", *modules)


def table_code(wildcards) -> list[str]:
    return code(wildcards.table) + [f"{LIBRARY}/data/published/table{n}.csv" for n in range(1, 7)]


rule table:
    message:
        "Table {wildcards.table}"
    input:
        runs=lambda w: files_in(TABLES[w.table].get("rows", [])),
        indexes=lambda w: TABLES[w.table].get("indexes", []),
        splits=lambda w: TABLES[w.table].get("splits", []),
        code=table_code,
    output:
        csv=f"{RESULTS}/tables/{{table}}.csv",
        md=f"{RESULTS}/tables/{{table}}.md",
        tex=f"{RESULTS}/tables/{{table}}.tex",
    wildcard_constraints:
        table="|".join(TABLES),
    params:
        rows=lambda w: TABLES[w.table].get("rows"),
        datasets=list(STUDY.use),
        splits=lambda w: list(ALL_SPLITS) if w.table in ("table4", "teachers") else None,
        divergences=lambda w: STUDY.divergences() if w.table == "table6" else None,  # the rows have them; for the record
    log:
        f"{RESULTS}/logs/tables/{{table}}.log",
    localrule: True
    conda:
        "../envs/tables.yaml"
    script:
        "../workflow_scripts/{wildcards.table}.py"


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
        augment=STUDY.augment.settings,
        crops=STUDY.evaluation.crops_per_clip,
    log:
        f"{RESULTS}/logs/tables/disagreements.log",
    localrule: True
    conda:
        "../envs/figures.yaml"
    script:
        "../workflow_scripts/disagreements.py"
