.DEFAULT_GOAL := help
.PHONY: help demo test check audit test-unit test-integration test-system bench clean
.PHONY: prove-load prove-faults prove-failover prove-browser prove-hostile prove-answers prove-pages prove-drift prove-fuzz prove-pythons prove-learning prove-systemd prove-operations prove-guide prove-testing prove-compatibility prove-hosts prove-callbacks prove-keys prove-secrets

BIN := .venv/bin
STAGES := $(BIN)/python scripts/testing/run_stages.py $(if $(ORDER),--order $(ORDER)) $(if $(SEED),--seed $(SEED))

define run_checks
@$(BIN)/ruff check .
@$(BIN)/ruff format --check .
@$(BIN)/mypy captchad
@$(BIN)/lint-imports
@$(BIN)/vulture
endef

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-17s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: ## set everything up, solve five pages of the sample site, print the results
	@sh scripts/bootstrap/prepare.sh demo
	@$(BIN)/captchad demo

test: ## set everything up and run every check and test; the first stage that fails ends it
	@sh scripts/bootstrap/prepare.sh test
	$(run_checks)
	@$(STAGES) unit integration system

check: ## linters, types, the dependency rule and dead code, without tests
	@sh scripts/bootstrap/prepare.sh check
	$(run_checks)

audit: ## what is publicly known against the installed packages; 2: the list of vulnerabilities can't be had
	@sh scripts/bootstrap/prepare.sh check
	@$(BIN)/python scripts/testing/audit_packages.py

test-unit: ## the unit tests; TESTS=PATH... some of them, ORDER=random in random order (SEED=N: one known)
	@sh scripts/bootstrap/prepare.sh test
	@$(STAGES) unit $(if $(TESTS),--tests $(TESTS))

test-integration: ## the tests with a real Redis and Chromium; TESTS, ORDER and SEED as above
	@sh scripts/bootstrap/prepare.sh test
	@$(STAGES) integration $(if $(TESTS),--tests $(TESTS))

test-system: ## the tests with real processes and signals; TESTS, ORDER and SEED as above
	@sh scripts/bootstrap/prepare.sh test
	@$(STAGES) system $(if $(TESTS),--tests $(TESTS))

bench: ## measure start, idle cost and queue on this machine, which should be otherwise idle
	@sh scripts/bootstrap/prepare.sh test
	@$(BIN)/python -m tests.benchmarks.bench_start
	@$(BIN)/python -m tests.benchmarks.bench_queue

prove-load: ## 200 pages at once through `captchad up`, against the engine's own reading
	@sh scripts/bootstrap/prepare.sh test
	@CAPTCHAD_PROOF_TASKS=200 $(BIN)/python -m pytest -q -s tests/system/test_load.py

prove-faults: ## kill, stop and starve every role; Redis away for 10 s; 30 rounds of random faults
	@sh scripts/bootstrap/prepare.sh test
	@CAPTCHAD_PROOF_ROUNDS=30 $(BIN)/python -m pytest -q -s tests/system/test_random_faults.py
	@CAPTCHAD_PROOF_OUTAGE_SECONDS=10 CAPTCHAD_PROOF_RUNNING_AGAIN_SECONDS=10 $(BIN)/python -m pytest -q tests/system/test_faults.py tests/system/test_up.py tests/system/test_up_running.py tests/system/test_browser_faults.py

prove-failover: ## 20 planned Sentinel failovers under load for each number of acknowledgements: what is lost, what changes
	@sh scripts/bootstrap/prepare.sh test
	@CAPTCHAD_PROOF_FAILOVERS=20 CAPTCHAD_PROOF_SUBMITS=5000 $(BIN)/python -m pytest -q -s tests/system/test_failovers.py

prove-browser: ## 10,000 pages with 200 browsers and 20 workers killed among them: nothing left behind, memory flat
	@sh scripts/bootstrap/prepare.sh test
	@CAPTCHAD_PROOF_PAGES=5000 CAPTCHAD_PROOF_BROWSER_KILLS=200 CAPTCHAD_PROOF_WORKER_KILLS=20 $(BIN)/python -m pytest -q -s tests/system/test_browser_endurance.py

prove-hostile: ## 200 visits to hostile pages beside honest ones, and 200 that leave requests behind: nothing honest fails, nothing leaks
	@sh scripts/bootstrap/prepare.sh test
	@CAPTCHAD_PROOF_HOSTILE_VISITS=200 CAPTCHAD_PROOF_SILENCE_SECONDS=1 CAPTCHAD_PROOF_PLANTED_VISITS=200 $(BIN)/python -m pytest -q -s tests/system/test_hostile_proof.py tests/system/test_isolation.py

prove-answers: ## 300 tasks at a site that refuses every answer, while workers are killed: it gets no more than allowed
	@sh scripts/bootstrap/prepare.sh test
	@CAPTCHAD_PROOF_ANSWERS_TASKS=300 $(BIN)/python -m pytest -q -s --timeout 3600 tests/system/test_answers.py

prove-keys: ## one key at ten times its rate, at two gateways for a minute: within 1 % of what it may
	@sh scripts/bootstrap/prepare.sh test
	@CAPTCHAD_PROOF_KEY_SECONDS=60 $(BIN)/python -m pytest -q -s tests/system/test_keys.py

prove-pages: ## 200 pages of the sample site, all kinds in turn: 198 verified right by the site's own record, none wrong
	@sh scripts/bootstrap/prepare.sh test
	@CAPTCHAD_PROOF_SAMPLE_PAGES=200 $(BIN)/python -m pytest -q -s tests/system/test_sample_pages.py

prove-drift: ## changes of captchas, and months without any, simulated: found within 100 visits, and hardly ever without a change
	@sh scripts/bootstrap/prepare.sh test
	@CAPTCHAD_PROOF_DRIFT_MONTHS=20 CAPTCHAD_PROOF_DRIFT_RUNS=200 $(BIN)/python -m pytest -q -s tests/unit/domain/test_captcha_drift.py

prove-fuzz: ## fuzz the decoder of pictures for five minutes on one core; findings are put in build/fuzz
	@sh scripts/bootstrap/prepare.sh test
	@$(BIN)/python -m tests.fuzz.rounds build/fuzz --seconds 300

prove-pythons: ## the unit tests on every Python from 3.11 on that is on the PATH or under pyenv
	@sh scripts/bootstrap/prepare.sh test
	@$(BIN)/python scripts/testing/prove_pythons.py

prove-learning: ## reading beside the learner; 2,000 visits to simulated sites of four generators, curves in build/learning.json
	@sh scripts/bootstrap/prepare.sh test
	@mkdir -p build
	@$(BIN)/python -m tests.system.learning_proof.serving
	@$(BIN)/python -m tests.system.learning_proof --out build/learning.json

prove-compatibility: ## seven clients of 2captcha, Anti-Captcha, CapMonster, from PyPI and npm: each solves, fails and reports
	@sh scripts/bootstrap/prepare.sh test
	@$(BIN)/python -m tests.system.compatibility_proof

prove-systemd: ## boot the units in a real systemd; needs root, systemd-container and dbus
	@bash scripts/testing/prove_systemd.sh

prove-operations: ## deploy in a booted systemd, run the guide's commands, scale under load, break things; needs what prove-systemd needs
	@bash scripts/testing/prove_operations.sh

prove-hosts: ## three booted hosts on a bridge: joining, then a fleet with Sentinels under load and faults; needs what prove-systemd needs, redis-sentinel and libfaketime
	@bash scripts/testing/prove_hosts.sh

prove-guide: ## every command of the deployment guide, in its order, in a booted systemd; needs what prove-systemd needs, nginx and prometheus
	@bash scripts/testing/prove_guide.sh

prove-testing: ## what docs/testing.md has its reader do, in a fresh environment: a green test within ten minutes
	@sh scripts/bootstrap/prepare.sh test
	@bash scripts/testing/prove_testing.sh

prove-callbacks: ## 1,000 callbacks to a receiver that fails half the time and is killed, while ten schedulers are killed
	@sh scripts/bootstrap/prepare.sh test
	@CAPTCHAD_PROOF_CALLBACKS=1000 CAPTCHAD_PROOF_SCHEDULER_KILLS=10 $(BIN)/python -m pytest -q -s tests/system/test_callbacks.py

prove-secrets: ## three installations as in production, killed in the middle: no key, cookie, header or password anywhere in clear
	@sh scripts/bootstrap/prepare.sh test
	@CAPTCHAD_PROOF_SECRET_ROUNDS=3 $(BIN)/python -m pytest -q -s tests/system/test_secrets_proof.py

clean: ## remove the virtual environment and what tools left behind
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find captchad tests scripts -name __pycache__ -type d -prune -exec rm -rf {} +
