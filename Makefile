# `make` without a goal explains itself. Only Python ≥ 3.11 is needed beforehand.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo $$p && break; done)
VENV := .venv/bin

.PHONY: help run test fuzz bench chaos check fix lock

help: ## Show this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## Set everything up and run the whole system on this machine
	@$(or $(PYTHON),$(error Python 3.11 or newer was not found: make PYTHON=/path/to/python3 $@)) bin/prepare.py run
	@$(VENV)/python -m dev.up

test: ## Set up what tests need and run all of them
	@$(or $(PYTHON),$(error Python 3.11 or newer was not found: make PYTHON=/path/to/python3 $@)) bin/prepare.py test
	@$(VENV)/python bin/check.py test

fuzz: ## Property tests with many more, random cases: make fuzz SEED=7 ONLY=tests/contract
	@$(or $(PYTHON),$(error Python 3.11 or newer was not found: make PYTHON=/path/to/python3 $@)) bin/prepare.py test
	@$(VENV)/python -m tests.fuzz --seed "$(SEED)" --only "$(ONLY)"

bench: ## Run the benchmarks, or one of them: make bench ONLY=name
	@$(or $(PYTHON),$(error Python 3.11 or newer was not found: make PYTHON=/path/to/python3 $@)) bin/prepare.py bench
	@$(VENV)/python -m bench $(ONLY)

chaos: ## Ten minutes of load while everything fails by chance: make chaos SEED=7
	@$(or $(PYTHON),$(error Python 3.11 or newer was not found: make PYTHON=/path/to/python3 $@)) bin/prepare.py test
	@$(VENV)/python -m tests.chaos $(SEED)

check: ## Run the static checks: lint, types, architecture
	@$(or $(PYTHON),$(error Python 3.11 or newer was not found: make PYTHON=/path/to/python3 $@)) bin/prepare.py test
	@$(VENV)/python bin/check.py check

fix: ## Mend what the linters can mend by themselves
	@$(or $(PYTHON),$(error Python 3.11 or newer was not found: make PYTHON=/path/to/python3 $@)) bin/prepare.py test
	@$(VENV)/ruff check --fix --quiet . ; $(VENV)/ruff format --quiet .
	@cd frontend && PATH="$(CURDIR)/$(VENV):$$PATH" npm run --silent lint -- --fix

lock: ## Resolve the dependencies anew into the lock files (needs uv)
	@$(VENV)/python bin/lock.py
