"""Every metric is recorded by somebody: one that nothing feeds stays at zero, and its alert never fires."""

import ast
from collections.abc import Iterator
from pathlib import Path

import captchad
from captchad.telemetry import metric_catalogue
from captchad.telemetry.metric_catalogue import MetricDefinition
from captchad.telemetry.metrics import Metrics

PACKAGE = Path(captchad.__file__).parent
TELEMETRY = PACKAGE / "telemetry"


def parse_package() -> Iterator[tuple[Path, ast.AST]]:
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            yield path, node


def list_metrics_used() -> set[str]:
    """Return the catalogue's entries that are used, as `metric_catalogue.NAME` or imported by name."""
    used: set[str] = set()
    for _, node in parse_package():
        match node:
            case ast.Attribute(value=ast.Name(id="metric_catalogue"), attr=name):
                used.add(name)
            case ast.ImportFrom(module="captchad.telemetry.metric_catalogue", names=names):
                used |= {alias.name for alias in names}
    return used


def test_every_method_that_records_something_is_called() -> None:
    methods = {name for name in vars(Metrics) if name.startswith(("record_", "set_"))}
    outside = (node for path, node in parse_package() if not path.is_relative_to(TELEMETRY))
    called = {node.attr for node in outside if isinstance(node, ast.Attribute)}
    assert methods
    assert methods - called == set()


def test_every_metric_is_recorded() -> None:
    metrics = {name for name, value in vars(metric_catalogue).items() if isinstance(value, MetricDefinition)}
    assert metrics
    assert metrics - list_metrics_used() == set()
