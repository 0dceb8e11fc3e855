"""The project's `snakemake` command: targets after --resources, --config and --configfile are targets again."""

import asyncio
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from snakemake.cli import parse_args
from snakemake_interface_executor_plugins.executors.remote import RemoteExecutor

import snakemake_command
from snakemake_command import at_home, joined, main, others_here, owned, targets_first

TABLE5 = "results/tables/table5.csv"
SPLIT = "results/demo_ucf/split.json"


@pytest.mark.parametrize(("given", "expected"), [
    # the promised command, and the same with its target elsewhere
    (f"--cores 8 --resources gpu=1 {TABLE5}", f"{TABLE5} --cores 8 --resources gpu=1"),
    (f"--cores 8 {TABLE5} --resources gpu=1", f"--cores 8 {TABLE5} --resources gpu=1"),
    (f"{TABLE5} --cores 8 --resources gpu=1", f"{TABLE5} --cores 8 --resources gpu=1"),
    # several resources, several targets, both names of the option, twice
    (f"--resources gpu=1 mem_mb=4000 {TABLE5} {SPLIT}", f"{TABLE5} {SPLIT} --resources gpu=1 mem_mb=4000"),
    (f"--res gpu=1 {TABLE5} --cores 8", f"{TABLE5} --res gpu=1 --cores 8"),
    (f"--resources gpu=1 {TABLE5} --res mem_mb=1 {SPLIT}", f"{TABLE5} {SPLIT} --resources gpu=1 --res mem_mb=1"),
    # options after it keep their own values
    (f"--resources gpu=1 {TABLE5} --cores 8 -n", f"{TABLE5} --resources gpu=1 --cores 8 -n"),
    (f"--resources gpu=1 --until split {TABLE5}", f"--resources gpu=1 --until split {TABLE5}"),
    (f"--resources=gpu=1 {TABLE5}", f"--resources=gpu=1 {TABLE5}"),
    # what follows -- is Snakemake's business
    (f"--resources gpu=1 -- {TABLE5}", f"--resources gpu=1 -- {TABLE5}"),
    (f"--resources gpu=1 {SPLIT} -- {TABLE5} gpu=1", f"{SPLIT} --resources gpu=1 -- {TABLE5} gpu=1"),
    # configuration on the command line
    (f"--config device=cpu seed=1 {TABLE5}", f"{TABLE5} --config device=cpu seed=1"),
    (f"-C device=cpu {TABLE5}", f"{TABLE5} -C device=cpu"),
    (f"--configfile studies/paper.yaml {TABLE5}", f"{TABLE5} --configfile studies/paper.yaml"),
    (f"--configfile studies/paper.yaml {SPLIT}", f"{SPLIT} --configfile studies/paper.yaml"),
    (f"--configfile paper.yaml mine.yml {TABLE5}", f"{TABLE5} --configfile paper.yaml mine.yml"),
    (f"--configfile mine.json {TABLE5}", f"{TABLE5} --configfile mine.json"),
    # what is left unsaid
    (f"-n --quiet rules {TABLE5}", f"{TABLE5} -n --quiet rules"),
    (f"-n -q host progress {TABLE5} {SPLIT}", f"{TABLE5} {SPLIT} -n -q host progress"),
    (f"-n --quiet {TABLE5}", f"{TABLE5} -n --quiet"),
    ("", ""),
    ("--help", "--help"),
    ("--resources gpu=1", "--resources gpu=1"),
])  # fmt: skip
def test_targets_first(given, expected):
    assert targets_first(given.split()) == expected.split()


@pytest.mark.parametrize(("given", "expected"), [
    ("--config aa=1 -n --config bb=2 --cores 8", "-n --cores 8 --config aa=1 bb=2"),
    ("--config aa=1 bb=2 -C cc=3 -n", "-n --config aa=1 bb=2 cc=3"),
    ("--config=aa=1 --config=bb=2 results/x", "results/x --config aa=1 bb=2"),
    ("--configfile a.yaml --resources gpu=1 --configfiles b.yaml c.yml --res mem_mb=1",
     "--configfile a.yaml b.yaml c.yml --resources gpu=1 mem_mb=1"),
    ("results/x --forcerun split flow --config aa=1 -- results/y --config=z",
     "results/x --forcerun split flow --config aa=1 -- results/y --config=z"),
    ("--quiet rules -n results/x", "--quiet rules -n results/x"),
    ("", ""),
])  # fmt: skip
def test_an_option_that_is_given_twice_counts_twice(given, expected):
    """Snakemake itself keeps the values of the last one alone."""
    assert joined(given.split()) == expected.split()


@pytest.mark.parametrize("word", [
    "datasets={my_videos: {videos: /data/my videos}}", "name=a b", "gpu=1",
])  # fmt: skip
def test_a_word_that_the_shell_quoted_stays_one(word):
    assert targets_first(["--config", word, TABLE5]) == [TABLE5, "--config", word]


def test_a_target_with_blanks_stays_one():
    assert targets_first(["--resources", "gpu=1", "results/a b/split.json"])[0] == "results/a b/split.json"


@pytest.mark.parametrize("command", [
    f"--cores 8 --resources gpu=1 {TABLE5}",
    f"--resources gpu=1 {TABLE5} --cores 8",
    f"--cores 8 --res gpu=1 --configfile studies/paper.yaml {TABLE5}",
    f"--cores 8 --configfile studies/paper.yaml --config device=cpu {TABLE5} --resources gpu=1",
])  # fmt: skip
def test_snakemakes_own_parser_understands_it(command, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)  # away from the project's profile
    _, arguments = parse_args(targets_first(command.split()))
    assert arguments.targets == {TABLE5} or list(arguments.targets) == [TABLE5]
    assert str(arguments.cores) == "8"
    assert "gpu" in str(arguments.resources)
    assert [str(path) for path in arguments.configfile] == (["studies/paper.yaml"] if "paper" in command else [])


def test_main_hands_over_the_words(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    seen = []
    monkeypatch.setattr("snakemake.cli.main", seen.append)
    monkeypatch.setattr(sys, "argv", ["snakemake", "--cores", "8", "--resources", "gpu=1", TABLE5])
    main()
    assert seen == [[TABLE5, "--cores", "8", "--resources", "gpu=1"]]


@pytest.mark.parametrize("word", ["--configfile=mine.yaml", "--configfile mine.yaml", "--configfiles a.yaml mine.yaml"])
def test_a_config_file_that_is_not_utf8(word, monkeypatch, tmp_path, capsys):
    """Snakemake reads overlays before the Snakefile, and its own word for this is a traceback."""
    monkeypatch.chdir(tmp_path)
    Path("a.yaml").write_text("seeds: [0]\n")
    Path("mine.yaml").write_text("name: größe\n", encoding="cp1252")
    monkeypatch.setattr("snakemake.cli.main", lambda _: pytest.fail("it has begun"))
    monkeypatch.setattr(sys, "argv", ["snakemake", "-n", *word.split(), "--cores", "8", TABLE5])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == "error: mine.yaml, line 1: byte 8 (0xF6) is not UTF-8; save the file as UTF-8"


def test_timers_are_not_waited_for(monkeypatch, tmp_path):
    """Snakemake leaves one behind after its last job; a program ends when its last timer has run out."""
    monkeypatch.chdir(tmp_path)
    timer = threading.Timer(3600, print)

    def snakemake(_):
        timer.start()
        sys.exit(3)

    monkeypatch.setattr("snakemake.cli.main", snakemake)
    monkeypatch.setattr(sys, "argv", ["snakemake"])
    with pytest.raises(SystemExit, match="3"):
        main()
    timer.join(60)
    assert not timer.is_alive()


def test_the_installed_command_is_this_one(tmp_path):
    """The exact command plans its target, where Snakemake's own ends in a traceback."""
    (tmp_path / "Snakefile").write_text(f'rule table5:\n    output: "{TABLE5}"\n    shell: "touch {{output}}"\n')
    words = ["--dry-run", "--cores", "8", "--resources", "gpu=1", TABLE5]
    command = Path(sys.executable).with_name("snakemake")
    ours = subprocess.run([command, *words], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert ours.returncode == 0, ours.stderr
    assert TABLE5 in ours.stdout
    plain = [sys.executable, "-m", "snakemake", *words]
    theirs = subprocess.run(plain, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert theirs.returncode != 0, "Snakemake now takes targets after --resources itself: drop snakemake_command.py"


# A home that is none


def homes(monkeypatch, folder, home):
    """What `at_home` makes of a home, without what is said of caches elsewhere."""
    for name in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "MPLCONFIGDIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("HOME", str(home))
    before = dict(os.environ)
    at_home()
    changed = {name: value for name, value in os.environ.items() if before.get(name) != value}
    for name in changed:
        monkeypatch.delenv(name)
    return changed


def test_caches_where_the_home_takes_them(monkeypatch, tmp_path):
    assert homes(monkeypatch, tmp_path, tmp_path / "home") == {}
    assert list((tmp_path / "home/.cache").iterdir()) == []


@pytest.mark.parametrize("home", ["/proc/nonexistent", "/proc", "{}/file"])
def test_caches_where_it_does_not(monkeypatch, tmp_path, home):
    (tmp_path / "file").touch()
    assert homes(monkeypatch, tmp_path, home.format(tmp_path)) == {
        "XDG_CACHE_HOME": f"{tmp_path}/.snakemake/cache",
        "XDG_CONFIG_HOME": f"{tmp_path}/.snakemake/cache/config",
        "MPLCONFIGDIR": f"{tmp_path}/.snakemake/cache/matplotlib",
    }
    assert not list(tmp_path.rglob("~*"))


def test_a_user_without_a_name_and_a_home(monkeypatch, tmp_path):
    """As in a container that is started as any user."""

    def unknown(_):
        raise KeyError("getpwuid(): uid not found")

    monkeypatch.setattr("pwd.getpwuid", unknown)
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "environ", os.environ.copy())
    monkeypatch.chdir(tmp_path)
    os.environ.pop("XDG_CACHE_HOME", None)
    at_home()
    assert os.environ["USER"] == f"user{os.getuid()}"
    assert os.environ["XDG_CACHE_HOME"] == f"{tmp_path}/.snakemake/cache"
    assert not list(tmp_path.iterdir())


# The lock of a Snakemake that was killed


@pytest.fixture
def killed(monkeypatch, tmp_path):
    """A folder in which a Snakemake of this command's was killed."""
    monkeypatch.chdir(tmp_path)
    with owned():
        left = Path(".snakemake/owner").read_text()
        (tmp_path / ".snakemake/locks").mkdir()
        for name in ("0.input.lock", "0.output.lock"):
            (tmp_path / ".snakemake/locks" / name).write_text("a")
    assert not Path(".snakemake/owner").exists(), "it ended well"
    Path(".snakemake/owner").write_text(left)
    return tmp_path


def locks(folder):
    return sorted(file.name for file in (folder / ".snakemake/locks").iterdir())


def test_it_is_removed(killed, capsys):
    with owned():
        assert locks(killed) == []
    assert "its lock is removed" in capsys.readouterr().err
    assert not Path(".snakemake/owner").exists()


@pytest.mark.parametrize("owner", [None, "elsewhere pid:[4026531836]\n"])
def test_nobodys_and_another_machines_stay(killed, owner):
    """Stock Snakemake leaves no owner; one on another machine may be at work."""
    Path(".snakemake/owner").unlink()
    if owner:
        Path(".snakemake/owner").write_text(owner)
    with owned():
        assert len(locks(killed)) == 2


def test_while_another_snakemake_is_in_the_folder_they_stay(killed, tmp_path):
    (tmp_path / "snakemake").write_text("import time; print(flush=True); time.sleep(60)")
    words = [sys.executable, str(tmp_path / "snakemake")]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as other:
        other.stdout.readline()
        assert others_here()
        with owned():
            assert len(locks(killed)) == 2
        assert Path(".snakemake/owner").exists(), "the other's"
        other.kill()
    assert not others_here()


@pytest.mark.parametrize(("words", "removed"), [("results/a", True), ("--profile profiles/slurm results/a", False),
                                                ("--executor slurm results/a", False), ("--help", False)])  # fmt: skip
def test_jobs_on_a_cluster_outlive_their_snakemake(killed, monkeypatch, words, removed):
    monkeypatch.delenv("SNAKEMAKE_PROFILE", raising=False)
    monkeypatch.setattr("snakemake.cli.main", lambda _: None)
    monkeypatch.setattr(sys, "argv", ["snakemake", *words.split()])
    snakemake_command.main()
    assert (locks(killed) == []) == removed


def test_a_folder_that_cannot_be_written_is_snakemakes_to_complain_of(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".snakemake").write_text("a file")
    with owned():
        assert (tmp_path / ".snakemake").read_text() == "a file"


class Cluster(RemoteExecutor):
    """An executor without a workflow, whose question about its jobs is answered when the test says so."""

    def __init__(self, jobs, late=()):
        self.workflow = SimpleNamespace(
            executor_plugin=SimpleNamespace(common_settings=SimpleNamespace(init_seconds_before_status_checks=0)),
            remote_execution_settings=SimpleNamespace(seconds_between_status_checks=0, immediate_submit=True),
            scheduler=None,
        )
        self._next_seconds_between_status_checks = None
        self.lock, self.wait, self.active_jobs = threading.Lock(), True, list(jobs)
        self.late = list(late)  # what is being submitted when it is interrupted
        self.asking, self.answer, self.cancelled = threading.Event(), threading.Event(), []
        self.wait_thread = threading.Thread(target=self._wait_thread, daemon=True)

    async def check_active_jobs(self, active_jobs):
        self.asking.set()
        while not self.answer.is_set():
            await asyncio.sleep(0.01)
        for job in active_jobs:
            if job != "ended":
                yield job

    def cancel_jobs(self, active_jobs):
        self.cancelled += active_jobs
        self.answer.set()

    def shutdown(self):
        with self.lock:
            self.active_jobs += self.late
        super().shutdown()

    def run_job(self, job):
        raise AssertionError


def test_jobs_that_are_being_asked_about_or_submitted_are_cancelled_too(monkeypatch):
    for name in ("active_jobs", "cancel"):  # what the command changes is put back afterwards
        monkeypatch.setattr(RemoteExecutor, name, getattr(RemoteExecutor, name, None), raising=False)
    snakemake_command.cancel_all_jobs()
    cluster = Cluster(["a", "b"], late=["just submitted"])
    cluster.wait_thread.start()
    assert cluster.asking.wait(10)
    with cluster.lock:
        cluster.active_jobs.append("submitted meanwhile")
    cluster.cancel()
    assert sorted(cluster.cancelled) == ["a", "b", "just submitted", "submitted meanwhile"]

    cluster = Cluster(["a", "ended"])
    cluster.wait_thread.start()
    assert cluster.asking.wait(10)
    cluster.answer.set()
    deadline = time.monotonic() + 10
    while "ended" in [*cluster.active_jobs, *cluster.active_jobs.polled] and time.monotonic() < deadline:
        time.sleep(0.01)
    cluster.cancel()
    assert cluster.cancelled == ["a"]


def test_the_size_of_an_input_is_looked_up_once(monkeypatch):
    from snakemake.scheduling.job_scheduler import JobScheduler

    class Input(str):
        async def exists(self):
            return self != "later" or "later" in there

        async def size(self):
            asked.append(str(self))
            return len(self)

    monkeypatch.setattr(JobScheduler, "update_input_sizes", JobScheduler.update_input_sizes)
    snakemake_command.keep_input_sizes()
    asked, there = [], []
    scheduler = JobScheduler.__new__(JobScheduler)
    scheduler._input_sizes = {}
    jobs = [SimpleNamespace(input=[Input("a"), Input("later")]), SimpleNamespace(input=[Input("a")])]
    asyncio.run(scheduler.update_input_sizes(jobs))
    assert scheduler._input_sizes == {"a": 1, "later": None}
    there.append("later")
    for _ in range(2):
        asyncio.run(scheduler.update_input_sizes(jobs))
    assert scheduler._input_sizes == {"a": 1, "later": 5}
    assert asked == ["a", "later"]
