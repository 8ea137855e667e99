"""Prometheus' own tool on the configuration we ship, and the catalogue beside it."""

import re
import subprocess
from pathlib import Path

from captchad.domain.node import Role
from captchad.domain.ports import PROMETHEUS_PORT, ROLE_PORTS
from captchad.telemetry.metric_catalogue import ALL_METRICS

ROOT = Path(__file__).parents[3]
CONFIGURATION = ROOT / "config" / "prometheus.yml"
RULES = ROOT / "config" / "alerts.yml"
RULE_TESTS = Path(__file__).parent / "alerts_test.yml"


def run_promtool(*arguments: str) -> None:
    done = subprocess.run(["promtool", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def list_alerts() -> set[str]:
    return set(re.findall(r"- alert: (\w+)", RULES.read_text()))


def test_the_configuration_is_valid() -> None:
    run_promtool("check", "config", str(CONFIGURATION))


def test_the_rules_are_valid() -> None:
    run_promtool("check", "rules", str(RULES))


def test_the_rules_say_what_their_tests_expect() -> None:
    run_promtool("test", "rules", str(RULE_TESTS))


def test_every_rule_has_a_test() -> None:
    assert {name for name in list_alerts() if name not in RULE_TESTS.read_text()} == set()


def test_the_specified_rules_keep_their_expressions() -> None:
    text = RULES.read_text()
    assert "- alert: HighTaskFailureRate\n        expr: rate(captcha_tasks_failed[5m]) > 0.1\n        for: 2m\n" in text
    rule = text.partition("- alert: WorkerNodeDown\n")[2].partition("labels:")[0]
    # Where the monitor does not say how many workers are expected.
    assert "(worker_nodes_active < 2 unless captchad_workers_expected)\n" in rule
    assert "\n        for: 1m\n" in rule


def test_rules_use_metrics_that_exist() -> None:
    known = {definition.name for definition in ALL_METRICS}
    used = set(re.findall(r"\b(?:captcha_|captchad_|worker_nodes_|system_)\w+", RULES.read_text()))
    assert used
    assert used <= known


def test_the_rules_are_tested_on_series_as_they_are_scraped() -> None:
    labels = {definition.name: {"job", "instance", *definition.labels} for definition in ALL_METRICS}
    labels["up"] = {"job", "instance"}
    series = re.findall(r"series: '(\w+)\{(.*?)\}'", RULE_TESTS.read_text())
    assert series
    for name, inside in series:
        assert set(re.findall(r'(\w+)="', inside)) == labels[name], name


def test_no_label_of_a_scraped_target_displaces_one_of_a_metric() -> None:
    assert "labels:" not in CONFIGURATION.read_text()
    assert not {"job", "instance"} & {label for definition in ALL_METRICS for label in definition.labels}


def test_every_role_is_scraped_on_its_port() -> None:
    text = CONFIGURATION.read_text()
    for port in (*ROLE_PORTS.values(), *range(ROLE_PORTS[Role.WORKER], 8009)):
        assert f"127.0.0.1:{port}" in text
    assert f"--web.listen-address=127.0.0.1:{PROMETHEUS_PORT}" in text
