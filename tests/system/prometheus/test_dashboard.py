"""The Grafana dashboard and Alertmanager's configuration, against the metrics and alerts there are."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from captchad.telemetry.metric_catalogue import ALL_METRICS, MetricKind
from tests.system.prometheus.test_rules import CONFIGURATION, list_alerts, run_promtool

FOLDER = CONFIGURATION.parent
DASHBOARD: dict[str, Any] = json.loads((FOLDER / "grafana" / "captchad.json").read_text())
ALERTMANAGER = FOLDER / "alertmanager.yml"
ADDED = ("job", "instance", "le")
"""Labels that are the scrape's, and the bounds of a histogram's buckets."""
WORDS = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
LANGUAGE = {"sum", "by", "rate", "increase", "count", "histogram_quantile", "bool"}


def list_queries() -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    for panel in DASHBOARD["panels"]:
        for query in panel.get("targets", ()):
            yield panel, query


def list_series() -> dict[str, set[str]]:
    """Return every name that can be asked for, with its labels."""
    series = {}
    for metric in ALL_METRICS:
        endings = ("_bucket", "_sum", "_count") if metric.kind is MetricKind.HISTOGRAM else ("",)
        series |= {metric.name + ending: set(metric.labels) for ending in endings}
    return series


def bare(expression: str) -> str:
    """Take away what is no name: durations, texts, Grafana's interval."""
    return re.sub(r"\[[^\]]*\]|\"[^\"]*\"", "", expression)


def test_every_expression_is_promql(tmp_path: Path) -> None:
    rules = [
        {"record": f"panel:{panel['id']}:{query['refId']}", "expr": query["expr"].replace("$__rate_interval", "1m")}
        for panel, query in list_queries()
    ]
    assert len(rules) > 30
    file = tmp_path / "rules.yml"
    # JSON is YAML too.
    file.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    run_promtool("check", "rules", str(file))


def test_every_name_is_a_metric_or_a_label_of_one() -> None:
    series = list_series()
    for _, query in list_queries():
        words = set(WORDS.findall(bare(query["expr"])))
        metrics = words & series.keys()
        assert metrics, query["expr"]
        labels = {label for name in metrics for label in series[name]} | set(ADDED)
        assert words - metrics - LANGUAGE <= labels, query["expr"]


def test_legends_name_labels_that_are_left() -> None:
    series = list_series()
    for _, query in list_queries():
        named = set(re.findall(r"{{(\w+)}}", query["legendFormat"]))
        grouped = re.search(r"by \(([^)]*)\)", query["expr"])
        left = set(grouped[1].split(", ")) if grouped else {"job", "instance"}
        if grouped is None:
            left |= {label for word in WORDS.findall(query["expr"]) for label in series.get(word, ())}
        assert named <= left, query["expr"]


def test_jobs_are_those_that_are_scraped() -> None:
    jobs = set(re.findall(r"job_name: (\S+)", CONFIGURATION.read_text()))
    named = {job for _, query in list_queries() for job in re.findall(r'job="([^"]*)"', query["expr"])}
    assert named
    assert named <= jobs


def test_panels_have_an_id_of_their_own_and_room() -> None:
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        assert place["x"] + place["w"] <= 24
        taken |= cells


def test_any_prometheus_can_be_chosen() -> None:
    (variable,) = DASHBOARD["templating"]["list"]
    assert (variable["name"], variable["type"], variable["query"]) == ("datasource", "datasource", "prometheus")
    for panel, query in list_queries():
        assert panel["datasource"]["uid"] == query["datasource"]["uid"] == "${datasource}"


def test_alertmanagers_configuration_is_valid() -> None:
    done = subprocess.run(["amtool", "check-config", str(ALERTMANAGER)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def route(severity: str) -> str:
    command = ["amtool", "config", "routes", "test", f"--config.file={ALERTMANAGER}", f"severity={severity}"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_a_critical_alert_reaches_who_is_on_call() -> None:
    assert route("critical") == "on-call"
    assert route("warning") == "operators"
    assert route("info") == "operators"


def test_alertmanager_names_alerts_that_exist() -> None:
    named = "|".join(re.findall(r'alertname=~?"([^"]*)"', ALERTMANAGER.read_text())).split("|")
    assert len(named) > 8
    assert set(named) <= list_alerts()
