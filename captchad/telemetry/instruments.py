"""The metrics of one process, over aioprometheus; the one module that renders them."""

from collections.abc import Iterable, Mapping
from typing import Any

from aioprometheus.collectors import Collector, Counter, Gauge, Histogram, Registry
from aioprometheus.formats.text import TEXT_CONTENT_TYPE, TextFormatter

from captchad.telemetry.escaping import escape_help, escape_label_value, repair_surrogates
from captchad.telemetry.metric_catalogue import SERIES_REFUSED, MetricDefinition, MetricKind

# Further label values count under OVERFLOW: no caller may fill the memory of a role with series.
SERIES_LIMIT = 500
OVERFLOW = "other"
Labels = Mapping[str, str]
NO_LABELS: Labels = {}


class EscapingTextFormatter(TextFormatter):
    """aioprometheus' text format with label values escaped, which it leaves out."""

    def _format_line(self, name: str, labels: Any, value: Any, const_labels: Any) -> str:
        inside = ",".join(f'{key}="{escape_label_value(str(text))}"' for key, text in (labels or {}).items())
        return f"{name}{{{inside}}} {value}" if inside else f"{name} {value}"


class Instruments:
    """Counters, gauges and histograms of the given definitions; constructed per process, shared by nobody."""

    def __init__(self, definitions: Iterable[MetricDefinition]) -> None:
        self._registry = Registry()
        self._numbers: dict[str, Counter | Gauge] = {}
        self._histograms: dict[str, Histogram] = {}
        for definition in definitions:
            self._make(definition)

    def _make(self, definition: MetricDefinition) -> None:
        name, text = definition.name, escape_help(definition.help)
        match definition.kind:
            case MetricKind.COUNTER:
                self._numbers[name] = Counter(name, text, registry=self._registry)
            case MetricKind.GAUGE:
                self._numbers[name] = Gauge(name, text, registry=self._registry)
            case MetricKind.HISTOGRAM:
                self._histograms[name] = Histogram(name, text, registry=self._registry, buckets=definition.buckets)
        if not definition.labels and definition.kind is MetricKind.COUNTER:
            self._numbers[name].set({}, 0)

    def add(self, definition: MetricDefinition, amount: float = 1, labels: Labels = NO_LABELS) -> None:
        """Let a counter grow, or move a gauge, by `amount`."""
        meter = self._numbers[definition.name]
        meter.add(self._bounded(definition, meter, labels), amount)

    def set(self, definition: MetricDefinition, value: float, labels: Labels = NO_LABELS) -> None:
        """Set a gauge, or a counter whose total is kept elsewhere."""
        meter = self._numbers[definition.name]
        meter.set(self._bounded(definition, meter, labels), value)

    def observe(self, definition: MetricDefinition, value: float, labels: Labels = NO_LABELS) -> None:
        """Put one value into a histogram."""
        meter = self._histograms[definition.name]
        meter.observe(self._bounded(definition, meter, labels), float(value))

    def forget(self, definition: MetricDefinition) -> None:
        """Drop all series of a metric, before those that still exist are set again."""
        self._numbers[definition.name].values.clear()

    def render(self) -> tuple[bytes, str]:
        """Return all meters as Prometheus text, and its content type."""
        return EscapingTextFormatter().marshall(self._registry), TEXT_CONTENT_TYPE

    def _bounded(self, definition: MetricDefinition, meter: Collector, labels: Labels) -> dict[str, str]:
        if set(labels) != set(definition.labels):
            raise ValueError(f"{definition.name} has the labels {definition.labels}, not {tuple(labels)}")
        wanted: dict[str, str] = {name: repair_surrogates(text) for name, text in labels.items()}
        if len(meter.values) < SERIES_LIMIT or wanted in meter.values:
            return wanted
        if SERIES_REFUSED.name in self._numbers:
            self._numbers[SERIES_REFUSED.name].add({}, 1)
        return dict.fromkeys(labels, OVERFLOW)
