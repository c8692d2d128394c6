# make demo runs everything from a fresh checkout; PYTHON chooses the interpreter, ARGS goes to the demo.
PYTHON ?= python3
ARGS ?=
BIN := .venv/bin
export PYTHON

.PHONY: demo examples setup dev tools test slow wheel-test check docs clean

demo: setup
	$(BIN)/mtjspice demo $(ARGS)

setup:
	@bash scripts/setup.sh

dev:
	@bash scripts/setup.sh dev

# what some tests need beyond Python packages: an ngspice that loads compiled models, KLayout for the rule deck, a
# browser for the pages
tools: dev
	@$(BIN)/mtjspice doctor --install osdi-ngspice >/dev/null
	@$(BIN)/mtjspice doctor --install klayout >/dev/null
	@bash scripts/browser.sh

test: dev
	-@$(MAKE) --no-print-directory tools
	$(BIN)/pytest -n auto --dist loadfile $(ARGS)

slow: dev
	-@$(MAKE) --no-print-directory tools
	$(BIN)/pytest -n auto --dist worksteal -m slow $(ARGS)

# every study file of examples/studies, as it is: six minutes on two processors
examples: setup
	@for file in examples/studies/*.toml; do \
	  name=$$(basename $$file .toml); \
	  $(BIN)/mtjspice study run $$file --out mtjspice-examples/$$name --resume $(ARGS) && \
	  $(BIN)/mtjspice study plot mtjspice-examples/$$name -o mtjspice-examples/$$name.png >/dev/null || exit 1; \
	done

# the wheel, installed into an empty environment
wheel-test: dev
	$(BIN)/pytest -m slow tests/test_wheel.py

check: dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# the documentation as a site that needs no network: site/index.html
docs: dev
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

clean:
	rm -rf .venv build dist site
