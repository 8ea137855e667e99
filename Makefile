.DEFAULT_GOAL := help
.PHONY: help demo test check bench clean prove-load prove-faults prove-browser prove-fuzz prove-systemd

BIN := .venv/bin

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: ## set everything up, solve the sample site's captchas once, print the results
	@sh scripts/bootstrap/prepare.sh demo
	@$(BIN)/captchad demo

test: ## set everything up and run every check and test
	@sh scripts/bootstrap/prepare.sh test
	@$(BIN)/python scripts/testing/run_stages.py

check: ## linters, types and the dependency rule, without tests
	@sh scripts/bootstrap/prepare.sh check
	@$(BIN)/python scripts/testing/run_stages.py --only check

bench: ## measure start, idle cost and queue on this machine, which should be otherwise idle
	@sh scripts/bootstrap/prepare.sh test
	@$(BIN)/python -m tests.benchmarks.bench_start
	@$(BIN)/python -m tests.benchmarks.bench_queue

prove-load: ## 200 pages at once through `captchad up`, against the engine's own reading
	@sh scripts/bootstrap/prepare.sh test
	@CAPTCHAD_PROOF_TASKS=200 $(BIN)/python -m pytest -q -s --timeout 600 tests/system/test_load.py

prove-faults: ## kill, stop and starve every role; Redis away for 10 s
	@sh scripts/bootstrap/prepare.sh test
	@CAPTCHAD_PROOF_OUTAGE_SECONDS=10 CAPTCHAD_PROOF_RUNNING_AGAIN_SECONDS=10 $(BIN)/python -m pytest -q --timeout 600 tests/system/test_faults.py tests/system/test_up.py

prove-browser: ## 10,000 pages with 200 browsers and 20 workers killed among them: nothing left behind, memory flat
	@sh scripts/bootstrap/prepare.sh test
	@CAPTCHAD_PROOF_PAGES=5000 CAPTCHAD_PROOF_BROWSER_KILLS=200 CAPTCHAD_PROOF_WORKER_KILLS=20 $(BIN)/python -m pytest -q -s tests/system/test_browser_endurance.py

prove-fuzz: ## fuzz the decoder of pictures for five minutes on one core; findings lie in build/fuzz
	@sh scripts/bootstrap/prepare.sh test
	@$(BIN)/python -m tests.fuzz.fuzz_decoding 300 build/fuzz

prove-systemd: ## boot the units in a real systemd; needs root, systemd-container and dbus
	@bash scripts/testing/prove_systemd.sh

clean: ## remove the virtual environment and what tools left behind
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find captchad tests scripts -name __pycache__ -type d -prune -exec rm -rf {} +
