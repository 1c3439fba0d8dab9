# demo | test | check | lock: everything they need is made by them, from git, make and python3 alone.
SHELL := /bin/bash
BIN := .venv/bin
PYTHON ?= python3
export DO_NOT_TRACK := 1
export PREFECT_SERVER_ANALYTICS_ENABLED := false
# public data sets, where a folder of them lies beside the checkout; otherwise cache, download, or the scenario
ifneq ($(wildcard ../shared/data),)
export FLYWHEEL_DATA ?= $(abspath ../shared/data)
endif

.PHONY: demo test test-slow check format lock browser

demo: .venv
	$(BIN)/flywheel demo

test: .venv browser
	$(BIN)/pytest -n 2 --dist loadgroup -m "not slow"

test-slow: .venv browser
	$(BIN)/pytest -n 2 --dist loadgroup

check: .venv
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/sqlfluff lint sql

format: .venv
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/sqlfluff fix sql

# uv where it is; else uv from the lock's own pin; else plain pip. The lock names no index and pins every hash.
.venv: requirements.lock pyproject.toml scripts/install
	scripts/install $(PYTHON)
	touch .venv

# the same resolution on every platform and Python; hosts never get into the file
lock: .venv
	$(BIN)/uv pip compile --universal --generate-hashes --no-emit-index-url --group dev -q \
	  -o requirements.lock pyproject.toml

# Debian's browser and database for the tests that need them, where we may install them
browser:
	@scripts/system-packages chromium postgresql
