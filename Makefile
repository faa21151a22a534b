# `make` lists what can be made. Everything runs inside .venv, which `make setup` builds from hash-checked wheels.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DISTRIBUTIONS := libs/common libs/client services/api services/scheduler services/worker services/projector deploy/embedded
PROJECTS := $(addsuffix /pyproject.toml,$(DISTRIBUTIONS))

.DEFAULT_GOAL := help
.PHONY: help setup demo up test test-fast simulate mutants chaos verify-invariants lint format types contracts check lock clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

setup: $(VENV)/.ready ## build the virtual environment (idempotent)

$(VENV)/.ready: requirements/bootstrap.lock requirements/dev.lock $(PROJECTS)
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "objproc needs Python 3.11 or newer: make PYTHON=/path/to/python3.11")'
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/bootstrap.lock
	@# uv is ten times quicker; pip serves where only pip's own configuration knows the way to the packages
	$(BIN)/uv pip install --quiet --system-certs --python $(BIN)/python --require-hashes -r requirements/dev.lock \
	  || $(BIN)/python -m pip install --quiet --require-hashes -r requirements/dev.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --no-index $(addprefix -e ,$(DISTRIBUTIONS))
	touch $@

demo: setup ## process the sample objects on embedded servers, then stop everything
	$(BIN)/python -m objproc_embedded.demo

up: setup ## run the embedded stack in the foreground until Ctrl-C (ARGS="--data DIR --port N")
	$(BIN)/objproc up $(ARGS)

test: setup ## run all tests on real embedded servers
	$(BIN)/pytest

simulate: setup ## run SCHEDULES=10000 simulated schedules, or replay one (SEED=n)
	PYTHONPATH=tests $(BIN)/python -m simulation $(if $(SEED),--seed $(SEED),--schedules $(or $(SCHEDULES),10000))

mutants: setup ## plant known faults, and see the simulation find each
	PYTHONPATH=tests $(BIN)/python -m simulation.planting

test-fast: setup ## run the tests that need no server
	$(BIN)/pytest tests/domain tests/laws tests/wire tests/histories tests/architecture

chaos: setup ## real faults under a held load, then the invariants (LONG=1 SEED=n)
	PYTHONPATH=tests $(BIN)/python -m chaos.campaign $(ARGS)

verify-invariants: setup ## check I1 to I12 on servers of the environment or of a folder (ARGS="--data DIR --journal FILE")
	PYTHONPATH=tests $(BIN)/python -m chaos.invariants $(ARGS)

lint: setup ## style and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: setup ## apply style and format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: setup ## strict static types
	$(BIN)/mypy

contracts: setup ## import contracts
	$(BIN)/lint-imports

check: lint types contracts ## lint, types and contracts

lock: setup ## resolve the requirements anew, hash-checked, without an index address
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header requirements/bootstrap.in -o requirements/bootstrap.lock
	$(BIN)/python requirements/collect.py $(DISTRIBUTIONS) | cat - requirements/dev.in | $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate - -o requirements/dev.lock

clean: ## remove what was built here
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
