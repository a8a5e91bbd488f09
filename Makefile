# make demo and make test are all that is needed; everything is installed into .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# One test more than there are cores: a third of the time, tests wait for a server or a clock.
WORKERS = $(shell $(PYTHON) -c 'import os; print(min(4, os.cpu_count() + 1))')

.PHONY: help install demo doctor install-cron uninstall-cron test lint lock month fortnight prove agree sequences image-trial bench clean
# --no-deps: the lock files are complete, and pip 23 fails to match an extra (mashumaro[msgpack]) with its locked version.
PIP = $(BIN)/pip install --quiet --disable-pip-version-check
# Universal: one file for every Python and machine. Wheels only: building a package would download others without a hash.
LOCK = $(BIN)/uv pip compile --quiet --universal --python $(BIN)/python --python-version 3.11 --no-python-downloads \
	--generate-hashes --only-binary :all: --emit-build-options --no-emit-index-url --no-annotate \
	--custom-compile-command 'make lock' $(if $(UPGRADE),--upgrade)

help:  ## What can be made
	@sed -n 's/^\([a-z-]*\):.*##/\1\t/p' $(MAKEFILE_LIST) | expand -t 16

$(VENV)/installed: requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || \
		{ echo "Python 3.11, 3.12 or 3.13 is needed, and $(PYTHON) is none. Say: make PYTHON=python3.13 ..."; exit 1; }
	@echo "Installing into $(VENV) (a minute or two, once)"
	@$(PYTHON) -m venv $(VENV) || { echo "The venv module is missing: install it (Debian: apt install python3-venv)"; exit 1; }
	@$(PIP) --require-hashes --no-deps --requirement requirements.lock
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed tests/requirements.lock
	@$(PIP) --require-hashes --no-deps --requirement tests/requirements.lock
	@touch $@

install: $(VENV)/installed  ## Into .venv, or up to date there (demo and test do so, too)

demo: $(VENV)/installed  ## A day of a made-up listener, from a sample Spotify to tested marts
	@$(BIN)/python -m pipeline.demo

doctor: $(VENV)/installed  ## Check your set-up step by step, and say what to do
	@$(BIN)/python -m pipeline doctor

install-cron: $(VENV)/installed  ## Put the slots into your crontab
	@cron/install.sh

uninstall-cron:  ## Take them out again
	@cron/install.sh --uninstall

test: $(VENV)/installed-dev  ## Every test
	@$(BIN)/python -m pytest --numprocesses $(WORKERS)

lint: $(VENV)/installed-dev  ## ruff, mypy, dbt parse, sqlfluff, hadolint, shellcheck
	@$(BIN)/ruff format --check . && $(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/python -m tests.lint_sql
	@$(BIN)/hadolint cron/Dockerfile
	@PATH="$(CURDIR)/$(BIN):$$PATH" shellcheck cron/*.sh .ci/run

lock: $(VENV)/installed-dev  ## Renew requirements.lock and tests/requirements.lock; UPGRADE=1 takes newer versions
	@$(LOCK) requirements.txt tests/requirements.txt --output-file tests/requirements.lock
	@$(LOCK) requirements.txt --constraint tests/requirements.lock --output-file requirements.lock

month: $(VENV)/installed-dev  ## A simulated month with faults: are all losses inside reported gaps?
	@$(BIN)/python -m tests.month

fortnight: $(VENV)/installed-dev  ## A simulated fortnight under a real cron with faults: is every promise kept?
	@$(BIN)/python -m tests.fortnight --seed 1 --days 14

prove: $(VENV)/installed-dev  ## Ten years against a second calculation: is every cell of every report what it should be?
	@$(BIN)/python -m tests.oracle

agree: $(VENV)/installed-dev  ## A ten-year export and polls of the same weeks: is every play counted once?
	@for order in poll-first import-first between; do $(BIN)/python -m tests.agreement --order $$order || exit 1; done

sequences: $(VENV)/installed-dev  ## 200 random sequences of loads: does every relation equal a full build?
	@$(BIN)/python -m tests.sequences

image-trial: $(VENV)/installed-dev  ## docker compose for real: built, started, used, stopped (needs Docker)
	@$(BIN)/python -m tests.containers

bench: $(VENV)/installed-dev  ## How fast, as ratios to a floor measured in the same run
	@$(BIN)/python -m tests.bench

clean:  ## Remove what was installed; data/ stays
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache
