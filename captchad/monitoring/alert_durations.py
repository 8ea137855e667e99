"""For how long something must be wrong before it is an alert, as Prometheus knows it by `for`."""

from collections.abc import Mapping, Sequence

from captchad.monitoring.alerts import Alert

DURATIONS_SECONDS: Mapping[str, float] = {
    "BrokerUnavailable": 15,
    "NoWorkers": 30,
    "SchedulerMissing": 30,
    "GatewayMissing": 30,
    "WorkerNodeDown": 60,
    "QueueBacklog": 60,
    "QueueNearlyFull": 60,
    "HighTaskFailureRate": 120,
    "HighTaskFailureShare": 120,
    "HostMemoryLow": 300,
    "HostDiskFull": 300,
    "HostCpuSaturated": 600,
    "MixedVersions": 1800,
    "CaptchaChanged": 0,
    "FillClosed": 0,
    "TargetUnproven": 0,
    "CallbacksLag": 0,
}
"""config/alerts.yml has the same ones; a test compares them."""


class LastingAlerts:
    """Holds each alert back until it has lasted; one that is missing from a single evaluation begins anew."""

    def __init__(self) -> None:
        self._since_seconds: dict[tuple[str, str], float] = {}

    def sift(self, found: Sequence[Alert], now_seconds: float) -> tuple[Alert, ...]:
        """Return those of the alerts found now that have lasted for long enough."""
        self._since_seconds = {alert.key: self._since_seconds.get(alert.key, now_seconds) for alert in found}
        return tuple(
            alert for alert in found if now_seconds - self._since_seconds[alert.key] >= DURATIONS_SECONDS[alert.name]
        )
