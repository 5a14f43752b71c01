# make run   the service on http://127.0.0.1:8080 (sets everything up by itself)
# make test  lint, types, import contracts and all tests (sets everything up by itself)
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

# make demo  train, examine, swap and roll back a tiny model on this machine
.PHONY: run test demo lint types bench train-triage train-library train-guard eval-guard eval-triage eval-library eval-language content clean

run: .venv/run-ready
	$(BIN)/lafiya serve

test: .venv/dev-ready lint types
	$(BIN)/python -m tests.parts

demo: .venv/dev-ready
	$(BIN)/lafiya demo

lint: .venv/dev-ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/dev-ready
	$(BIN)/mypy

bench: .venv/dev-ready
	$(BIN)/python -m benchmarks.run

train-triage: .venv/run-ready
	$(BIN)/python -m knowledge.triage_train

train-library: .venv/run-ready
	$(BIN)/python -m knowledge.topic_train

train-guard: .venv/run-ready
	$(BIN)/python -m bot.guard_train

eval-guard: .venv/run-ready
	$(BIN)/python -m bot.guard_eval

eval-triage: .venv/run-ready
	$(BIN)/python -m knowledge.triage_eval

eval-library: .venv/run-ready
	$(BIN)/python -m knowledge.library_eval

eval-language: .venv/run-ready
	$(BIN)/python -m knowledge.language_train --measure-only

content: .venv/run-ready
	$(BIN)/lafiya content check

clean:
	rm -rf .venv build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv .venv

.venv/run-ready: .venv/bin/python pyproject.toml constraints.txt
	@echo "Installing into .venv (once; a minute or two) ..."
	$(PIP) -e .
	@touch $@

.venv/dev-ready: .venv/run-ready
	$(PIP) -e '.[dev]'
	@touch $@
