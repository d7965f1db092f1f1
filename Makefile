# One environment for everything: `make setup` makes .venv, the other targets use it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready
EXTRAS := cpu,training,evaluation,parquet,ultralytics,mqtt,test
# `make demo LIGHT=1` leaves out what only training and the tests need: torch above all.
ifdef LIGHT
STAMP := $(VENV)/.ready-light
EXTRAS := cpu,evaluation,mqtt
endif

.PHONY: setup demo test check clean

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt scripts/preflight.sh
	@PYTHON="$(PYTHON)" LIGHT="$(LIGHT)" sh scripts/preflight.sh
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install $(if $(CI),--quiet) --constraint constraints.txt --editable ".[$(EXTRAS)]"
	@touch $@

# ARGS="--seed 7 --cameras 2" and the like go to `passerby demo`.
demo: setup
	$(BIN)/passerby demo $(ARGS)

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Tests of real processes and cameras come one after the other: they are about times. The others share the cores.
test: setup check
	OMP_NUM_THREADS=1 $(BIN)/pytest -n auto --dist loadgroup -m "not system"
	$(BIN)/pytest -m system

clean:
	rm -rf $(VENV) build dist
