"""What lies beside this folder (official.py) is for these tests too."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
