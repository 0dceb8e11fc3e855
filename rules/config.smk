# The config: config.yaml, changed by the files of --configfile and by --config. Read strictly here, before Snakemake does.
import sys
from pathlib import Path

sys.path.insert(0, str(Path(workflow.basedir) / "workflow_scripts"))

from dtkd.config import yaml_files
from dtkd.common.errors import DtkdError


def abort(problem: object):
    """End Snakemake with one line; a WorkflowError, once out of an input function, comes with a traceback."""
    sys.exit(f"error: {problem}")


def checked(function, *args):
    """Call the library; a problem that the user can fix ends the workflow."""
    try:
        return function(*args)
    except DtkdError as error:
        abort(error)


if (encoding := sys.getfilesystemencoding()) != "utf-8":  # stock Snakemake's; the project's own sees to it
    abort(f"names of files are {encoding} by the locale, and UTF-8 in lists: set PYTHONUTF8=1 in the environment")

if workflow.is_main_process:  # its jobs read the same
    for file in (*workflow.configfiles, Path("config.yaml")):
        if file.exists():
            checked(yaml_files.read, file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file)
    checked(yaml_files.check_words, workflow.config_settings.config_args)


configfile: "config.yaml"
