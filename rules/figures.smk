# Figures, drawn from what the other stages wrote. A figure's own code is an input, so that changing it redraws it.
rule figure1:
    message:
        "Figure 1"
    input:
        splits=[f"{RESULTS}/{dataset}/split.json" for dataset in STUDY.use],
        code=f"{LIBRARY}/figures.py",
    output:
        png=f"{RESULTS}/figures/figure1.png",
        pdf=f"{RESULTS}/figures/figure1.pdf",
    params:
        datasets=list(STUDY.use),
    log:
        f"{RESULTS}/logs/figures/figure1.log",
    localrule: True
    conda:
        "../envs/figures.yaml"
    script:
        "../workflow_scripts/figure1.py"
