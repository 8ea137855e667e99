.DEFAULT_GOAL := help
.PHONY: help demo test check bench clean

BIN := .venv/bin

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: ## set everything up, solve the sample site's captchas once, print the results
	@sh scripts/bootstrap/prepare.sh demo
	@$(BIN)/captchad demo

test: ## set everything up and run every check and test
	@sh scripts/bootstrap/prepare.sh test
	@$(BIN)/python scripts/testing/run_stages.py

check: ## linters, types and the dependency rule, without tests
	@sh scripts/bootstrap/prepare.sh check
	@$(BIN)/python scripts/testing/run_stages.py --only check

bench: ## measure queue, gateway and browser on this machine
	@sh scripts/bootstrap/prepare.sh test
	@$(BIN)/python -m pytest tests/benchmarks -s

clean: ## remove the virtual environment and what tools left behind
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find captchad tests scripts -name __pycache__ -type d -prune -exec rm -rf {} +
