# demo | test | check | lock: everything they need is made by them, from git, make and python3 alone.
SHELL := /bin/bash
BIN := .venv/bin
READY := .venv/.installed
PYTHON ?= python3
export DO_NOT_TRACK := 1
export PREFECT_SERVER_ANALYTICS_ENABLED := false
# uv leaves compiling to the first import; where nothing may be kept, each of Prefect's processes would compile it anew
unexport PYTHONDONTWRITEBYTECODE
# public data sets, where a folder of them lies beside the checkout; otherwise cache, download, or the scenario
ifneq ($(wildcard ../shared/data),)
export FLYWHEEL_DATA ?= $(abspath ../shared/data)
endif

.PHONY: .venv demo test test-slow test-team check format lock browser

demo: $(READY)
	$(BIN)/flywheel demo

test: $(READY) browser
	$(BIN)/pytest -n 2 --dist loadfile -m "not slow"

test-slow: $(READY) browser
	$(BIN)/pytest -n 2 --dist loadfile

# the lake on Postgres and S3, where Debian's packages give us a server of each; what they lack is skipped, and -rs says so
test-team: $(READY) browser
	@scripts/system-packages ceph-mon ceph-osd ceph-mgr radosgw ceph-common
	$(BIN)/pytest -m team -rs

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/sqlfluff lint sql

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/sqlfluff fix sql

# uv where it is; else uv from the lock's own pin; else plain pip. The lock names no index and pins every hash.
.venv: $(READY)
$(READY): requirements.lock pyproject.toml scripts/install
	scripts/install $(PYTHON)
	touch $@

# the same resolution on every platform and Python; hosts never get into the file
lock: $(READY)
	$(BIN)/uv pip compile --universal --generate-hashes --no-emit-index-url --group dev -q \
	  -o requirements.lock pyproject.toml

# Debian's browser and database for the tests that need them, where we may install them
browser:
	@scripts/system-packages chromium postgresql strace minisign
