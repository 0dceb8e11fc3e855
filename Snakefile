# Dual-teacher knowledge distillation, from raw videos to the paper's tables.
#   snakemake --cores 8 --resources gpu=1 results/tables/table5.csv
from snakemake.utils import min_version

min_version("9.0")


include: "rules/config.smk"
include: "rules/common.smk"
include: "rules/resources.smk"
include: "rules/data.smk"
include: "rules/flow.smk"
include: "rules/split.smk"
include: "rules/train.smk"
include: "rules/search.smk"
include: "rules/evaluate.smk"
include: "rules/tables.smk"
include: "rules/figures.smk"
include: "rules/check.smk"
include: "rules/report.smk"


rule all:
    default_target: True
    input:
        [f"{RESULTS}/tables/{table}.csv" for table in TABLES],
        [f"{RESULTS}/figures/{figure}.png" for figure in ALL_FIGURES],
        f"{RESULTS}/report.html",
