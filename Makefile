# The words a contributor needs; plain `make` lists them.
.DEFAULT_GOAL := help
SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
NOTEBOOK := notebooks/01-first-look.ipynb
FIND_PYTHON := for p in "$(PYTHON)" python3 python3.13 python3.12 python3.11 python; do \
	[ -n "$$p" ] && "$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& { echo "$$p"; break; }; done

.PHONY: help demo lab test test-all lint notebooks pictures peers peers-go verify faults matrix bench bench-long clean

help: ## list these words
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.lab ## run the first notebook on the demo cloud, here in the terminal
	@$(BIN)/python tests/tools/notebooks.py show $(NOTEBOOK) build/01-first-look.html

lab: $(VENV)/.lab ## open JupyterLab on the first notebook
	$(BIN)/jupyter lab $(NOTEBOOK) $(ARGS)

# More at a time than there are cores: many wait for a kernel or a browser.
test: $(VENV)/.dev lint ## lint, types, and the tests that CI runs
	$(BIN)/python -m pytest -n 4 -m "not long"

test-all: $(VENV)/.dev lint ## everything, the long tests too
	HYPOTHESIS_PROFILE=new CS_MAGIC_TEST_EXAMPLES=5000 $(BIN)/python -m pytest -n 4

lint: $(VENV)/.dev ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

notebooks: $(VENV)/.dev ## run every notebook and save it with its outputs
	$(BIN)/python tests/tools/notebooks.py write notebooks/*.ipynb

pictures: $(VENV)/.dev ## the page of every notebook as a picture, in build/screenshots
	@$(BIN)/python tests/tools/notebooks.py picture notebooks/*.ipynb

peers: $(VENV)/.dev ## other people's clients from PyPI (cs, libcloud) against the demo cloud
	@PYTHONPATH=tests $(BIN)/python -m peers

peers-go: $(VENV)/.dev ## these, the SDK for Go (needs Go) and cmk where it is at hand; saves the table
	@PYTHONPATH=tests $(BIN)/python -m peers --all --save

verify: $(VENV)/.dev ## hold our client against your CloudStack, reading only: PROFILE=name
	@$(BIN)/python -m cs_magic.verify $(PROFILE)

faults: $(VENV)/.dev ## what comes of every call when its network fails; the table of the README
	@$(BIN)/python tests/fault_matrix.py

matrix: $(VENV)/.dev ## the tests at the lowest and the newest versions of what we use; half an hour
	@$(BIN)/python tests/tools/matrix.py

bench: $(VENV)/.bench ## how fast bytes become a DataFrame and a key press is answered; minutes
	$(BIN)/python tests/benchmarks/bench.py $(ARGS)

bench-long: $(VENV)/.bench ## how it grows, to 300,000 machines and ten million usage records
	$(BIN)/python tests/benchmarks/bench.py --long $(ARGS)

clean: ## remove what the others made
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(VENV)/.python:
	@python="$$($(FIND_PYTHON))"; \
	[ -n "$$python" ] || { echo "cs_magic needs Python 3.11 or newer: install it" \
		"(apt-get install python3.11), or name yours: make demo PYTHON=/path/to/python"; exit 1; }; \
	"$$python" -c 'import ensurepip, venv' 2>/dev/null || { echo "This Python has no venv module:" \
		"install it (apt-get install python3-venv), then try again"; exit 1; }; \
	echo "Setting up $(VENV) with $$("$$python" --version), once; this takes a minute or two"; \
	rm -rf $(VENV) && "$$python" -m venv $(VENV) && touch $@

$(VENV)/.lab: $(VENV)/.python pyproject.toml
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[lab]'
	@touch $@

$(VENV)/.dev: $(VENV)/.python pyproject.toml
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@ $(VENV)/.lab

$(VENV)/.bench: $(VENV)/.dev
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[bench]'
	@touch $@
