"""A study of 4 x 12 rendered videos of 48 px: real jobs from rendering to Table 5, each a matter of seconds."""

from pathlib import Path

import yaml

LIST = "results/small/list1"
STUDENTS = {
    "A": {"S_alpha": 0.3, "KD_T": 2, "KD_alpha": 0.4, "LT": True, "FT": True},
    "B": {"S_alpha": 0.5, "KD_T": 2, "KD_alpha": 0.4, "LT": True, "FT": False},
    "C": {"method": "bskd", "KD_T": 2, "KD_alpha": 0.4, "LT": True, "FT": True},
    "D": {"method": "kd", "KD_T": 2, "KD_alpha": 0.4},
}


def write(root: Path, students: str = "ABC", **train) -> Path:
    """Write config.yaml in ``root``; ``train`` changes the training's settings."""
    root.mkdir(exist_ok=True)
    render = {"vocabulary": "demo_hmdb", "groups": 4, "clips_per_group": 1, "width": 48, "height": 48, "frames": 12}
    config = {
        "name": "small",
        "use": ["small"],
        "device": "cpu",
        "datasets": {"small": {"format": "hmdb51", "videos": "raw", "annotations": "raw/lists", "render": render}},
        "model": {"backbone": "slowfast_small", "weights": "none"},
        "clip": {"frames": 8, "rate": 1},
        "augment": {"short_side": [32, 36], "crop": 32, "test_short_side": 32},
        "train": {"epochs": 1, "batch_size": 8, "lr": 0.05} | train,
        "baselines": {"small": {"H1": {"list": 1}}},
        "students": {"small": {name: STUDENTS[name] for name in students}},
    }
    (root / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    return root
