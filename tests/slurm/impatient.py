"""The project's `snakemake`, which here asks every other second how its jobs are: the executor's own pauses grow to
minutes, and a test would spend most of its time in them. What is asked and what follows from it are the executor's."""

from snakemake_executor_plugin_slurm import Executor

from snakemake_command import main

Executor.next_seconds_between_status_checks = property(lambda self: 2, lambda self, seconds: None)

if __name__ == "__main__":
    main()
