# One environment for everything: `make setup` makes .venv, the other targets use it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready

.PHONY: setup test check clean

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt scripts/preflight.sh
	@PYTHON="$(PYTHON)" sh scripts/preflight.sh
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install $(if $(CI),--quiet) --constraint constraints.txt --editable ".[cpu,training,evaluation,ultralytics,test]"
	@touch $@

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: setup check
	$(BIN)/pytest

clean:
	rm -rf $(VENV) build dist
