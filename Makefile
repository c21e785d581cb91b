# A thin wrapper: each target shows the plain command that it runs.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
JOBS   ?= 2

.PHONY: help demo test test-long lint format docs reference clean

help:            ## what there is
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/\t/'

# One stamp per set of dependencies, made again when the project file or the pins change.
$(VENV)/.made:
	$(PYTHON) -m venv $(VENV)
	touch $@

$(VENV)/.core: $(VENV)/.made pyproject.toml constraints.txt
	$(PIP) -e ".[torch]"
	touch $@

$(VENV)/.test: $(VENV)/.made pyproject.toml constraints.txt
	$(PIP) -e ".[test]"
	touch $@

$(VENV)/.lint: $(VENV)/.made pyproject.toml constraints.txt
	$(PIP) -e ".[lint]"
	touch $@

$(VENV)/.docs: $(VENV)/.made pyproject.toml constraints.txt
	$(PIP) -e ".[docs]"
	touch $@

demo: $(VENV)/.core  ## identify the phases of the scans that come with the package
	$(BIN)/peakwise identify demo --phases textbook --report $(VENV)/demo.html

test: $(VENV)/.test  ## all tests but the long ones
	$(BIN)/python -m pytest -n $(JOBS) --cov --cov-report=
	$(BIN)/coverage report --include='*/peakwise/io/*,*/peakwise/patterns/*' --fail-under=95 --skip-covered --sort=cover

test-long: $(VENV)/.test  ## the long fuzzing runs
	$(BIN)/python -m pytest -n $(JOBS) -m long

lint: $(VENV)/.lint  ## style, types, floors of the house
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.lint  ## bring the code into shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(VENV)/.docs  ## the documentation, without network
	$(BIN)/sphinx-build -W --keep-going -q -b html docs docs/_build/html
	@echo "open docs/_build/html/index.html"

reference: $(VENV)/.core  ## write the generated pages of the reference again
	$(BIN)/python scripts/make_reference.py

clean:           ## remove what the targets made
	rm -rf $(VENV) docs/_build .coverage .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
