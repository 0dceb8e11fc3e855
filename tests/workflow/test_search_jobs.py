"""A search's jobs: one for each candidate, then one for each place; after a change, those of what is new."""

import tiny

LIST = "tiny/list1"
SEARCH = f"{LIST}/search/tuned-seed0"
ROW = {"method": "kd", "KD_T": 2, "KD_alpha": 0.4}


def tried(*names):
    return {f"try_candidate {SEARCH}/epoch1/candidate-{name}.json" for name in names}


def after_the_first_rung(*seeds):
    """Places, rankings, the winner's run of each seed, and the table."""
    places = {f"try_place {SEARCH}/epoch{epoch}/place-{place}.json" for epoch, place in ((2, 1), (2, 2), (4, 1))}
    rankings = {f"rank_candidates {SEARCH}/epoch{epoch}/ranking.json" for epoch in (1, 2, 4)}
    winners = {f"train_winner {LIST}/student/search-tuned-seed{seed}" for seed in seeds}
    return places | rankings | winners | {"table table5"}


def test_a_grid_that_grows_trains_what_is_new(tmp_path):
    """Later rungs and the winner are looked at again: what is known of a candidate is not trained again there."""
    root = tiny.write(tmp_path / "study")

    def configure(*values, seeds=(0,)):
        search = {"grid": {"KD_T": list(values)}, "rungs": [1, 2], "eta": 2}
        tiny.configure(root, lambda config: config["train"].update(epochs=4, selection="validation"))
        tiny.configure(root, lambda config: config.update(students={"tiny": {"tuned": ROW | {"search": search}}}))
        tiny.configure(root, lambda config: config.update(seeds=list(seeds)))

    configure(1, 2, 4, 8)
    planned = tiny.pending(root)
    assert tried("T1", "T2", "T4", "T8") | after_the_first_rung(0) < planned
    assert not [job for job in planned if job.startswith(("train_student", "split"))], "candidates are no runs"
    tiny.pretend(root)
    configure(1, 2, 4, 8, 16)
    assert tiny.pending(root) == tried("T16") | after_the_first_rung(0)
    configure(1, 2, 4, 8, seeds=(0, 1))
    more = {f"{rule} {LIST}/{file}" for rule, file in (
        ("train_baseline", "baseline/slowfast_small-seed1"),
        ("teacher_logits", "targets/frozen-slowfast_small-seed1.pt"),
        ("train_winner", "student/search-tuned-seed1"))}  # fmt: skip
    assert tiny.pending(root) == more | {"table table5"}
