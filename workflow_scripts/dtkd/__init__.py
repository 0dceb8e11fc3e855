"""Subset-aware dual-teacher knowledge distillation (DTKD) for video action recognition.

The library behind the workflow: it never imports snakemake, and a stage that needs no torch imports none.
"""
