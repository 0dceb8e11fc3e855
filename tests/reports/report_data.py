"""Made-up tables and runs for the tests of the report."""

import json
from pathlib import Path

import pandas as pd

PROJECT = Path(__file__).parents[2]
EVIL = "<script>alert(1)</script>"
TABLE5 = """dataset,model,method,LT,FT,S_alpha,KD_T,KD_alpha,top1,top5,gain,gain_low,gain_high,p,p_holm
demo_ucf,U1,baseline,,,,,,40.00,80.00,,,,,
demo_ucf,SU1,dtkd,True,True,0.3,2,0.2,45.00,79.00,+5.00,-2.00,+12.00,0.3,0.6
demo_ucf,SU2,bskd,True,False,,2,0.4,38.00,90.00,-2.00,-9.00,+5.00,0.7,0.7
demo_hmdb,H1,baseline,,,,,,30.00,60.00,,,,,
demo_hmdb,SH1,dtkd,True,True,0.3,2,0.2,50.00,85.00,+20.00,+9.00,+31.00,0.0002,0.0004
demo_hmdb,SH2,dtkd,True,True,0.3,2,0.2,50.00,84.00,+20.00,+9.00,+31.00,0.0002,0.0004
"""


def one_run(folder, name, **changes):
    """The record and history of a run; both paths."""
    folder = folder / name
    folder.mkdir(parents=True)
    record = {
        "settings": {"train": {"selection": "best"}}, "device": "cpu", "versions": {"python": "3.11.7", "torch": "2.0"},
        "inputs": {"index": {"path": f"results/{EVIL}.parquet", "sha256": "ab" * 32}},
        "git": {"commit": "0123456789abcdef", "changed": True},
    }  # fmt: skip
    (folder / "run.json").write_text(json.dumps(record | changes))
    history = {"epoch": [1, 2, 3], "top1": [10.0, 30.0, 20.0], "train_seconds": [50.0, 60.0, 70.0],
               "wait_seconds": [1.0, 2.0, 3.0], "test_seconds": [5.0, 5.0, 5.0]}  # fmt: skip
    pd.DataFrame(history).to_parquet(folder / "history.parquet")
    return str(folder / "run.json"), str(folder / "history.parquet")
