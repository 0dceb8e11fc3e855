# Whichever comes first sets up .venv.
# make all      every table and figure, and the report
# make table5   the demo's Table 5 from rendered videos
# make plan     what a study will cost, before anything runs: make plan ARGS="--configfile studies/paper.yaml --gpus 1"
# make test     the tests, on up to eight cores
# make verify   hold every file of results/ against the record of what made it
# make regime   hold the demo's baselines and teachers against what the method needs
# make lint     check the code's style, and the types of the config package
# make docs     the documentation as a site in site/; its reference of the config is made again
# make transformers  Hugging Face's video networks beside the others: an extra, for VideoMAE, TimeSformer and ViViT
# make networks the reference of networks, and the list of timm's, after a change of entries or of timm
# make pins     accept what the shipped studies ask for now, and what short trainings end in (tests/golden)
# make audit    look the locked packages up in PyPI's list of known vulnerabilities
# make stress   kill a small study 50 times, and compare with an undisturbed one
# make test-slurm  profiles/slurm on a SLURM of this machine alone (as root, on Debian: it installs SLURM)
# make test-gpu   what only a GPU can show: mixed precision at the real size, several processes, RAFT (skipped without)
# make test-exports  every network as ONNX and torch.export's file, held against the network itself
# make lock     choose the packages of requirements.lock again, after a change of pyproject.toml (needs uv)
# make clean    delete .venv, .snakemake, site and results: every result, of every study that lies there
PYTHON ?= python3
BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: all table5 plan test test-slurm test-gpu test-exports verify regime audit stress lint docs networks transformers pins lock clean

all: .venv/installed
	snakemake --cores 8 --resources gpu=1

table5: .venv/installed
	snakemake --cores 8 --resources gpu=1 results/tables/table5.csv

plan: .venv/installed
	python workflow_scripts/plan.py $(ARGS)

test: .venv/installed
	pytest --numprocesses logical --maxprocesses 8 --dist loadfile --no-loadscope-reorder --max-worker-restart 0 --durations 10

test-slurm: .venv/installed
	pytest -x -o faulthandler_timeout=0 tests/slurm/on_slurm.py

test-gpu: .venv/installed
	pytest -o faulthandler_timeout=0 -rs tests/gpu/on_gpu.py

test-exports: .venv/installed
	pytest --numprocesses logical --maxprocesses 2 --max-worker-restart 0 -rs --durations 5 tests/exports/every_network.py

lint: .venv/installed
	ruff check .
	mypy

docs: .venv/installed
	python -m dtkd.config.reference docs/reference
	NO_MKDOCS_2_WARNING=1 mkdocs build --quiet --strict

transformers: .venv/installed
	pip install --quiet --progress-bar off --require-hashes -r transformers.lock

networks: transformers
	python -m dtkd.models.list_timm
	python -m dtkd.models.reference docs/reference

pins: export PYTHONPATH = tests:tests/workflow
pins: .venv/installed
	python tests/config/test_pins.py
	python tests/workflow/test_jobs.py
	python tests/training/test_pinned_training.py

verify: .venv/installed
	@python -m dtkd.verify results

regime: .venv/installed
	@python -m dtkd.regime

audit: .venv/audit/installed
	@.venv/audit/bin/python workflow_scripts/dtkd/operations/audit.py requirements.lock

stress: .venv/installed
	python tests/stress/kill.py --kills 50 --seed 0

# The exact packages of requirements.lock, then the project itself (editable: its code is used where it lies).
.venv/installed: requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(None if (3, 11) <= v < (3, 14) else f"Python 3.11 to 3.13 is needed, this is {v[0]}.{v[1]}: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --progress-bar off --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

# pip-audit in an environment of its own: what audits the packages is none of them.
.venv/audit/installed: audit.lock .venv/installed
	$(PYTHON) -m venv .venv/audit
	.venv/audit/bin/pip install --quiet --progress-bar off --require-hashes -r audit.lock
	touch $@

# After a change of pyproject.toml: choose every package and record its hashes (needs uv).
lock:
	uv pip compile pyproject.toml --quiet --group test --group lint --group docs --universal --python-version 3.11 --generate-hashes --output-file requirements.lock
	python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["transformers"])' | \
		uv pip compile - --quiet --constraints requirements.lock --universal --python-version 3.11 --generate-hashes --output-file transformers.lock
	echo pip-audit==2.10.1 | uv pip compile - --quiet --universal --python-version 3.11 --generate-hashes --output-file audit.lock

clean:
	rm -rf .venv .snakemake results site
