# What jobs ask for: of this machine, and of a cluster's scheduler. None of it changes a result, or makes a job run again.
import shutil

# Whether jobs go to a cluster's scheduler (a dry run for it included): only then does Snakemake have a number of --jobs.
# And whether this is such a job, which has to decide as the Snakemake did that asked for its resources.
ON_CLUSTER = workflow.nodes is not None or workflow.remote_exec


@lru_cache(maxsize=None)
def on_gpu() -> bool:
    """Whether training asks for a GPU: with `device: auto`, on a cluster, and where this machine has one."""
    return STUDY.device == "cuda" or (STUDY.device == "auto" and (ON_CLUSTER or shutil.which("nvidia-smi") is not None))


def gpus(*_) -> int:
    return 1 if on_gpu() else 0


# --cores may promise more than there are (the README's command says 8): on a machine without a GPU, jobs that compute
# all the time then share the cores there are, rather than slow each other down.
CORES = len(os.sched_getaffinity(0))
if "cpu" not in workflow.global_resources:
    workflow.register_resource("cpu", CORES)


def own_cores(wildcards, threads) -> int:
    """How many of this machine's cores a job keeps busy; on a cluster that is the scheduler's business."""
    return min(threads, CORES) if workflow.local_exec else 0


def training_cores(wildcards, threads) -> int:
    """The same for a training: on a GPU it is the GPU that is busy."""
    return 0 if on_gpu() else own_cores(wildcards, threads)


def training_threads(on_cpu: int, processes: int = 1) -> int:
    """On a GPU, threads decode; on a CPU, small runs side by side use the cores better than one run on all of them."""
    return (8 if on_gpu() else on_cpu) * processes


# What a cluster's scheduler is asked for: a job that was killed for lack of it asks for more when it is tried again.
def scale_with_attempt(amount: int):
    return lambda wildcards, attempt: amount * attempt


TRAINING_MINUTES = 1440  # at every try alike: each goes on from the last epoch of the one before


def training_memory(wildcards, attempt) -> int:
    """Megabytes: on a GPU, loaders hold clips of the paper's size beside the networks."""
    return (32_000 if on_gpu() else 3_000) * attempt


def devices(role: str) -> int:
    """The processes of a training on each of its nodes."""
    return STUDY.train_settings(role).devices


def nodes(role: str) -> int:
    return STUDY.train_settings(role).nodes


def tasks(role: str):
    """One a node. On GPUs that is left to SLURM, which does so: its executor would take the number for tasks per GPU."""
    return lambda *_: 0 if on_gpu() else nodes(role)


def all_gpus(role: str):
    return lambda *_: gpus() * devices(role) if nodes(role) == 1 else 0


def gpus_of_nodes(role: str) -> dict[str, str]:
    """GPUs are asked for by the node where there are several: of a total, SLURM may give one node more than another,
    and a job's first step, which is on one node, cannot hold it."""
    return {"gres": f"gpu:{devices(role)}"} if nodes(role) > 1 and on_gpu() else {}


def memory_of_a_node(role: str):
    return lambda wildcards, attempt: devices(role) * training_memory(wildcards, attempt)


def training_resources(role: str) -> dict:
    """What a training of this role asks for, on each of its nodes."""
    return dict(
        gpu=all_gpus(role),
        **gpus_of_nodes(role),
        nodes=nodes(role),
        tasks=tasks(role),
        cpu=training_cores,
        mem_mb=memory_of_a_node(role),
        runtime=TRAINING_MINUTES,
    )


def flow_gpus(wildcards) -> int:
    return gpus() if STUDY.flow.entry.gpu != "never" else 0


def flow_cores(wildcards, threads) -> int:
    return 0 if flow_gpus(wildcards) else own_cores(wildcards, threads)
