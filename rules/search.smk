# A student's settings by successive halving: candidates are trained to the first rung and ranked by held-out training
# videos, the best to the next one, and so on; the winner of those that are trained to the end is the student. Who goes on
# is known only then, but not how many: later rungs have a job for each place in the ranking, and none that does nothing.
SEARCHES = STUDY.searches()
SEARCH = f"{RUN}/search/{{search}}"
WINNERS = [run.name for run in RUNS.values() if run.search]


def search_at(wildcards) -> Search:
    folder = f"{wildcards.dataset}/list{wildcards.list}/search/{wildcards.search}"
    if folder not in SEARCHES:
        abort(f"{RESULTS}/{folder}: the study has no such search; it has {', '.join(SEARCHES) or 'none'}")
    return SEARCHES[folder]


def rung_at(wildcards) -> tuple[Search, int]:
    """A search, and after how many epochs it ranks."""
    search, epochs = search_at(wildcards), int(wildcards.epochs)
    if epochs not in search.epochs:
        abort(f"{RESULTS}/{search.folder}: has no rung after {epochs} epochs; it has {', '.join(map(str, search.epochs))}")
    return search, epochs


def candidates_at(wildcards) -> dict[str, Run]:
    """The candidate of a job of the first rung; of a place, whoever may have it."""
    every, name = search_at(wildcards).candidates, wildcards.get("candidate")
    if name and name not in every:
        abort(f"{RESULTS}/{search_at(wildcards).folder}: has no candidate {name}; it has {', '.join(every)}")
    return {name: every[name]} if name else every


def candidate_to_try(wildcards) -> Run:
    """The candidate of a job of the first rung; the workflow ends here where it is a `forgotten` one."""
    (run,) = candidates_at(wildcards).values()
    file = f"epoch{wildcards.epochs}/candidate-{wildcards.candidate}.json"
    refuse_forgotten(f"{RESULTS}/{search_at(wildcards).folder}/{file}", "try_candidate")
    return run


def choice(candidates: dict[str, Run]) -> dict[str, dict]:
    """What a job needs to train whichever it is of several candidates."""
    return {
        name: {"settings": STUDY.settings(run), "inputs": taught_by(run)} for name, run in candidates.items()
    }


def taught_all(candidates: dict[str, Run]) -> list[str]:
    return sorted({file for run in candidates.values() for file in taught_by(run).values()})


def ranking_before(wildcards) -> str:
    search, epochs = rung_at(wildcards)
    return f"{RESULTS}/{search.ranking(search.before(epochs))}"


def search_won_by(wildcards) -> Search:
    return STUDY.search_of(run_of(wildcards, "student"))


rule try_candidate:
    message:
        "Search {wildcards.search} on {wildcards.dataset}, list {wildcards.list}: {wildcards.candidate} to epoch {wildcards.epochs}"
    input:
        **inputs_of(candidate_to_try),
        taught=lambda w: taught_all(candidates_at(w)),
    output:
        f"{SEARCH}/epoch{{epochs}}/candidate-{{candidate}}.json",
    params:
        settings=lambda w: STUDY.settings(candidates_at(w)[w.candidate]),
        # all that is in it makes it run again by `settings`, or as an input
        candidates=lambda w, resources: choice(candidates_at(w)),
        **machine_params("student", lambda w: search_at(w).winner),
    log:
        f"{RESULTS}/logs/search/{{dataset}}-list{{list}}-{{search}}-epoch{{epochs}}-{{candidate}}.log",
    threads: training_threads(on_cpu=1, processes=devices("student"))
    resources:
        **training_resources("student"),
    conda:
        "../envs/train.yaml"
    script:
        "../workflow_scripts/try_candidate.py"


use rule try_candidate as try_place with:
    message:
        "Search {wildcards.search} on {wildcards.dataset}, list {wildcards.list}: place {wildcards.place} to epoch {wildcards.epochs}"
    input:
        **inputs_of(lambda w: search_at(w).winner),
        taught=lambda w: taught_all(candidates_at(w)),
        ranking=ranking_before,
    output:
        f"{SEARCH}/epoch{{epochs}}/place-{{place}}.json",
    params:
        settings=lambda w: STUDY.settings(search_at(w).winner),
        candidates=lambda w, resources: choice(candidates_at(w)),
        **machine_params("student", lambda w: search_at(w).winner),
    log:
        f"{RESULTS}/logs/search/{{dataset}}-list{{list}}-{{search}}-epoch{{epochs}}-place{{place}}.log",


rule rank_candidates:
    message:
        "Search {wildcards.search} on {wildcards.dataset}, list {wildcards.list}: rank after epoch {wildcards.epochs}"
    input:
        lambda w: [f"{RESULTS}/{file}" for file in rung_at(w)[0].tried(rung_at(w)[1])],
    output:
        f"{SEARCH}/epoch{{epochs}}/ranking.json",
    params:
        after=lambda w: rung_at(w)[0].after(rung_at(w)[1]),
    log:
        f"{RESULTS}/logs/search/{{dataset}}-list{{list}}-{{search}}-epoch{{epochs}}.log",
    localrule: True
    conda:
        "../envs/tables.yaml"
    script:
        "../workflow_scripts/rank_candidates.py"


ruleorder: train_winner > train_student


# Of the search's seed the winner is trained already, but for the test; of other seeds it is trained here.
rule train_winner:
    message:
        "Student {wildcards.run} on {wildcards.dataset}, list {wildcards.list}: the winner of its search"
    input:
        **training_inputs("student"),
        taught=lambda w: taught_all(STUDY.candidates(run_of(w, "student"))),
        ranking=lambda w: f"{RESULTS}/{search_won_by(w).ranking(search_won_by(w).epochs[-1])}",
    output:
        **training_outputs("student"),
    wildcard_constraints:
        run="|".join(map(re.escape, WINNERS)) or "(?!)",
    params:
        **training_params("student"),
        candidates=lambda w, resources: choice(STUDY.candidates(run_of(w, "student"))),
        # where the search has left the winner's state
        search=lambda w, resources: (
            f"{RESULTS}/{search_won_by(w).folder}" if run_of(w, "student") == search_won_by(w).winner else None
        ),
    log:
        f"{RESULTS}/logs/student/{{dataset}}-list{{list}}-{{run}}.log",
    threads: training_threads(on_cpu=1, processes=devices("student"))
    resources:
        **training_resources("student"),
    conda:
        "../envs/train.yaml"
    script:
        "../workflow_scripts/train_winner.py"
