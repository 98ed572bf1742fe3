# Everything needs only make and Python 3.11 or newer; uv and Node.js are used where they are there.
# Each target sets up what it needs. After the first time nothing is fetched again until a lock file changes.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
unexport PYTHONDONTWRITEBYTECODE  # compiled modules start four times as fast

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
UV := $(shell command -v uv 2>/dev/null)
ARGS ?=

ifdef UV
INSTALL = $(UV) pip install --quiet --python $(BIN)/python --compile-bytecode
else
INSTALL = $(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check
endif

.PHONY: help setup run test check bench lock clean web

help: ## Show this list
	@echo 'make TARGET [ARGS="…"]'
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  %-6s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(READY) web ## Prepare .venv with all locked dependencies, and the page

run: setup ## Start everything on http://127.0.0.1:5000 (`vela up`; ARGS="--speed 120")
	@exec $(BIN)/vela up $(ARGS)

test: setup ## Run the tests (ARGS="tests/unit -k symbol")
	$(BIN)/python -m pytest --numprocesses=auto --maxprocesses=4 --dist=worksteal $(ARGS)

check: setup ## Check format, lint, types, import contracts, containers and the page
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/hadolint deploy/Containerfile
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec deploy/compose*.yaml
	$(BIN)/python hatch_build.py check

bench: setup ## Run the benchmarks (ARGS="NAME …" for some)
	@$(BIN)/python bench/run.py $(ARGS)

web: $(READY) ## Build the page if web/ has changed
	@if $(BIN)/python hatch_build.py needs-node; then $(INSTALL) --require-hashes -r requirements/node.txt; fi
	@$(BIN)/python hatch_build.py build

LOCK = $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-strip-extras \
	--custom-compile-command 'make lock' $(ARGS)

lock: ## Write the lock files anew from pyproject.toml (needs uv; ARGS=--upgrade takes the newest)
	@test -n '$(UV)' || { echo 'error: make lock needs uv: pip install uv' >&2; exit 1; }
	$(LOCK) pyproject.toml -o requirements/core.txt
	$(LOCK) pyproject.toml --extra dev -c requirements/core.txt -o requirements/dev.txt
	$(LOCK) pyproject.toml --extra postgres -c requirements/dev.txt -o requirements/server.txt
	$(LOCK) --group node -o requirements/node.txt
	$(LOCK) --group build -c requirements/dev.txt -c requirements/node.txt -o requirements/build.txt

clean: ## Remove all that make has made (.venv, the page, caches)
	rm -rf $(VENV) __pycache__ build dist htmlcov .coverage .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache \
		src/vela/dashboard/static web/node_modules
	find src tests bench -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): pyproject.toml requirements/dev.txt
ifdef UV
	@$(UV) venv --quiet --allow-existing --seed --python '$(or $(PYTHON),>=3.11)' $(VENV)
else
	@python=; \
	for candidate in $(or $(PYTHON),python3 python3.14 python3.13 python3.12 python3.11); do \
		if "$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then python=$$candidate; break; fi; \
	done; \
	test -n "$$python" || { echo 'error: Vela needs Python 3.11 or newer on the PATH (or make PYTHON=/path/to/python)' >&2; exit 1; }; \
	"$$python" -m venv $(VENV)
endif
	@echo 'Installing the locked dependencies into $(VENV) …'
	@$(INSTALL) --require-hashes -r requirements/dev.txt
	@VELA_SKIP_WEB=1 $(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@
