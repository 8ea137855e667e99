"""Alert rules: each speaks when its figure is wrong, and is silent otherwise."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captchad.broker.captcha_watch import WatchedCaptcha
from captchad.broker.statistics import QueueStatus
from captchad.domain.captcha_drift import DriftSignal
from captchad.domain.node import NodeState, Role, SystemLoad
from captchad.domain.proof import Standing, TargetStanding
from captchad.monitoring.alert_durations import DURATIONS_SECONDS, LastingAlerts
from captchad.monitoring.alerts import AlertThresholds, Severity, evaluate_alerts
from captchad.monitoring.fleet import FleetSnapshot
from tests.unit.monitoring.fleets import make_node, make_snapshot, without

THRESHOLDS = AlertThresholds(expected_workers=1, queue_limit=100)
RULES_FILE = Path(__file__).parents[3] / "config" / "alerts.yml"


def names(snapshot: FleetSnapshot | None, failure: str = "", thresholds: AlertThresholds = THRESHOLDS) -> list[str]:
    return [alert.name for alert in evaluate_alerts(snapshot, failure, thresholds)]


def test_a_healthy_fleet_gives_no_alert() -> None:
    assert names(make_snapshot(completed=500)) == []


def test_nothing_is_claimed_before_the_first_reading() -> None:
    assert names(None) == []


def test_without_redis_that_is_the_only_alert() -> None:
    assert names(without(Role.WORKER), failure="Redis does not answer") == ["BrokerUnavailable"]


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        (Role.WORKER, ["NoWorkers"]),
        (Role.SCHEDULER, ["SchedulerMissing"]),
        (Role.GATEWAY, ["GatewayMissing"]),
        (Role.MONITOR, []),
    ],
)
def test_a_missing_role_is_named(role: Role, expected: list[str]) -> None:
    assert names(without(role)) == expected


@pytest.mark.parametrize("role", [Role.WORKER, Role.SCHEDULER, Role.GATEWAY])
def test_the_advice_on_a_missing_role_is_true_under_up_and_elsewhere(role: Role) -> None:
    [alert] = evaluate_alerts(without(role), "", THRESHOLDS)
    assert alert.advice == f"`captchad up` starts one by itself; elsewhere start one with `captchad --role={role}`."


@pytest.mark.parametrize("state", [NodeState.LOST, NodeState.DRAINING])
def test_a_worker_that_is_not_up_does_not_count(state: NodeState) -> None:
    others = [make_node(role) for role in Role if role is not Role.WORKER]
    workers = [make_node(Role.WORKER), make_node(Role.WORKER, name="worker-2", state=state)]
    two = AlertThresholds(expected_workers=2, queue_limit=100)
    assert names(make_snapshot(*others, *workers), thresholds=two) == ["WorkerNodeDown"]
    assert names(make_snapshot(*others, *workers)) == []


def test_many_failures_per_second_are_heard() -> None:
    assert names(make_snapshot(failed=31, completed=1000)) == ["HighTaskFailureRate"]
    assert names(make_snapshot(failed=30, completed=1000)) == []


def test_a_high_share_of_failures_is_heard_once_enough_tasks_ended() -> None:
    assert names(make_snapshot(failed=3, completed=17)) == ["HighTaskFailureShare"]
    assert names(make_snapshot(failed=2, completed=18)) == []
    assert names(make_snapshot(failed=5, completed=4)) == []


def test_a_backlog_is_judged_by_age_and_a_full_queue_by_number() -> None:
    old = QueueStatus(pending=3)
    old.oldest_age_seconds["low"] = 61.0
    assert names(make_snapshot(queue=old)) == ["QueueBacklog"]
    assert names(make_snapshot(queue=QueueStatus(pending=70, processing=10))) == ["QueueNearlyFull"]
    assert names(make_snapshot(queue=QueueStatus(pending=70, processing=9))) == []


def test_callbacks_that_nobody_takes_are_heard_after_a_quarter_of_an_hour() -> None:
    late = QueueStatus(callbacks=7, oldest_callback_seconds=901.0)
    [alert] = evaluate_alerts(make_snapshot(queue=late), "", THRESHOLDS)
    assert (alert.name, alert.severity) == ("CallbacksLag", Severity.WARNING)
    assert alert.summary == "The oldest callback has waited for 15 minutes; 7 wait."
    assert names(make_snapshot(queue=QueueStatus(callbacks=7, oldest_callback_seconds=900.0))) == []


def test_each_host_is_judged_by_itself() -> None:
    nodes = [make_node(role) for role in Role]
    nodes.append(make_node(Role.WORKER, name="worker-2", host="host-b", load=SystemLoad(95.0, 95.0, 95.0)))
    assert names(make_snapshot(*nodes)) == ["HostMemoryLow", "HostDiskFull", "HostCpuSaturated"]


def changed(seconds: float | None) -> WatchedCaptcha:
    changed_ms = None if seconds is None else 1_700_000_000_000
    return WatchedCaptcha(30, True, 1, changed_ms, seconds, (DriftSignal.SIZE, DriftSignal.CONFIDENCE))


def test_a_captcha_that_has_changed_is_told_of_for_a_day() -> None:
    captchas = {"a.example": changed(90.0), "b.example": changed(90_000.0), "c.example": changed(None)}
    [alert] = evaluate_alerts(make_snapshot(captchas=captchas), "", THRESHOLDS)
    assert (alert.name, alert.severity, alert.subject) == ("CaptchaChanged", Severity.WARNING, "a.example")
    assert alert.summary.startswith(
        "a.example: the captcha has changed, as its visits' size, confidence showed 1 minute"
    )
    assert LastingAlerts().sift([alert], now_seconds=5.0) == (alert,)


def test_a_target_where_no_form_is_filled_is_told_of_until_it_is_reopened() -> None:
    [alert] = evaluate_alerts(make_snapshot(fill_closed_ms={"a.example": 1_700_000_000_000}), "", THRESHOLDS)
    assert (alert.name, alert.severity, alert.subject) == ("FillClosed", Severity.WARNING, "a.example")
    assert "captchad targets reopen a.example" in alert.advice


def test_a_public_target_without_a_proof_is_told_of_before_it_is_closed_and_after() -> None:
    standings = {
        "soon.example.com": TargetStanding(Standing.GRACE, 1_700_000_000_000),
        "closed.example.com": TargetStanding(Standing.UNPROVEN),
        "proven.example.com": TargetStanding(Standing.PROVEN),
        "waived.example.com": TargetStanding(Standing.WAIVED),
        "site.internal": TargetStanding(Standing.PRIVATE),
    }
    soon, closed = evaluate_alerts(make_snapshot(standings=standings), "", THRESHOLDS)
    assert (soon.name, soon.subject) == ("TargetUnproven", "soon.example.com")
    assert "closed on 2023-11-14" in soon.summary
    assert (closed.name, closed.subject) == ("TargetUnproven", "closed.example.com")
    assert "captchad targets prove closed.example.com" in closed.advice


def test_releases_side_by_side_are_mentioned() -> None:
    nodes = [make_node(role) for role in Role]
    nodes.append(make_node(Role.WORKER, name="worker-2", version="1.1"))
    (alert,) = evaluate_alerts(make_snapshot(*nodes), "", THRESHOLDS)
    assert alert.name == "MixedVersions"
    assert "1.0, 1.1" in alert.summary


@given(
    st.lists(st.tuples(st.sampled_from(list(Role)), st.sampled_from(list(NodeState))), max_size=8),
    st.integers(0, 500),
    st.integers(0, 500),
)
def test_alerts_are_sorted_and_named_once_for_any_fleet(
    members: list[tuple[Role, NodeState]], failed: int, completed: int
) -> None:
    nodes = [make_node(role, name=f"n{number}", state=state) for number, (role, state) in enumerate(members)]
    found = evaluate_alerts(make_snapshot(*nodes, failed=failed, completed=completed), "", THRESHOLDS)
    order = [list(Severity).index(alert.severity) for alert in found]
    assert order == sorted(order)
    assert len({alert.key for alert in found}) == len(found)
    assert all(alert.summary and alert.advice for alert in found)


def read_rules() -> dict[str, tuple[str, float]]:
    """Return severity and duration in seconds of every rule of the file, by name."""
    found = {}
    for block in RULES_FILE.read_text().split("- alert: ")[1:]:
        name = block.partition("\n")[0]
        duration = re.search(r"\n +for: (\d+)([smh])\n", block)
        seconds = float(duration[1]) * {"s": 1, "m": 60, "h": 3600}[duration[2]] if duration else 0.0
        severity = re.search(r"severity: (\w+)", block)
        assert severity is not None
        found[name] = (severity[1], seconds)
    return found


def test_every_alert_of_the_page_has_a_prometheus_rule_of_its_name_duration_and_severity() -> None:
    rules = read_rules()
    busy = SystemLoad(95.0, 95.0, 95.0)
    old = QueueStatus(pending=99, oldest_callback_seconds=1000.0)
    old.oldest_age_seconds["low"] = 61.0
    snapshots = [
        *(without(role) for role in Role),
        make_snapshot(failed=31, completed=10),
        make_snapshot(captchas={"a.example": changed(90.0)}, fill_closed_ms={"a.example": 1}),
        make_snapshot(standings={"a.example.com": TargetStanding(Standing.UNPROVEN)}),
        make_snapshot(make_node(Role.WORKER, load=busy, host="b"), make_node(Role.GATEWAY, version="1.1"), queue=old),
    ]
    two = AlertThresholds(expected_workers=2, queue_limit=100)
    found = [alert for snapshot in snapshots for alert in evaluate_alerts(snapshot, "", two)]
    found += evaluate_alerts(None, "Redis is away", two)
    assert {alert.name for alert in found} == set(DURATIONS_SECONDS)
    for alert in found:
        assert rules[alert.name] == (alert.severity, DURATIONS_SECONDS[alert.name]), alert.name


def test_an_alert_is_held_back_until_it_has_lasted_and_begins_anew_after_a_gap() -> None:
    lasting = LastingAlerts()
    alerts = evaluate_alerts(without(Role.WORKER), "", THRESHOLDS)
    assert [len(lasting.sift(alerts, seconds)) for seconds in (0.0, 29.0, 30.0, 31.0)] == [0, 0, 1, 1]
    assert lasting.sift((), 32.0) == ()
    assert [len(lasting.sift(alerts, seconds)) for seconds in (33.0, 62.0, 63.0)] == [0, 0, 1]


def test_each_host_has_a_duration_of_its_own() -> None:
    lasting = LastingAlerts()
    busy = SystemLoad(95.0, 20.0, 30.0)
    first = evaluate_alerts(make_snapshot(make_node(Role.WORKER, host="a", load=busy)), "", THRESHOLDS)
    both = evaluate_alerts(
        make_snapshot(make_node(Role.WORKER, host="a", load=busy), make_node(Role.GATEWAY, host="b", load=busy)),
        "",
        THRESHOLDS,
    )
    lasting.sift(first, 0.0)
    lasting.sift(both, 300.0)
    saturated = [alert.subject for alert in lasting.sift(both, 600.0) if alert.name == "HostCpuSaturated"]
    assert saturated == ["a"]
