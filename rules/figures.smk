# Figures, drawn from what the other stages wrote. The code that draws a figure is an input, so that changing it redraws it.
STABILITIES = [f"{RESULTS}/{dataset}/stability.json" for dataset in STUDY.use]
FIGURES = {name: reads for name, reads in contents.FIGURES.items() if in_study(reads)}
ALL_FIGURES = [*FIGURES, *(["teachers"] if "teachers" in TABLES else [])]


def figure_code(wildcards) -> list[str]:
    paper = FIGURES[wildcards.figure].published
    numbers = [f"{LIBRARY}/data/published/{paper}.csv"] if paper else []
    return code("figure", f"dtkd.analysis.figures.{wildcards.figure}") + numbers


rule figure:
    message:
        "Figure {wildcards.figure}"
    input:
        shown=lambda w: files_in(of_runs(FIGURES[w.figure]) or []),
        splits=lambda w: splits_of(FIGURES[w.figure]),
        stability=lambda w: STABILITIES if FIGURES[w.figure].stability else [],
        table=lambda w: f"{RESULTS}/tables/{FIGURES[w.figure].table}.csv" if FIGURES[w.figure].table else [],
        indexes=lambda w: INDEXES if FIGURES[w.figure].indexes else [],
        code=figure_code,
    output:
        png=f"{RESULTS}/figures/{{figure}}.png",
        pdf=f"{RESULTS}/figures/{{figure}}.pdf",
    wildcard_constraints:
        figure="|".join(FIGURES),
    params:
        shown=lambda w: of_runs(FIGURES[w.figure]),
        datasets=list(STUDY.use),
        divergences=lambda w: setting(FIGURES[w.figure], "divergences"),
        chosen=lambda w: setting(FIGURES[w.figure], "chosen"),
        as_published=lambda w: setting(FIGURES[w.figure], "as_published"),
    log:
        f"{RESULTS}/logs/figures/{{figure}}.log",
    localrule: True
    conda:
        "../envs/figures.yaml"
    script:
        "../workflow_scripts/figure.py"


# The figure of the table of this name.
rule figure_teachers:
    message:
        "Figure teachers"
    input:
        table=f"{RESULTS}/tables/teachers.csv",
        code=code("figure", "dtkd.analysis.figures.teachers"),
    output:
        png=f"{RESULTS}/figures/teachers.png",
        pdf=f"{RESULTS}/figures/teachers.pdf",
    log:
        f"{RESULTS}/logs/figures/teachers.log",
    localrule: True
    conda:
        "../envs/figures.yaml"
    script:
        "../workflow_scripts/figure.py"


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
        plugin=FLOW_PLUGIN,
        code=code(
            "examples",
            *(["dtkd.motion.raft"] if STUDY.flow.entry.network else []),
            *(["dtkd.motion.fasterrcnn"] if STUDY.by_person else []),
        ),
    output:
        png=f"{RESULTS}/figures/examples.png",
        pdf=f"{RESULTS}/figures/examples.pdf",
        csv=f"{RESULTS}/figures/examples.csv",
    params:
        settings=STUDY.flow_settings | STUDY.flow_summary,
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
