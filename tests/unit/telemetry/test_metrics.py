"""Metrics: one catalogue, rendered so that Prometheus' own tool accepts it whatever the values."""

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captchad.domain.role_figures import BrowserFigures, WorkerFigures
from captchad.telemetry import metric_catalogue
from captchad.telemetry.instruments import OVERFLOW, SERIES_LIMIT, Instruments
from captchad.telemetry.metric_catalogue import ALL_METRICS, MetricDefinition, MetricKind
from captchad.telemetry.metrics import ROLE_METRICS, Metrics

NASTY_VALUES = ('a"b', "line\nbreak", "back\\slash", "lone \ud800 surrogate", 'all of them: "\\\n', "数字", "{}", "")


def check_with_promtool(rendering: bytes) -> None:
    done = subprocess.run(["promtool", "check", "metrics"], input=rendering, capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def make_metrics(role: str, node: str = "node-1") -> Metrics:
    return Metrics(role, node, "1.2.3")


@pytest.mark.parametrize("role", ROLE_METRICS)
def test_every_role_renders_what_promtool_accepts(role: str) -> None:
    metrics = make_metrics(role, node='worker "1"\n')
    metrics.record_request("/task_status/{task_id}", "GET", 200, 0.004)
    metrics.record_refusal("rate_limited")
    rendering, content_type = metrics.render()
    check_with_promtool(rendering)
    assert content_type.startswith("text/plain")
    assert b"captchad_process_resident_memory_bytes " in rendering
    assert b'route="/task_status/{task_id}",status="200"' in rendering.replace(b'method="GET",', b"")


def test_nasty_label_values_are_escaped() -> None:
    metrics = make_metrics("worker")
    for value in NASTY_VALUES:
        metrics.record_egress_refusal(value)
        metrics.record_stage(value, 0.5)
        metrics.record_request(value, value, 200, 0.1)
    check_with_promtool(metrics.render()[0])


@given(st.text(alphabet=st.characters(codec=None)))
def test_a_label_value_never_leaves_its_line(value: str) -> None:
    instruments = Instruments([metric_catalogue.EGRESS_REFUSALS])
    instruments.add(metric_catalogue.EGRESS_REFUSALS, labels={"reason": value})
    assert instruments.render()[0].count(b"\n") == 3


def test_everything_a_worker_records_is_found_again() -> None:
    metrics = make_metrics("worker")
    metrics.set_worker_figures(WorkerFigures(slots=4, busy=2, browser=BrowserFigures(recycled=3, crashes=1)))
    metrics.record_attempt("retried", "navigation_failed")
    metrics.record_stage("open", 0.3)
    metrics.record_stage("open", 700)
    metrics.record_queue_age("high", 0.02)
    metrics.record_deferral("rate")
    metrics.record_lease_renewals("renewed", 3)
    metrics.record_broker_reconnect()
    lines = metrics.render()[0].decode().splitlines()
    for expected in (
        "captchad_slots 4",
        "captchad_tasks_in_flight 2",
        'captchad_attempts_total{outcome="retried"} 1',
        'captchad_attempt_errors_total{code="navigation_failed"} 1',
        'captchad_stage_seconds_bucket{stage="open",le="0.5"} 1.0',
        'captchad_stage_seconds_bucket{stage="open",le="+Inf"} 2.0',
        'captchad_stage_seconds_count{stage="open"} 2.0',
        'captchad_queue_age_seconds_count{priority="high"} 1.0',
        'captchad_deferrals_total{reason="rate"} 1',
        'captchad_lease_renewals_total{outcome="renewed"} 3',
        "captchad_browser_recycles_total 3",
        "captchad_browser_crashes_total 1",
        "captchad_broker_reconnects_total 1",
    ):
        assert expected in lines


def test_everything_gateway_and_scheduler_record_is_found_again() -> None:
    gateway, scheduler = make_metrics("gateway"), make_metrics("scheduler")
    gateway.record_submissions("accepted", 100)
    scheduler.set_is_leader(True)
    scheduler.record_reclaimed("requeued", 2)
    scheduler.record_promoted(3)
    scheduler.record_expired(1)
    scheduler.record_pruned("recent", 5)
    lines = (gateway.render()[0] + scheduler.render()[0]).decode().splitlines()
    for expected in (
        'captchad_submissions_total{outcome="accepted"} 100',
        "captchad_scheduler_is_leader 1",
        'captchad_reclaimed_total{outcome="requeued"} 2',
        "captchad_promoted_total 3",
        "captchad_expired_total 1",
        'captchad_pruned_total{kind="recent"} 5',
    ):
        assert expected in lines


def test_two_processes_worth_of_metrics_share_nothing() -> None:
    first, second = make_metrics("gateway"), make_metrics("gateway")
    first.record_submissions("accepted")
    assert b'outcome="accepted"' not in second.render()[0]


def test_recording_for_another_role_is_an_error() -> None:
    with pytest.raises(KeyError):
        make_metrics("gateway").record_stage("open", 0.3)


def test_an_unknown_method_is_counted_as_other() -> None:
    metrics = make_metrics("gateway")
    metrics.record_request("/health", "BREW", 405, 0.001)
    assert b'method="other"' in metrics.render()[0]


def test_wrong_labels_are_an_error() -> None:
    with pytest.raises(ValueError, match="has the labels"):
        Instruments([metric_catalogue.REFUSALS]).add(metric_catalogue.REFUSALS, labels={"reason": "x"})


def test_series_are_bounded_and_what_is_beyond_is_counted() -> None:
    instruments = Instruments([metric_catalogue.REFUSALS, metric_catalogue.SERIES_REFUSED])
    for number in range(SERIES_LIMIT + 20):
        instruments.add(metric_catalogue.REFUSALS, labels={"code": f"code-{number}"})
    instruments.add(metric_catalogue.REFUSALS, labels={"code": "code-0"})
    lines = instruments.render()[0].decode().splitlines()
    assert f'captchad_refusals_total{{code="{OVERFLOW}"}} 20' in lines
    assert 'captchad_refusals_total{code="code-0"} 2' in lines
    assert "captchad_series_refused_total 20" in lines


def test_forgotten_series_are_gone() -> None:
    instruments = Instruments([metric_catalogue.HOST_CPU])
    instruments.set(metric_catalogue.HOST_CPU, 5, {"host": "a"})
    instruments.forget(metric_catalogue.HOST_CPU)
    assert b"host=" not in instruments.render()[0]


@pytest.mark.parametrize("definition", ALL_METRICS, ids=lambda definition: definition.name)
def test_names_follow_prometheus_conventions(definition: MetricDefinition) -> None:
    assert definition.help.endswith(".")
    assert (definition.kind is MetricKind.COUNTER) == definition.name.endswith("_total")
    assert bool(definition.buckets) == (definition.kind is MetricKind.HISTOGRAM)


def test_no_name_is_used_twice() -> None:
    names = [definition.name for definition in ALL_METRICS]
    assert len(names) == len(set(names))
