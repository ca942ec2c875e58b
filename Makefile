# Every verb of the project. `make demo` and `make test` need only Python 3.11 or newer and make.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip --disable-pip-version-check --quiet

.PHONY: help setup demo run worker test check bench clean

help:  ## show the verbs
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(VENV)/.base: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing the packages into $(VENV) ..."
	@$(PIP) install --no-compile --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.base
	@$(PIP) install --no-compile --editable '.[dev]'
	@touch $@

setup: $(VENV)/.dev  ## only the environment, with everything for development

demo: $(VENV)/.base  ## real photographs through the data engine into the review queue; Ctrl+C stops all
	@$(BIN)/python -m rld_platform.serve demo

run: $(VENV)/.base  ## the web server on the configured database; PORT and WEB_CONCURRENCY are honoured
	@$(BIN)/python -m rld_platform.serve web

worker: $(VENV)/.base  ## a worker with the sweeper, and one for each GPU, on the configured database and broker
	@$(BIN)/python -m rld_platform.serve worker

test: $(VENV)/.dev  ## the whole test-suite; RLD_REQUIRE_SERVICES=1 turns skips for missing services into failures
	@$(BIN)/pytest -n 2 --dist loadscope

check: $(VENV)/.dev  ## lint, format, types, import contracts, migrations, deployment check, OpenAPI
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy .
	@$(BIN)/lint-imports
	@$(BIN)/python manage.py makemigrations --check --dry-run
	@HTTPS=1 $(BIN)/python manage.py check --deploy --fail-level WARNING
	@$(BIN)/python manage.py spectacular --validate --fail-on-warn --file /dev/null

bench: $(VENV)/.dev  ## tests/benchmarks: prints a table and writes bench.json
	@$(BIN)/pytest tests/benchmarks -p no:randomly --override-ini addopts=-q

clean:  ## forget the environment; the data in .rld stays
	rm -rf $(VENV)
