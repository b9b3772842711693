# `make demo` shows what ampgen does; `make test` is the whole gate. Both set up what they need
# in .venv, from Python 3.11 or newer and the package index alone.

PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test format lint types layers generated unit bench clean

demo: .venv/demo
	@$(BIN)/python docs/examples/repeat/demo.py

test: format lint types layers generated unit

format: .venv/test
	$(BIN)/ruff format --check .
	$(BIN)/ampgen fmt --check schemas docs/examples/large docs/examples/authentication docs/examples/from_twisted docs/examples/from_asyncio_amp docs/examples/schema docs/examples/compile docs/examples/templates docs/examples/targets docs/examples/building

lint: .venv/test
	$(BIN)/ruff check .

# The examples import what is compiled here.
types: .venv/test
	$(BIN)/ampgen compile -I schemas schemas/repeat.amp schemas/archive.amp schemas/worker.amp \
		-I docs/examples/authentication docs/examples/authentication/vault.amp \
		-I docs/examples/large docs/examples/large/pages.amp \
		-o build/demo/textpkg
	$(BIN)/ampgen compile schemas/repeat.amp --target twisted -o build/demo/twistedpkg
	$(BIN)/ampgen compile docs/examples/from_twisted/printing.amp -o build/demo/printpkg
	$(BIN)/ampgen compile docs/examples/from_twisted/printing.amp --target twisted -o build/demo/printtwisted
	$(BIN)/ampgen compile docs/examples/from_twisted/later/printing.amp -o build/demo/printlater
	$(BIN)/ampgen compile docs/examples/from_asyncio_amp/weather.amp -o build/demo/weatherpkg
	$(BIN)/mypy .
	$(BIN)/pyright --warnings

layers: .venv/test
	$(BIN)/lint-imports

generated: .venv/test
	$(BIN)/ampgen compile schemas/*.amp -o generated_example --check
	$(BIN)/ampgen compile schemas/health.amp -o ampgen/runtime/generated --check
	$(BIN)/ampgen compile tests/runtime/text.amp -o tests/runtime/made --check

# Warnings are errors, asyncio is in debug mode, and every branch of the runtime is covered.
unit: .venv/test
	PYTHONASYNCIODEBUG=1 $(BIN)/python -m pytest -n 2 --dist loadgroup --cov --cov-report term --cov-fail-under 100

# What is measured, and how to choose: docs/performance.md. It makes its own environment.
bench: .venv/python
	$(BIN)/python -m benchmarks $(BENCH)

.venv/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "ampgen needs Python 3.11 or newer; name one with: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -m venv .venv
	@touch $@

.venv/demo: .venv/python pyproject.toml
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

.venv/test: .venv/python pyproject.toml
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	@touch $@ .venv/demo

clean:
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage
