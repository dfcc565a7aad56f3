# make run serves Genjin, make test runs every test; both set everything up first and need only Python 3.11+ and make.

SHELL := /bin/sh
# A service is several processes and its tests start hundreds: code that was read once is read faster from then on.
unexport PYTHONDONTWRITEBYTECODE
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip -qq --disable-pip-version-check
UNHURRIED := -m "not torture"
# Four at a time, since many of them wait: those that take long begin first. On a server of yours they have one database, and some of them end every connection to it.
TOGETHER := $(if $(CRM_TEST_DATABASE_URL),,--numprocesses 4 --dist loadfile --no-loadscope-reorder)

.DEFAULT_GOAL := help
.PHONY: help run test check bench torture soak fmt lock

help:  ## what can be made
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(firstword $(MAKEFILE_LIST)) | expand -t 10

run: $(VENV)/run  ## serve on 127.0.0.1:8000 with an embedded PostgreSQL (settings: docs/operations.md)
	@exec $(BIN)/crm serve

test: $(VENV)/dev  ## run every test; TESTS=tests/unit runs a part
	@$(BIN)/python -m pytest $(UNHURRIED) $(TOGETHER) $(TESTS)

check: $(VENV)/dev  ## formatting, lint, types, and imports that go down and never in circles
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: $(VENV)/dev  ## measure, print one table and write benchmarks/results.md; BENCH="serving.one-token --customers 2000" tries one part
	@$(BIN)/python -m benchmarks $(BENCH)

torture: $(VENV)/dev  ## the tests of crashes and races, hundreds of rounds
	@$(BIN)/python -m pytest -m torture $(TESTS)

soak: $(VENV)/dev  ## ten minutes of full load with processes killed at random; SOAK_SECONDS=60 for less
	@CRM_SOAK_SECONDS=$(or $(SOAK_SECONDS),600) $(BIN)/python -m pytest -q -s tests/end_to_end/test_soak.py

fmt: $(VENV)/dev  ## format and repair what can be repaired
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-emit-index-url --generate-hashes \
	--custom-compile-command "make lock" pyproject.toml --group build

lock: $(VENV)/dev  ## pin what pyproject.toml asks for in requirements/*.txt; UPGRADE=--upgrade takes the newest
	@$(COMPILE) $(UPGRADE) --output-file requirements/run.txt
	@$(COMPILE) $(UPGRADE) --group dev --constraint requirements/run.txt --output-file requirements/dev.txt

# The environment: a folder with python, what running needs, what working on it needs. Each stamp is older than nothing
# it was made from, so a second `make` does nothing.

$(VENV)/python:
	@python=$(PYTHON); \
	for each in python3 python3.14 python3.13 python3.12 python3.11; do \
		test -n "$$python" && break; \
		$$each -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && python=$$each; \
	done; \
	test -n "$$python" || { echo "Genjin needs Python 3.11 or newer: install it, or name one with make PYTHON=/path/to/python3." >&2; exit 1; }; \
	$$python -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "This Python cannot make virtual environments: install its venv package (Debian and Ubuntu: apt install python3-venv)." >&2; exit 1; }; \
	echo "Making $(VENV) with $$python ..." >&2; \
	$$python -m venv --clear $(VENV)
	@touch $@

$(VENV)/run: requirements/run.txt pyproject.toml | $(VENV)/python
	@echo "Installing what Genjin needs ..." >&2
	@$(PIP) install --require-hashes -r requirements/run.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/dev: requirements/dev.txt $(VENV)/run
	@echo "Installing what its tests need ..." >&2
	@$(PIP) install --require-hashes -r requirements/dev.txt
	@touch $@
