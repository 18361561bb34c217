# `make` takes a fresh machine to figures; `make help` says what else there is.
SHELL := /bin/bash
VENV := .venv
PYTHON ?= python3
PYTHON_HERE = "$(PYTHON:~/%=$(HOME)/%)"
BIN := $(VENV)/bin
SNAKEMAKE := $(BIN)/snakemake
CONFIG ?= config/config.yaml
# Passed on unexpanded, even with a $, and by the environment, so that no shell splits it.
override CONFIG := $(value CONFIG)
export CONFIG
# Figures are drawn into files, whatever a notebook has set.
export MPLBACKEND = agg
WORKERS ?= 2
KILLS ?= 20
# Tests for a change; `.ci/run` runs those of `test-long` as well.
TESTS ?= not long and not slow and not slurm and not faults
PYTEST = $(BIN)/python -m pytest
PARALLEL = -n $(WORKERS) --dist loadgroup
HASHES ?= hashes.lock
UV ?= $(shell command -v uv)
# uv installs faster where it is found, with the same hashes, but reads no settings of pip.
PIP := $(if $(UV),"$(UV)" pip install --quiet --python $(BIN)/python,$(BIN)/pip install --quiet --disable-pip-version-check --no-compile)
# Byte code is written on first use: compiling all that is installed takes pip a minute.
export PYTHONDONTWRITEBYTECODE =
USED := matplotlib.pyplot, numba, sklearn.datasets, statsmodels.api, snakemake.cli, torch, torch._dynamo, slowpoints.cli, slowpoints.plots.figures
# JavaScript and CSS.
PAGES := src/slowpoints/explorer docs/site

# The report of a study; its name stays in $$study.
REPORT = study=$$(PYTHONPATH=src $(BIN)/python -m slowpoints name --configfile "$$CONFIG") && \
	$(SNAKEMAKE) --configfile "$$CONFIG" --report "results/$$study/report.html"

all: setup  ## figures, explorer and report of the default study (CONFIG=... for another)
	$(SNAKEMAKE) --cores all all --configfile "$$CONFIG" --rerun-incomplete || \
		{ $(BIN)/python -m slowpoints name --configfile "$$CONFIG" >/dev/null; false; } # last, what is wrong with the file
	@$(REPORT) && $(BIN)/python -m slowpoints summary --brief "results/$$study"

unlock: setup  ## unlocks the folder after a run was killed; first make sure that no run is left
	$(SNAKEMAKE) --unlock --configfile "$$CONFIG"

setup: $(VENV)/.installed  ## the virtual environment with the pinned requirements, installed with uv if available (UV= for pip; HASHES= for an index that builds its own wheels)

$(VENV)/.installed: requirements.lock hashes.lock pyproject.toml
	$(if $(word 2,$(VENV)),$(error VENV is "$(VENV)"; it must be a path without spaces))
	$(PYTHON_HERE) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; set PYTHON=...")'
	$(PYTHON_HERE) -m venv $(VENV)
	$(if $(HASHES),$(PIP) --no-deps --require-hashes -r $(HASHES))
	$(PIP) -r requirements.lock
	$(PIP) --no-deps --editable .
	$(BIN)/python -c 'import $(USED)'
	touch $@

test: setup  ## the test suite except for long tests, in WORKERS (2) processes
	$(PYTEST) $(PARALLEL) -m "$(TESTS)"

test-long: setup  ## long tests: runs of the workflow, whole studies, notebooks, pages in a browser, the wheel
	$(PYTEST) $(PARALLEL) -m "long and not slow and not slurm and not faults"

hashes:  ## updates hashes.lock after a change to requirements.lock; needs uv
	uv pip compile requirements.lock --no-deps --no-emit-package torch --generate-hashes --universal \
		--python-version 3.11 --no-header --no-annotate --quiet --output-file hashes.lock

test-slow: setup $(VENV)/.docs  ## full-size checks, and the longest benchmarks at small sizes
	$(PYTEST) -m "slow and not slurm and not faults"

test-faults: setup  ## damaged files and configurations by the thousand, KILLS (20) kills, full disks and other mishaps
	KILLS=$(KILLS) $(PYTEST) -m faults

test-slurm: setup  ## the profile on a real SLURM, started here (as root); SLURM=quick for one cell, without mishaps
	$(PYTEST) -m "slurm$(if $(filter quick,$(SLURM)), and not slow)"

test-mutants: setup $(VENV)/.mutants  ## mutation tests; hours (MODULES="task births", MUTANTS='*7' for a part)
	$(BIN)/python tests/mutants/run.py $(MODULES)

$(VENV)/.mutants: tests/mutants/requirements.txt | $(VENV)/.installed
	$(PIP) --no-deps -r tests/mutants/requirements.txt
	touch $@

lint: setup $(VENV)/.lint  ## formatting, linting, types and imports of Python; formatting and linting of workflow and explorer
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(SNAKEMAKE) --lint
	$(BIN)/oxfmt --check $(PAGES)
	$(BIN)/oxlint $(PAGES)

$(VENV)/.lint: .ci/requirements.txt | $(VENV)/.installed
	$(PIP) --no-deps -r .ci/requirements.txt
	touch $@

format: setup $(VENV)/.lint  ## formats Python, workflow and explorer
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/snakefmt Snakefile workflow
	$(BIN)/oxlint --fix $(PAGES)
	$(BIN)/oxfmt $(PAGES)

report: setup  ## the report of the last run, as one HTML file
	$(REPORT)

docs: setup $(VENV)/.docs  ## the pages that are generated from code, and all pages as a site: site/index.html
	$(BIN)/python docs/config_page.py
	$(BIN)/python docs/reruns_page.py
	$(BIN)/python -m sphinx -q -E -W --keep-going -c docs/site -b html . site

$(VENV)/.docs: docs/requirements.txt | $(VENV)/.installed
	$(PIP) --no-deps -r docs/requirements.txt
	touch $@

results: setup  ## docs/results.md with its figures, and tables of docs/reproduction.md, from reference/
	$(SNAKEMAKE) --cores all reference_figures
	$(BIN)/python docs/results_page.py
	$(BIN)/python docs/reproduction_page.py

bench: setup  ## repeats all benchmarks and updates benchmarks/README.md; hours, on an otherwise idle machine
	$(BIN)/python benchmarks/bench.py

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## */\t/' | column -t -s $$'\t'

.PHONY: all unlock setup hashes test test-long test-slow test-faults test-slurm test-mutants lint format report docs results bench help
