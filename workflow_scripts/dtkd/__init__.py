"""Subset-aware dual-teacher knowledge distillation (DTKD) for video action recognition.

The library behind the workflow: it knows nothing of the rules, and a stage that needs no torch imports none.
"""

import sys

if sys.argv[:1] == ["-m"]:  # a command starts: Ctrl-C is one line while its modules are imported, too

    def _interrupted(kind, error, traceback):
        if issubclass(kind, KeyboardInterrupt):
            print("Interrupted", file=sys.stderr)
        else:
            sys.__excepthook__(kind, error, traceback)

    sys.excepthook = _interrupted
