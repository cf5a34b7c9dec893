# From a fresh clone, with nothing but Python 3.11 or newer and make:
#
#   make demo     a day of Haining's requests, matched and proved
#   make test     the whole test suite
#   make fuzz     100,000 random instances and 5,000 random days against the oracles; SEED=7 for others
#
# Another Python: make demo PYTHON=python3.12

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
SOURCES := src tests benchmarks
SEED ?= 0

.PHONY: demo test lint format types contracts coverage notebooks fuzz bench bench-quick clean help

demo: $(VENV)/.user
	$(BIN)/govmatch demo

test: $(VENV)/.dev
	$(BIN)/python -m pytest -n auto

lint: $(VENV)/.dev
	$(BIN)/ruff check $(SOURCES) notebooks
	$(BIN)/ruff format --check $(SOURCES) notebooks

format: $(VENV)/.dev
	$(BIN)/ruff check --fix $(SOURCES) notebooks
	$(BIN)/ruff format $(SOURCES) notebooks

types: $(VENV)/.dev
	$(BIN)/mypy

contracts: $(VENV)/.dev
	$(BIN)/lint-imports --no-cache

# compiled loops are measured as the Python that they are, on the small tests marked `kernels`
coverage: $(VENV)/.dev
	$(BIN)/coverage erase
	$(BIN)/python -m pytest -n auto --cov --cov-fail-under=0 --cov-report=
	NUMBA_DISABLE_JIT=1 $(BIN)/python -m pytest -m kernels --cov --cov-append --cov-fail-under=0 --cov-report=
	$(BIN)/coverage report

notebooks: $(VENV)/.dev
	$(BIN)/jupyter-execute notebooks/*.ipynb

fuzz: $(VENV)/.dev
	$(BIN)/python -m tests.fuzz --instances 100000 --seed $(SEED)

bench: $(VENV)/.dev
	$(BIN)/python -m benchmarks

bench-quick: $(VENV)/.dev
	$(BIN)/python -m benchmarks --quick

# The stamps say what is installed; they are older than pyproject.toml when that must be done again.
$(VENV)/.user: $(VENV)/.venv pyproject.toml
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.venv pyproject.toml
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --editable ".[dev]"
	@touch $@ $(VENV)/.user

$(VENV)/.venv:
	@command -v $(PYTHON) >/dev/null 2>&1 || { \
	  echo "There is no '$(PYTHON)' here. Install Python 3.11 or newer, or name it: make $(or $(MAKECMDGOALS),demo) PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "govmatch needs Python 3.11 or newer; '$(PYTHON)' is $$($(PYTHON) --version 2>&1). Name another: make $(or $(MAKECMDGOALS),demo) PYTHON=python3.12"; exit 1; }
	@echo "Setting up $(VENV); the first time this downloads about 250 MB"
	$(PYTHON) -m venv $(VENV)
	@touch $@

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

help:
	@sed -n '1,/^$$/s/^# \{0,1\}//p' Makefile
