# make demo runs everything from a fresh checkout; PYTHON chooses the interpreter, ARGS goes to the demo.
PYTHON ?= python3
ARGS ?=
BIN := .venv/bin
export PYTHON

.PHONY: demo setup dev test slow wheel-test check clean

demo: setup
	$(BIN)/mtjspice demo $(ARGS)

setup:
	@bash scripts/setup.sh

dev:
	@bash scripts/setup.sh dev

test: dev
	$(BIN)/pytest -n auto --dist loadfile $(ARGS)

slow: dev
	$(BIN)/pytest -n auto --dist loadfile -m slow $(ARGS)

# the wheel, installed into an empty environment
wheel-test: dev
	$(BIN)/pytest -m slow tests/test_wheel.py

check: dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

clean:
	rm -rf .venv build dist
