# Everything a person types for this project. `make` alone lists the targets.
# The only things needed beforehand are Python >= 3.11 and make.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
WORKERS ?= 3
AUDIT  := .cache/audit
UV     := $(shell command -v uv 2>/dev/null)

# A start without compiled modules takes several times as long, and tests start the daemon often.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup run test fast faults check fix bench openapi pictures lock audit clean

help:  ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 16

$(READY): requirements.lock pyproject.toml
	@echo "Preparing $(VENV) ..."
ifneq ($(UV),)
	@test -x $(BIN)/python || $(UV) venv --quiet --python $(PYTHON) $(VENV)
	@$(UV) pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements.lock
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
else
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
endif
	@touch $(READY)

setup: $(READY)  ## create .venv with everything the project and its tests need

run: setup  ## start the whole daemon on embedded stores (ARGS="--data-dir D --port P")
	@exec $(BIN)/engarde run $(ARGS)

test: setup  ## every test, WORKERS files at a time (ARGS go to pytest)
	@$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

fast: setup
	@$(BIN)/python -m pytest tests/unit $(ARGS)

faults: setup  ## harm daemons in every way we know (LONG=1 for the long form, ARGS go to pytest)
	@$(if $(LONG),ENGARDE_FAULTS_LONG=1) $(BIN)/python -m pytest tests/faults \
	    --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

check: style types contracts covered  ## format, lint, types, import contracts, fast tests: run before each commit

style: setup
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .

types: setup
	@$(BIN)/mypy

contracts: setup
	@$(BIN)/lint-imports --no-logo

covered: setup
	@$(BIN)/python -m coverage run -m pytest tests/unit -q $(ARGS)
	@$(BIN)/python -m coverage report --skip-covered

fix: setup  ## let ruff mend what it can
	@$(BIN)/ruff check --fix --quiet . || true
	@$(BIN)/ruff format .

bench: setup  ## measure the running daemon against the two references (ARGS go to the bench)
	@$(BIN)/python -m bench $(ARGS)

openapi: setup  ## renew docs/openapi.json from the routes
	@$(BIN)/python -m engarde_daemon.api.openapi > docs/openapi.json.new
	@mv docs/openapi.json.new docs/openapi.json

pictures: setup  ## renew docs/pictures, the dashboard in every state
	@$(BIN)/python -m tests.support.dashboard.pictures docs/pictures

lock: setup  ## renew requirements.lock from pyproject.toml (needs uv)
	@uv pip compile --quiet --universal --generate-hashes --no-header --no-emit-index-url --no-annotate \
	    --python-version 3.11 --all-extras pyproject.toml -o requirements.lock

# --strict: a package that the advisory service does not know is no package without advisories.
audit:  ## look up known vulnerabilities of requirements.lock
	@test -x $(AUDIT)/bin/pip-audit || { $(PYTHON) -m venv $(AUDIT) && \
	    $(AUDIT)/bin/python -m pip install --quiet --disable-pip-version-check "pip-audit>=2.9,<3"; }
	@$(AUDIT)/bin/pip-audit --strict --disable-pip --require-hashes -r requirements.lock

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .coverage .import_linter_cache
