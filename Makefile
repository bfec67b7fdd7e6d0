# One line a target; `make help` lists them. The lock is requirements/lock.txt.

PYTHON ?= python3
TORCH_INDEX ?=
TESTS ?=
BIN := .venv/bin
STAMP := .venv/.installed
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help setup demo test slow torture same-numbers same-numbers-new honesty bench bench-full check format sizes clean

help:  ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 12

setup: $(STAMP)  ## create .venv and install the locked packages and pretune; TORCH_INDEX=URL takes torch from there

$(STAMP): requirements/lock.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "pretune needs Python 3.11 or newer; got: $$($(PYTHON) --version 2>&1). Name another one: make setup PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(if $(TORCH_INDEX),$(BIN)/python -m pip install --quiet --no-deps --index-url $(TORCH_INDEX) "$$(grep '^torch==' requirements/lock.txt)")
	@echo "installing the locked packages; some minutes, silent meanwhile"
	$(BIN)/python -m pip install --quiet --requirement requirements/lock.txt
	$(BIN)/python -m pip install --quiet --no-build-isolation --no-deps --editable .
	@touch $(STAMP)
	@echo "installed; 'source .venv/bin/activate' makes pretune a command of this shell"

demo: setup  ## fine-tune and judge a model on movie-reviews; any verdict is a success
	@$(BIN)/pretune run movie-reviews; code=$$?; case $$code in \
	  0) echo "Outcome: ship. Every gate, comparison and required check was passed on test rows the model had not seen." ;; \
	  1) echo "Outcome: do not ship. The demo worked; the model did not earn it. The reasons are above and in report.html." ;; \
	  3) echo "Outcome: not enough evidence. The demo worked; the figures can neither pass nor fail the gates yet. See rows needed above." ;; \
	  *) echo "The demo did not finish: pretune stopped with exit code $$code (docs/commands.md)." >&2; exit $$code ;; \
	esac

test: setup  ## run the tests and doctests; TESTS="tests/data -x" picks
	$(BIN)/python -m pytest -m "not slow" --numprocesses auto --maxprocesses 4 --dist worksteal $(TESTS)

slow: setup  ## run the slow tier: tests that take longer than ten seconds
	$(BIN)/python -m pytest -m slow $(TESTS)

torture: setup  ## kill small trainings 500 times, refuse them 100 writes, and compare what comes out
	$(BIN)/pretune selftest --kill 500 --refuse 100

same-numbers: setup  ## a tiny golden run of everything that trains and judges, compared by digest with tools/same_numbers.json
	$(BIN)/python tools/same_numbers.py

same-numbers-new: setup  ## write that list anew, for this machine and these versions
	$(BIN)/python tools/same_numbers.py --new

honesty: setup  ## measure the verdict as an instrument, and write docs/honesty.md; about 15 minutes on two cores
	$(BIN)/python benchmarks/honesty.py

bench: setup  ## pretune beside the transformers Trainer on this machine, in short; at most 20 minutes
	$(BIN)/python benchmarks/speed.py --quick --again

bench-full: setup  ## the same in whole runs, hours; stops and goes on run by run, writes docs/performance.md
	$(BIN)/python benchmarks/speed.py

check: setup  ## formatting, lint, types, layers, sizes
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest tests/contracts/test_layers.py
	$(BIN)/python tools/sizes.py

format: setup  ## format, and fix what lint can
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

sizes: setup  ## how long files and functions are
	$(BIN)/python tools/sizes.py --all

clean:  ## remove .venv, caches and build leftovers; runs/ and downloads stay
	rm -rf .venv build dist src/*.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find src tests tools -name __pycache__ -type d -prune -exec rm -rf {} +
