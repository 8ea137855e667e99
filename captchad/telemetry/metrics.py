"""The metrics that roles record: one method for each event."""

from typing import Literal

import psutil

from captchad.domain.role_figures import WorkerFigures
from captchad.telemetry import metric_catalogue
from captchad.telemetry.instruments import Instruments
from captchad.telemetry.logs import count_lost_lines
from captchad.telemetry.metric_catalogue import MetricDefinition

HTTP_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
ROLE_METRICS: dict[str, tuple[MetricDefinition, ...]] = {
    "gateway": metric_catalogue.GATEWAY_METRICS,
    "scheduler": metric_catalogue.SCHEDULER_METRICS,
    "worker": metric_catalogue.WORKER_METRICS,
    "monitor": metric_catalogue.FLEET_METRICS,
}

SubmissionOutcome = Literal["accepted", "repeated", "refused"]
SettlementOutcome = Literal["completed", "retried", "failed", "handed_back", "refused"]
DeferralReason = Literal["rate", "concurrency", "closed"]
RenewalOutcome = Literal["renewed", "lost", "failed"]
ReclaimOutcome = Literal["requeued", "dead"]
ConnectionEnd = Literal["surplus", "slow_head", "slow_handshake", "failed_handshake"]
ModelOutcome = Literal["installed", "refused"]
LabelDrop = Literal["limit", "refused", "unreadable"]
PrunedKind = Literal["recent", "dead_letter", "consumer", "evidence", "answer", "dead_callback"]


class Metrics:
    """The metrics of one process: those every role has, and those of its own role.

    Recording for another role than the process's own raises KeyError, so that a misplaced call is found by the
    first test that reaches it.
    """

    def __init__(self, role: str, node: str, version: str) -> None:
        self.instruments = Instruments((*metric_catalogue.PROCESS_METRICS, *ROLE_METRICS[role]))
        self._process = psutil.Process()
        self.instruments.set(metric_catalogue.NODE_INFO, 1, {"node": node, "version": version})
        self.instruments.set(metric_catalogue.PROCESS_START, self._process.create_time())

    # ---- every role

    def record_request(self, route: str, method: str, status: int, seconds: float) -> None:
        """One answered request; `route` as declared (`/task_status/{task_id}`), never the path itself."""
        # Callers can send any method; a label takes its values from a closed set.
        method = method if method in HTTP_METHODS else "other"
        self.instruments.add(
            metric_catalogue.HTTP_REQUESTS, labels={"route": route, "method": method, "status": str(status)}
        )
        self.instruments.observe(metric_catalogue.HTTP_REQUEST_SECONDS, seconds, {"route": route})

    def record_refusal(self, code: str) -> None:
        """One request refused with an error code of the contract."""
        self.instruments.add(metric_catalogue.REFUSALS, labels={"code": code})

    def record_connection_closed(self, reason: ConnectionEnd) -> None:
        """One connection was closed on its caller."""
        self.instruments.add(metric_catalogue.CONNECTIONS_CLOSED, labels={"reason": reason})

    def set_certificate_expiry(self, timestamp_seconds: float) -> None:
        """The certificate of this role's port ends then."""
        self.instruments.set(metric_catalogue.CERTIFICATE_EXPIRES, timestamp_seconds)

    def record_service_failure(self, service: str) -> None:
        """One part of the role failed unexpectedly and is begun anew."""
        self.instruments.add(metric_catalogue.SERVICE_FAILURES, labels={"service": service})

    def record_broker_reconnect(self) -> None:
        """The connection to Redis was restored."""
        self.instruments.add(metric_catalogue.BROKER_RECONNECTS)

    # ---- gateway

    def record_submissions(self, outcome: SubmissionOutcome, count: int = 1) -> None:
        """Some tasks were submitted; `repeated` is an idempotency key met again."""
        self.instruments.add(metric_catalogue.SUBMISSIONS, count, {"outcome": outcome})

    def record_answer_report(self, verdict: str) -> None:
        """A caller has reported an answer as right or wrong."""
        self.instruments.add(metric_catalogue.ANSWER_REPORTS, labels={"verdict": verdict})

    # ---- worker

    def set_worker_figures(self, figures: WorkerFigures) -> None:
        """Set the worker's own figures and totals, as they are now."""
        browser = figures.browser
        for definition, value in (
            (metric_catalogue.SLOTS, figures.slots),
            (metric_catalogue.TASKS_IN_FLIGHT, figures.busy),
            (metric_catalogue.BROWSER_RECYCLES, browser.recycled),
            (metric_catalogue.BROWSER_CRASHES, browser.crashes),
        ):
            self.instruments.set(definition, value or 0)

    def set_learned_models(self, count: int) -> None:
        """So many targets are read with a learned model."""
        self.instruments.set(metric_catalogue.LEARNED_MODELS, count)

    def record_model_change(self, outcome: ModelOutcome) -> None:
        """A target is read with another model from now on, or its new one was refused."""
        self.instruments.add(metric_catalogue.MODEL_CHANGES, labels={"outcome": outcome})

    def record_attempt(self, outcome: SettlementOutcome, error_code: str | None = None) -> None:
        """One attempt ended; `refused` is a late result that the fence kept out."""
        self.instruments.add(metric_catalogue.ATTEMPTS, labels={"outcome": outcome})
        if error_code is not None:
            self.instruments.add(metric_catalogue.ATTEMPT_ERRORS, labels={"code": error_code})

    def record_stage(self, stage: str, seconds: float) -> None:
        """One stage of an attempt took `seconds`; stages are those of a result's `timings_ms`."""
        self.instruments.observe(metric_catalogue.STAGE_SECONDS, seconds, {"stage": stage})

    def record_queue_age(self, priority: str, seconds: float) -> None:
        """A task was taken after waiting `seconds`."""
        self.instruments.observe(metric_catalogue.QUEUE_AGE_SECONDS, seconds, {"priority": priority})

    def record_deferral(self, reason: DeferralReason) -> None:
        """A task was deferred by a limit of its target."""
        self.instruments.add(metric_catalogue.DEFERRALS, labels={"reason": reason})

    def record_rejection(self, target: str) -> None:
        """A target has rejected what an attempt typed, or may have."""
        self.instruments.add(metric_catalogue.FORM_REJECTIONS, labels={"target": target})

    def record_lease_renewals(self, outcome: RenewalOutcome, count: int = 1) -> None:
        """Some leases were renewed, found lost, or could not be renewed now."""
        self.instruments.add(metric_catalogue.LEASE_RENEWALS, count, {"outcome": outcome})

    def record_egress_refusal(self, reason: str) -> None:
        """The filtering proxy refused a connection."""
        self.instruments.add(metric_catalogue.EGRESS_REFUSALS, labels={"reason": reason})

    # ---- scheduler

    def set_is_leader(self, is_leader: bool) -> None:
        """Whether this scheduler runs the maintenance jobs."""
        self.instruments.set(metric_catalogue.IS_LEADER, int(is_leader))

    def record_reclaimed(self, outcome: ReclaimOutcome, count: int = 1) -> None:
        """Some tasks were taken from lost workers."""
        self.instruments.add(metric_catalogue.RECLAIMED, count, {"outcome": outcome})

    def record_promoted(self, count: int) -> None:
        """Some delayed tasks were put back into their queue."""
        self.instruments.add(metric_catalogue.PROMOTED, count)

    def record_callback(self, outcome: str) -> None:
        """A callback was tried."""
        self.instruments.add(metric_catalogue.CALLBACKS, labels={"outcome": outcome})

    def record_expired(self, count: int) -> None:
        """Some tasks failed because their deadline passed."""
        self.instruments.add(metric_catalogue.EXPIRED, count)

    def record_pruned(self, kind: PrunedKind, count: int) -> None:
        """Some old entries were removed."""
        self.instruments.add(metric_catalogue.PRUNED, count, {"kind": kind})

    def record_label_kept(self, origin: str, verdict: str) -> None:
        """A label was put into this host's label store."""
        self.instruments.add(metric_catalogue.LABELS_KEPT, labels={"origin": origin, "verdict": verdict})

    def record_labels_dropped(self, reason: LabelDrop, count: int = 1) -> None:
        """Some labels were not kept, or not any longer."""
        self.instruments.add(metric_catalogue.LABELS_DROPPED, count, {"reason": reason})

    # ---- all of them

    def render(self) -> tuple[bytes, str]:
        """Return everything recorded as Prometheus text, and its content type; reads the process's own load now."""
        with self._process.oneshot():
            cpu = self._process.cpu_times()
            self.instruments.set(metric_catalogue.PROCESS_MEMORY, self._process.memory_info().rss)
            self.instruments.set(metric_catalogue.PROCESS_CPU, round(cpu.user + cpu.system, 3))
            self.instruments.set(metric_catalogue.PROCESS_THREADS, self._process.num_threads())
        self.instruments.set(metric_catalogue.PROCESS_OPEN_FILES, self._process.num_fds())
        self.instruments.set(metric_catalogue.LOG_LINES_LOST, count_lost_lines())
        return self.instruments.render()
