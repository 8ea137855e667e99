"""What is wrong at one moment: pure rules over one snapshot, under the names of config/alerts.yml."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from captchad.domain.node import NodeState, Role
from captchad.domain.proof import Standing
from captchad.monitoring.fleet import FleetSnapshot

RATE_WINDOW_MINUTES = 5
SECONDS_PER_MINUTE = 60
MS = 1000


class Severity(StrEnum):
    """How soon somebody should look: at once, today, or when there is time."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Alert:
    """One thing that is wrong, and what to do about it; `subject` is the host or target, where several may have it."""

    name: str
    severity: Severity
    summary: str
    advice: str
    subject: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """What tells it from others of the same moment, and stays the same from one moment to the next."""
        return self.name, self.subject


@dataclass(frozen=True, slots=True)
class AlertThresholds:
    """The values from which an alert fires; the expected workers and the queue's limit come from the configuration."""

    expected_workers: int
    queue_limit: int
    failures_per_second: float = 0.1
    failed_share: float = 0.1
    failed_share_minimum_tasks: int = 10
    oldest_age_seconds: float = 60.0
    oldest_callback_seconds: float = 900.0
    queue_share: float = 0.8
    host_percent: float = 90.0
    captcha_changed_seconds: float = 86_400.0


Rule = Callable[[FleetSnapshot, AlertThresholds], Iterator[Alert]]


def evaluate_alerts(
    snapshot: FleetSnapshot | None, broker_failure: str, thresholds: AlertThresholds
) -> tuple[Alert, ...]:
    """Return all that is wrong, the gravest first; while Redis is away only that, since the rest would be guesswork."""
    if broker_failure:
        advice = "Start Redis, or fix the network to it; captchad recovers by itself once it answers."
        return (Alert("BrokerUnavailable", Severity.CRITICAL, broker_failure, advice),)
    if snapshot is None:
        return ()
    found = [alert for rule in RULES for alert in rule(snapshot, thresholds)]
    return tuple(sorted(found, key=lambda alert: list(Severity).index(alert.severity)))


def _check_workers(snapshot: FleetSnapshot, thresholds: AlertThresholds) -> Iterator[Alert]:
    active = snapshot.count_up(Role.WORKER)
    if active == 0:
        yield Alert(
            "NoWorkers",
            Severity.CRITICAL,
            "No worker is up: tasks are stored but not processed.",
            _advise_start(Role.WORKER),
        )
    elif active < thresholds.expected_workers:
        yield Alert(
            "WorkerNodeDown",
            Severity.WARNING,
            f"{active} of {thresholds.expected_workers} expected workers are up.",
            "Check the lost worker's log; worker_nodes_count sets how many are expected.",
        )


def _advise_start(role: Role) -> str:
    return f"`captchad up` starts one by itself; elsewhere start one with `captchad --role={role}`."


def _check_roles(snapshot: FleetSnapshot, _: AlertThresholds) -> Iterator[Alert]:
    if snapshot.count_up(Role.SCHEDULER) == 0:
        yield Alert(
            "SchedulerMissing",
            Severity.CRITICAL,
            "No scheduler is up: retries wait, and tasks of lost workers are not requeued.",
            _advise_start(Role.SCHEDULER),
        )
    if snapshot.count_up(Role.GATEWAY) == 0:
        yield Alert(
            "GatewayMissing",
            Severity.CRITICAL,
            "No gateway is up: nothing can be submitted.",
            _advise_start(Role.GATEWAY),
        )


def _check_failures(snapshot: FleetSnapshot, thresholds: AlertThresholds) -> Iterator[Alert]:
    minutes = snapshot.recent_hour.per_minute[-RATE_WINDOW_MINUTES:]
    failed, completed = sum(minute.failed for minute in minutes), sum(minute.completed for minute in minutes)
    ended = failed + completed
    rate = failed / (RATE_WINDOW_MINUTES * SECONDS_PER_MINUTE)
    advice = "The error codes of recent tasks show which stage fails."
    if rate > thresholds.failures_per_second:
        summary = f"{rate:.2f} tasks fail per second ({failed} in the last {RATE_WINDOW_MINUTES} minutes)."
        yield Alert("HighTaskFailureRate", Severity.WARNING, summary, advice)
    if ended >= thresholds.failed_share_minimum_tasks and failed / ended > thresholds.failed_share:
        summary = f"{failed} of the {ended} tasks of the last {RATE_WINDOW_MINUTES} minutes failed."
        yield Alert("HighTaskFailureShare", Severity.WARNING, summary, advice)


def _check_queue(snapshot: FleetSnapshot, thresholds: AlertThresholds) -> Iterator[Alert]:
    ages = [age for age in snapshot.queue.oldest_age_seconds.values() if age is not None]
    if ages and max(ages) > thresholds.oldest_age_seconds:
        yield Alert(
            "QueueBacklog",
            Severity.WARNING,
            f"The oldest task has waited for {max(ages):.0f} s; {snapshot.queue.pending} are pending.",
            "Add workers or slots, or submit more slowly.",
        )
    open_tasks = snapshot.queue.pending + snapshot.queue.processing
    if open_tasks >= thresholds.queue_share * thresholds.queue_limit:
        yield Alert(
            "QueueNearlyFull",
            Severity.CRITICAL,
            f"{open_tasks} of at most {thresholds.queue_limit} tasks are open; beyond that submits get 503.",
            "Add workers, or raise gateway.queue_limit if Redis has the memory.",
        )


def _check_hosts(snapshot: FleetSnapshot, thresholds: AlertThresholds) -> Iterator[Alert]:
    for host in snapshot.hosts:
        load, name = host.load, host.host
        if load.cpu_percent > thresholds.host_percent:
            summary = f"{name}: the CPU is {load.cpu_percent:.0f} % busy."
            yield Alert("HostCpuSaturated", Severity.INFO, summary, "Use fewer slots there, or add a host.", name)
        if load.memory_percent > thresholds.host_percent:
            summary = f"{name}: {load.memory_percent:.0f} % of the memory is in use."
            advice = "Use fewer slots there, or recycle browsers sooner."
            yield Alert("HostMemoryLow", Severity.WARNING, summary, advice, name)
        if load.disk_percent > thresholds.host_percent:
            summary = f"{name}: the disk under the state folder is {load.disk_percent:.0f} % full."
            advice = "Free some space before Redis can no longer write."
            yield Alert("HostDiskFull", Severity.WARNING, summary, advice, name)


def _check_versions(snapshot: FleetSnapshot, _: AlertThresholds) -> Iterator[Alert]:
    versions = sorted({node.report.version for node in snapshot.nodes if node.state is not NodeState.LOST})
    if len(versions) > 1:
        summary = f"Several releases run side by side: {', '.join(versions)}."
        yield Alert("MixedVersions", Severity.INFO, summary, "Finish the upgrade.")


def _check_captchas(snapshot: FleetSnapshot, thresholds: AlertThresholds) -> Iterator[Alert]:
    for host, captcha in snapshot.captchas.items():
        seconds = captcha.changed_seconds
        if seconds is not None and seconds < thresholds.captcha_changed_seconds:
            signals = ", ".join(captcha.signals)
            summary = f"{host}: the captcha has changed, as its visits' {signals} showed {_count_minutes(seconds)} ago."
            advice = "Look at recent evidence; if it is read worse now, teach the target's model the new pictures."
            yield Alert("CaptchaChanged", Severity.WARNING, summary, advice, host)


def _check_fill(snapshot: FleetSnapshot, _: AlertThresholds) -> Iterator[Alert]:
    for host in snapshot.targets.fill_closed_ms:
        summary = f"{host}: no form is filled, for the site has rejected what was typed too often within an hour."
        advice = f"See whose tasks ended as form_rejected and why; then `captchad targets reopen {host}`."
        yield Alert("FillClosed", Severity.WARNING, summary, advice, host)


def _check_proofs(snapshot: FleetSnapshot, _: AlertThresholds) -> Iterator[Alert]:
    for host, standing in snapshot.targets.standings.items():
        if standing.standing is Standing.UNPROVEN:
            summary = f"{host} is closed: it is a public host, and nothing shows that it is yours."
        elif standing.standing is Standing.GRACE and standing.until_ms is not None:
            day = datetime.fromtimestamp(standing.until_ms / MS, UTC).date().isoformat()
            summary = f"{host} is closed on {day} unless a proof is found that it is yours."
        else:
            continue
        advice = f"`captchad targets prove {host}` says what to publish, and looks for it."
        yield Alert("TargetUnproven", Severity.WARNING, summary, advice, host)


def _check_callbacks(snapshot: FleetSnapshot, thresholds: AlertThresholds) -> Iterator[Alert]:
    oldest_seconds = snapshot.queue.oldest_callback_seconds
    if oldest_seconds is not None and oldest_seconds > thresholds.oldest_callback_seconds:
        summary = (
            f"The oldest callback has waited for {_count_minutes(oldest_seconds)}; {snapshot.queue.callbacks} wait."
        )
        advice = "The scheduler's log says why the receiver does not take it."
        yield Alert("CallbacksLag", Severity.WARNING, summary, advice)


def _count_minutes(seconds: float) -> str:
    minutes = int(seconds // SECONDS_PER_MINUTE)
    return "1 minute" if minutes == 1 else f"{minutes} minutes"


RULES: tuple[Rule, ...] = (
    _check_workers,
    _check_roles,
    _check_failures,
    _check_queue,
    _check_hosts,
    _check_versions,
    _check_captchas,
    _check_fill,
    _check_proofs,
    _check_callbacks,
)
