"""Every metric captchad exports: its name, kind, labels and meaning. No other file spells one.

Label values come from closed sets (routes as declared, stages, error codes); hosts, targets and node names are the
exceptions, and `instruments` bounds how many series any metric may have.
"""

from dataclasses import dataclass
from enum import StrEnum


class MetricKind(StrEnum):
    """What a metric may do: only grow, go both ways, or be a distribution."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class MetricDefinition:
    """One metric; `buckets` are the upper bounds of a histogram, in the metric's own unit."""

    name: str
    kind: MetricKind
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


# From a cached status call to a long poll's 60 seconds.
_REQUEST_BUCKETS_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0)
# From a recognition (10 ms) to an attempt's longest timeout (600 s).
_STAGE_BUCKETS_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 120.0, 600.0)
# From an idle queue to a task's default deadline (3600 s).
_QUEUE_BUCKETS_SECONDS = (0.005, 0.025, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0)


def _counter(name: str, text: str, *labels: str) -> MetricDefinition:
    return MetricDefinition(name, MetricKind.COUNTER, text, labels)


def _gauge(name: str, text: str, *labels: str) -> MetricDefinition:
    return MetricDefinition(name, MetricKind.GAUGE, text, labels)


def _histogram(name: str, text: str, buckets: tuple[float, ...], *labels: str) -> MetricDefinition:
    return MetricDefinition(name, MetricKind.HISTOGRAM, text, labels, buckets)


# ---- The process itself; every role ----

NODE_INFO = _gauge("captchad_node_info", "1; the labels say which release runs under which name.", "node", "version")
PROCESS_MEMORY = _gauge("captchad_process_resident_memory_bytes", "Resident memory of this process.")
PROCESS_CPU = _counter("captchad_process_cpu_seconds_total", "Processor time this process has used.")
PROCESS_OPEN_FILES = _gauge("captchad_process_open_files", "File descriptors this process holds.")
PROCESS_THREADS = _gauge("captchad_process_threads", "Threads of this process.")
PROCESS_START = _gauge("captchad_process_start_time_seconds", "When this process started, seconds since 1970.")
LOG_LINES_LOST = _counter("captchad_log_lines_lost_total", "Lines of this process's log that could not be written.")
SERIES_REFUSED = _counter(
    "captchad_series_refused_total", "Updates put under `other` as the metric had too many series."
)

# ---- HTTP; every role ----

HTTP_REQUESTS = _counter("captchad_http_requests_total", "HTTP requests answered.", "route", "method", "status")
HTTP_REQUEST_SECONDS = _histogram(
    "captchad_http_request_seconds",
    "From a request's head to the end of its answer.",
    _REQUEST_BUCKETS_SECONDS,
    "route",
)
REFUSALS = _counter("captchad_refusals_total", "Requests refused, by the code of the answer.", "code")

CONNECTIONS_CLOSED = _counter(
    "captchad_connections_closed_total",
    "Connections closed on callers: surplus ones, those whose request (slow_head) or TLS handshake (slow_handshake) "
    "did not come in time, and those whose handshake failed (failed_handshake).",
    "reason",
)
CERTIFICATE_EXPIRES = _gauge(
    "captchad_tls_certificate_expires_timestamp_seconds",
    "When the certificate of this role's port ends, seconds since 1970; none without TLS.",
)

# ---- Services; every role ----

SERVICE_FAILURES = _counter(
    "captchad_service_failures_total", "Times a part of this role failed unexpectedly and was begun anew.", "service"
)

# ---- The broker's client; every role ----

BROKER_RECONNECTS = _counter("captchad_broker_reconnects_total", "Reconnections to Redis.")

# ---- The gateway ----

SUBMISSIONS = _counter("captchad_submissions_total", "Tasks submitted: accepted, repeated or refused.", "outcome")
ANSWER_REPORTS = _counter(
    "captchad_answer_reports_total", "Answers that callers have reported as right or wrong.", "verdict"
)

# ---- The worker ----

SLOTS = _gauge("captchad_slots", "Tasks this worker may work on at once.")
TASKS_IN_FLIGHT = _gauge("captchad_tasks_in_flight", "Tasks this worker is processing.")
ATTEMPTS = _counter("captchad_attempts_total", "Attempts ended, by outcome.", "outcome")
ATTEMPT_ERRORS = _counter("captchad_attempt_errors_total", "Attempts that failed, by the code of the error.", "code")
STAGE_SECONDS = _histogram(
    "captchad_stage_seconds", "Time an attempt spent in a stage.", _STAGE_BUCKETS_SECONDS, "stage"
)
QUEUE_AGE_SECONDS = _histogram(
    "captchad_queue_age_seconds",
    "How long a task had waited when a worker took it.",
    _QUEUE_BUCKETS_SECONDS,
    "priority",
)
DEFERRALS = _counter(
    "captchad_deferrals_total",
    "Tasks deferred by their target's limits: rate, concurrency or closed; not those queued behind them.",
    "reason",
)
FORM_REJECTIONS = _counter(
    "captchad_form_rejections_total",
    "Attempts that a target has rejected for what they typed, or may have: nobody saw what became of their answer.",
    "target",
)
LEASE_RENEWALS = _counter(
    "captchad_lease_renewals_total", "Renewals of a task's lease: renewed, lost or failed.", "outcome"
)
BROWSER_RECYCLES = _counter(
    "captchad_browser_recycles_total", "Browsers retired: at a browser.recycle_* limit, slow, or more than needed."
)
BROWSER_CRASHES = _counter(
    "captchad_browser_crashes_total",
    "Browsers that ended by themselves, or were killed for hanging or for their memory.",
)
EGRESS_REFUSALS = _counter(
    "captchad_egress_refusals_total", "Connections the filtering proxy refused, by reason.", "reason"
)
LEARNED_MODELS = _gauge("captchad_learned_models", "Targets that this worker reads with a learned model.")
MODEL_CHANGES = _counter(
    "captchad_model_changes_total",
    "Learned models that this worker has begun to read a target with (installed), or could not use (refused).",
    "outcome",
)

# ---- The scheduler ----

IS_LEADER = _gauge("captchad_scheduler_is_leader", "1 on the scheduler that runs the maintenance jobs, else 0.")
RECLAIMED = _counter("captchad_reclaimed_total", "Tasks taken from lost workers: requeued, or dead.", "outcome")
PROMOTED = _counter("captchad_promoted_total", "Delayed and deferred tasks put back into their queue.")
EXPIRED = _counter("captchad_expired_total", "Tasks failed because their deadline passed.")
CALLBACKS = _counter(
    "captchad_callbacks_total",
    "Tries to send a callback: delivered, failed and to be tried again (retried), given up (dead), or overtaken by "
    "another try (stale).",
    "outcome",
)
PRUNED = _counter("captchad_pruned_total", "Old entries removed, by kind.", "kind")
LABELS_KEPT = _counter(
    "captchad_labels_kept_total", "Labels that this host has put into its label store.", "origin", "verdict"
)
LABELS_DROPPED = _counter(
    "captchad_labels_dropped_total",
    "Labels not kept: older or more than the limits allow (limit), larger than the store or known better (refused), or "
    "damaged in Redis (unreadable).",
    "reason",
)

PROCESS_METRICS = (
    NODE_INFO,
    PROCESS_MEMORY,
    PROCESS_CPU,
    PROCESS_OPEN_FILES,
    PROCESS_THREADS,
    PROCESS_START,
    LOG_LINES_LOST,
    SERIES_REFUSED,
    HTTP_REQUESTS,
    HTTP_REQUEST_SECONDS,
    REFUSALS,
    CONNECTIONS_CLOSED,
    CERTIFICATE_EXPIRES,
    SERVICE_FAILURES,
    BROKER_RECONNECTS,
)
GATEWAY_METRICS = (SUBMISSIONS, ANSWER_REPORTS)
WORKER_METRICS = (
    SLOTS,
    TASKS_IN_FLIGHT,
    ATTEMPTS,
    ATTEMPT_ERRORS,
    STAGE_SECONDS,
    QUEUE_AGE_SECONDS,
    DEFERRALS,
    FORM_REJECTIONS,
    LEASE_RENEWALS,
    BROWSER_RECYCLES,
    BROWSER_CRASHES,
    EGRESS_REFUSALS,
    LEARNED_MODELS,
    MODEL_CHANGES,
)
SCHEDULER_METRICS = (IS_LEADER, RECLAIMED, PROMOTED, EXPIRED, CALLBACKS, PRUNED, LABELS_KEPT, LABELS_DROPPED)

# ---- The whole fleet; the monitor alone ----
# The first eight names are the original specification's and must not change.

TASKS_TOTAL = _counter("captcha_tasks_total", "Tasks ever submitted.")
TASKS_PENDING = _gauge("captcha_tasks_pending", "Tasks waiting for a worker, including those waiting for a retry.")
TASKS_PROCESSING = _gauge("captcha_tasks_processing", "Tasks being processed.")
TASKS_COMPLETED = _gauge("captcha_tasks_completed", "Tasks ever completed; it only grows.")
TASKS_FAILED = _gauge("captcha_tasks_failed", "Tasks ever failed; it only grows.")
WORKERS_ACTIVE = _gauge("worker_nodes_active", "Workers that are up (neither draining nor lost).")
SYSTEM_CPU = _gauge("system_cpu_usage", "Processor use in percent, the mean over all hosts.")
SYSTEM_MEMORY = _gauge("system_memory_usage", "Memory use in percent, the mean over all hosts.")

BROKER_UP = _gauge("captchad_broker_up", "1 if Redis answered the monitor's last read, else 0.")
SNAPSHOT_AGE = _gauge("captchad_snapshot_age_seconds", "Age of the figures the monitor exports for the fleet.")
TASKS_CANCELLED = _counter("captchad_tasks_cancelled_total", "Tasks ever cancelled.")
TASKS_RETRIED = _counter("captchad_tasks_retried_total", "Further attempts ever scheduled.")
WORKERS_LOST = _counter("captchad_workers_lost_total", "Workers whose lease ran out while they had tasks.")
DEAD_LETTERED = _counter("captchad_dead_lettered_total", "Tasks ever dead-lettered.")
TASKS_DEAD = _gauge("captchad_dead_letters", "Dead letters kept now.")
DEAD_LETTER_BYTES = _gauge(
    "captchad_dead_letter_bytes",
    "Bytes of requests and pictures of dead letters, against scheduler.dead_letter_limit_bytes of each partition.",
)
DEAD_DROPPED = _counter("captchad_dead_letters_dropped_total", "Dead letters dropped early, for number or bytes.")
CALLBACKS_DELIVERED = _counter("captchad_callbacks_delivered_total", "Callbacks that their receivers have taken.")
CALLBACKS_DEAD = _counter("captchad_callbacks_dead_total", "Callbacks ever given up.")
CALLBACKS_DROPPED = _counter(
    "captchad_callbacks_dropped_total",
    "Callbacks that were given up and dropped early, for number or bytes, or whose task had vanished.",
)
CALLBACKS_WAITING = _gauge("captchad_callbacks_waiting", "Callbacks of ended tasks that wait to be sent.")
CALLBACK_OLDEST = _gauge(
    "captchad_callback_oldest_age_seconds", "Seconds since the task of the oldest of them ended; 0 without any."
)
DEAD_CALLBACKS = _gauge("captchad_dead_callbacks", "Callbacks kept now that were given up.")
TASKS_DELAYED = _gauge(
    "captchad_tasks_delayed", "Tasks waiting for the time of their retry, or for their target's limits."
)
QUEUE_DEPTH = _gauge(
    "captchad_queue_depth", "Tasks waiting in a queue; a lost worker's wait in `recovered`.", "priority"
)
QUEUE_OLDEST = _gauge("captchad_queue_oldest_age_seconds", "Age of the oldest task in a queue; 0 if empty.", "priority")
QUEUED_BYTES = _gauge(
    "captchad_queued_bytes", "Bytes of requests that have not ended, against gateway.queue_limit_bytes."
)
EVIDENCE_BYTES = _gauge(
    "captchad_evidence_bytes", "Bytes of kept evidence, against redis.evidence_limit_bytes of each partition."
)
EVIDENCE_DROPPED = _counter("captchad_evidence_dropped_total", "Evidence dropped early to make room.")
LABEL_BYTES = _gauge(
    "captchad_label_queue_bytes",
    "Bytes of labels that wait in Redis for the learner, against redis.label_limit_bytes of each partition.",
)
LABELS_LOST = _counter(
    "captchad_label_queue_dropped_total", "Labels dropped from Redis to make room: the learner was away for too long."
)
MEAN_PROCESSING = _gauge("captchad_processing_seconds_mean", "Mean processing time over the last hour; 0 without any.")
NODES = _gauge("captchad_nodes", "Nodes by role and state.", "role", "state")
FLEET_SLOTS = _gauge("captchad_fleet_slots", "Slots of all workers that are up.")
HOST_CPU = _gauge("captchad_host_cpu_percent", "Processor use of a host.", "host")
HOST_MEMORY = _gauge("captchad_host_memory_percent", "Memory use of a host.", "host")
HOST_DISK = _gauge("captchad_host_disk_percent", "Use of the disk under a host's state folder.", "host")

CAPTCHA_CHANGES = _counter(
    "captchad_captcha_changes_total", "Times the captcha of a target was found to have changed.", "target"
)
CAPTCHA_CHANGED = _gauge(
    "captchad_captcha_changed_timestamp_seconds",
    "When that was last, in seconds since 1970; only of targets where it was.",
    "target",
)
CAPTCHA_VISITS = _gauge(
    "captchad_captcha_baseline_visits", "Visits to a target since the baseline of its captcha began.", "target"
)
FILL_CLOSED = _gauge(
    "captchad_fill_closed_timestamp_seconds",
    "Since when no form is filled at a target, in seconds since 1970; only of declared targets where that is so.",
    "target",
)
TARGETS = _gauge(
    "captchad_targets",
    "Declared targets by how their ownership is shown; one in grace will be closed, one that is unproven is closed.",
    "standing",
)

FLEET_METRICS = (
    TASKS_TOTAL,
    TASKS_PENDING,
    TASKS_PROCESSING,
    TASKS_COMPLETED,
    TASKS_FAILED,
    WORKERS_ACTIVE,
    SYSTEM_CPU,
    SYSTEM_MEMORY,
    BROKER_UP,
    SNAPSHOT_AGE,
    TASKS_CANCELLED,
    TASKS_RETRIED,
    WORKERS_LOST,
    DEAD_LETTERED,
    TASKS_DEAD,
    DEAD_LETTER_BYTES,
    DEAD_DROPPED,
    CALLBACKS_DELIVERED,
    CALLBACKS_DEAD,
    CALLBACKS_DROPPED,
    CALLBACKS_WAITING,
    CALLBACK_OLDEST,
    DEAD_CALLBACKS,
    TASKS_DELAYED,
    QUEUE_DEPTH,
    QUEUE_OLDEST,
    QUEUED_BYTES,
    EVIDENCE_BYTES,
    EVIDENCE_DROPPED,
    LABEL_BYTES,
    LABELS_LOST,
    MEAN_PROCESSING,
    NODES,
    FLEET_SLOTS,
    HOST_CPU,
    HOST_MEMORY,
    HOST_DISK,
    CAPTCHA_CHANGES,
    CAPTCHA_CHANGED,
    CAPTCHA_VISITS,
    FILL_CLOSED,
    TARGETS,
)
ALL_METRICS = (*PROCESS_METRICS, *GATEWAY_METRICS, *WORKER_METRICS, *SCHEDULER_METRICS, *FLEET_METRICS)
