# One command each. Everything is set up in .venv and in folders of this repository; nothing is written to your home.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEMO_DAYS ?= 7

.PHONY: help install demo up cluster test test-heavy lint types imports check bench requirements docs goldens clean

help:  ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

install: $(VENV)/.runtime  ## set up .venv with what blotter runs on

# pip alone takes minutes for this set; uv takes seconds, and is itself installed by pip into the environment.
$(BIN)/uv:
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(not (3, 11) <= v <= (3, 13) and f"blotter needs Python 3.11, 3.12 or 3.13, and {sys.executable} is {v[0]}.{v[1]}: say PYTHON=python3.12 make ...")'
	@$(PYTHON) -m venv $(VENV) || { echo "the venv module is missing: apt-get install python3-venv"; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv

$(VENV)/.runtime: requirements.txt pyproject.toml | $(BIN)/uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python -r requirements.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.runtime
	$(BIN)/uv pip install --quiet --python $(BIN)/python -r requirements-dev.txt
	@touch $@

demo: $(VENV)/.runtime  ## play a week of sample news through the real DAGs and show what became known when
	@$(BIN)/python demo/play_week.py --days $(DEMO_DAYS)

up: $(VENV)/.runtime  ## run Airflow with its UI on this machine, fed by the sample outlets
	@$(BIN)/python demo/run_airflow.py

cluster: $(VENV)/.runtime  ## run the services of docker-compose.yaml as processes, play the week, compare with the demo
	@$(BIN)/python demo/run_cluster.py --days $(DEMO_DAYS)

test: $(VENV)/.dev  ## run the tests, and a sample of the heavy ones
	$(BIN)/python -m pytest -q -n 2 --dist loadfile

test-heavy: $(VENV)/.dev  ## run every test, however long it takes
	$(BIN)/python -m pytest -q --heavy --timeout 3600

lint: $(VENV)/.dev  ## check style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev  ## check types
	$(BIN)/mypy

imports: $(VENV)/.dev  ## check who may import whom
	$(BIN)/lint-imports

check: lint types imports test  ## everything that CI runs

bench: $(VENV)/.dev  ## print the speed of each stage as a ratio to the bare library, measured in this run
	@$(BIN)/python bench/run.py

goldens: $(VENV)/.dev  ## take mended differences off the lists of the golden articles
	@$(BIN)/python -m tests.golden.write

docs: $(VENV)/.runtime  ## write the generated pages of docs/
	$(BIN)/blotter tables --markdown > docs/data-dictionary.md

requirements: | $(BIN)/uv  ## compile requirements*.in into the pinned files, for Python 3.11 to 3.13
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-emit-index-url --no-header --no-annotate --upgrade -o requirements.txt requirements.in
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-emit-index-url --no-header --no-annotate --upgrade -o requirements-dev.txt requirements-dev.in

clean:  ## remove what the commands made: environment, demo, caches
	rm -rf $(VENV) .airflow .demo .up .cluster .bench .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache build dist include/*.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
