"""docs/monitoring.md lists every metric and every alert there is, and none besides."""

import re
from pathlib import Path

from captchad.telemetry.metric_catalogue import ALL_METRICS

ROOT = Path(__file__).parents[3]
CHAPTER = (ROOT / "docs" / "monitoring.md").read_text()


def list_first_cells() -> set[str]:
    return set(re.findall(r"^\| `(\w+)` \|", CHAPTER, re.MULTILINE))


def test_every_metric_is_documented_as_it_is() -> None:
    for definition in ALL_METRICS:
        labels = ", ".join(f"`{label}`" for label in definition.labels) or "–"
        assert f"| `{definition.name}` | {definition.kind} | {labels} | {definition.help} |" in CHAPTER


def test_metrics_and_alerts_are_all_that_is_listed() -> None:
    alerts = set(re.findall(r"- alert: (\w+)", (ROOT / "config" / "alerts.yml").read_text()))
    assert list_first_cells() == alerts | {definition.name for definition in ALL_METRICS}
