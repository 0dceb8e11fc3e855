# Figures, drawn from what the other stages wrote. The code that draws a figure is an input, so that changing it redraws it.
# name -> its files of the datasets, and `shown`: dataset -> label -> one file of a run per seed
CHOSEN = {dataset: STUDY.chosen(dataset)[0] for dataset in STUDY.use if STUDY.chosen(dataset)}
PAIRS = {dataset: dict([pair["baseline"], pair["student"]]) for dataset, pair in shown_runs.against_baseline(STUDY).items()}
PAPERS = [row["dataset"] for row in shown_runs.table6(STUDY) if row["as_published"]]  # whose chosen student may be the paper's
TEACHING = {row["dataset"]: {"student": row["student"]} | row["teachers"] for row in shown_runs.table6(STUDY)}
FIGURES = {
    "gains": dict(shown=shown_runs.baselines_to_beat(STUDY), table=f"{RESULTS}/tables/table5.csv"),
    "figure1": dict(splits=MOTIONS),
    "figure2": dict(splits=MOTIONS),
    "figure5": dict(shown=shown_runs.lists(STUDY)),
    "figure6": dict(shown=shown_runs.rivals(STUDY)),
    "figure7": dict(shown=PAIRS, indexes=INDEXES, splits=SPLITS),
    "figure8": dict(shown=TEACHING),
    "confusion": dict(shown=PAIRS, indexes=INDEXES, splits=SPLITS),
    "class_gain": dict(shown=PAIRS, indexes=INDEXES, splits=SPLITS),
    "sensitivity": dict(table=f"{RESULTS}/tables/table5.csv"),
    "teacher_weights": dict(shown=shown_runs.students(STUDY)),
}
if STUDY.split.source == "flow":
    FIGURES["split_stability"] = dict(
        splits=MOTIONS, stability=[f"{RESULTS}/{dataset}/stability.json" for dataset in STUDY.use]
    )
FIGURES = {name: entry for name, entry in FIGURES.items() if entry.get("shown", True)}  # what the study has runs for
ALL_FIGURES = [*FIGURES, *(["teachers"] if "teachers" in TABLES else [])]


def figure_code(wildcards) -> list[str]:
    paper = [f"{LIBRARY}/data/published/figure7.csv"] if wildcards.figure == "figure7" else []
    return code(wildcards.figure) + paper


rule figure:
    message:
        "Figure {wildcards.figure}"
    input:
        shown=lambda w: files_in(FIGURES[w.figure].get("shown", [])),
        splits=lambda w: FIGURES[w.figure].get("splits", []),
        stability=lambda w: FIGURES[w.figure].get("stability", []),
        table=lambda w: FIGURES[w.figure].get("table", []),
        indexes=lambda w: FIGURES[w.figure].get("indexes", []),
        code=figure_code,
    output:
        png=f"{RESULTS}/figures/{{figure}}.png",
        pdf=f"{RESULTS}/figures/{{figure}}.pdf",
    wildcard_constraints:
        figure="|".join(FIGURES),
    params:
        shown=lambda w: FIGURES[w.figure].get("shown"),
        datasets=list(STUDY.use),
        divergences=lambda w: STUDY.divergences() if w.figure == "figure8" else None,
        chosen=lambda w: CHOSEN if w.figure == "teacher_weights" else None,
        as_published=lambda w: PAPERS if w.figure == "figure7" else None,
    log:
        f"{RESULTS}/logs/figures/{{figure}}.log",
    localrule: True
    conda:
        "../envs/figures.yaml"
    script:
        "../workflow_scripts/{wildcards.figure}.py"


# The figure of the table of this name, whose script is called so.
rule figure_teachers:
    message:
        "Figure teachers"
    input:
        table=f"{RESULTS}/tables/teachers.csv",
        code=code("figure_teachers"),
    output:
        png=f"{RESULTS}/figures/teachers.png",
        pdf=f"{RESULTS}/figures/teachers.pdf",
    log:
        f"{RESULTS}/logs/figures/teachers.log",
    localrule: True
    conda:
        "../envs/figures.yaml"
    script:
        "../workflow_scripts/figure_teachers.py"


# Sample frames with their flow: of the classes' videos, those nearest to their class's mean. The flow's job keeps a table of
# each video beside the class's; they choose the frames.
rule examples:
    message:
        "Sample frames and their flow"
    input:
        splits=MOTIONS,
        indexes=INDEXES,
        flow=lambda w: [
            f"{RESULTS}/{dataset}/flow/{cls}.parquet" for dataset in STUDY.use for cls in videos_by_class(dataset)
        ],
        weights=flow_weights,
        person_weights=person_weights,
        plugin=algorithms.ALGORITHMS.source(STUDY.flow.algorithm) or [],
        code=code(
            "examples",
            *(["dtkd.motion.raft"] if STUDY.flow.entry.network else []),
            *(["dtkd.motion.fasterrcnn"] if STUDY.split.by_person else []),
        ),
    output:
        png=f"{RESULTS}/figures/examples.png",
        pdf=f"{RESULTS}/figures/examples.pdf",
        csv=f"{RESULTS}/figures/examples.csv",
    params:
        settings=STUDY.flow_settings | STUDY.split.summary,
        device="auto",  # a few frames; a cluster's login node, which draws them, may have no GPU
        roots=ROOTS,
        augment=STUDY.augment.settings,
        crops=STUDY.evaluation.crops_per_clip,
    log:
        f"{RESULTS}/logs/figures/examples.log",
    localrule: True
    conda:
        "../envs/raft.yaml" if FLOW_NEEDS_TORCH else "../envs/figures.yaml"
    script:
        "../workflow_scripts/examples.py"
