"""The scheduler: one active by lease, the others ready to take over."""

from collections.abc import Sequence

import orjson

from captchad import __version__
from captchad.broker.callbacks import CallbackQueue
from captchad.broker.captcha_watch import CaptchaWatch
from captchad.broker.events import EventFeed
from captchad.broker.housekeeping import Housekeeping, LeaderLease
from captchad.broker.labels import LabelStream
from captchad.broker.leases import LEADER_LEASE_SECONDS
from captchad.broker.nodes import NodeRegistry
from captchad.broker.rights import Rights
from captchad.broker.target_proofs import TargetProofs
from captchad.broker.tasks import TaskStore, find_queue_limits
from captchad.config.browser_choice import choose_browser
from captchad.config.redis_choice import choose_redis_or_local
from captchad.domain.callback import read_secret
from captchad.domain.role_figures import SchedulerFigures
from captchad.domain.target import Target
from captchad.egress.dialer import CheckedDialer
from captchad.egress.http_post import HttpPoster
from captchad.egress.own_addresses import own_addresses
from captchad.egress.ownership_proof import make_seeker
from captchad.egress.receiver_scope import ReceiverPolicy
from captchad.egress.resolver import Resolver
from captchad.operations.labels.label_keeper import LabelKeeper, LabelPruning
from captchad.operations.labels.label_store import open_label_store
from captchad.roles.process import RoleProcess
from captchad.runtime.service import Service
from captchad.scheduling.audit_retention import AuditRetention
from captchad.scheduling.callback_delivery import TIME_LIMIT_SECONDS, CallbackDelivery, CallbackSender
from captchad.scheduling.captcha_drift_watch import CaptchaDriftWatch
from captchad.scheduling.delayed_promotion import DelayedPromotion
from captchad.scheduling.leadership import Leadership
from captchad.scheduling.overdue_tasks import Deadlines
from captchad.scheduling.ownership_checks import OwnershipChecks
from captchad.scheduling.pruning import Pruning
from captchad.scheduling.stalled_reclaim import StalledReclaim
from captchad.scheduling.unconfirmed_ends import UnconfirmedEnds
from captchad.solving.protected_ports import ProtectedPorts
from captchad.web.api.representation import represent_task


def compose(process: RoleProcess) -> Sequence[Service]:
    """Return the scheduler's services in the order they start."""
    broker, clock, metrics = process.broker, process.clock, process.metrics
    scheduler = process.configuration.scheduler
    partitions = [Housekeeping(broker, keys, scheduler) for keys in broker.partitions]
    feed = EventFeed(broker, TaskStore(broker, find_queue_limits(process.configuration.gateway)))
    lease = LeaderLease(broker, process.consumer, LEADER_LEASE_SECONDS)
    leadership = Leadership(lease, clock, metrics)
    process.describe = lambda: SchedulerFigures(leadership.is_active)
    return (
        process.build_web(),
        broker,
        Rights(broker),
        process.audit_trail,
        feed,
        leadership,
        StalledReclaim(broker, partitions, leadership, clock, metrics),
        DelayedPromotion(partitions, leadership, feed, scheduler.task_distribution_interval, metrics),
        Deadlines(partitions, leadership, metrics),
        UnconfirmedEnds(partitions, leadership),
        CaptchaDriftWatch(CaptchaWatch(broker), leadership, process.consumer),
        Pruning(partitions, NodeRegistry(broker), leadership, scheduler.cleanup_interval, metrics),
        *_send_callbacks(process, feed, leadership),
        _check_ownership(process, leadership),
        AuditRetention(process.audit_log, leadership, scheduler.cleanup_interval),
        *_keep_labels(process),
        process.build_presence(),
    )


def _check_ownership(process: RoleProcess, leadership: Leadership) -> OwnershipChecks:
    """Return what looks for the proofs of public targets."""
    configuration = process.configuration
    protected = (*choose_redis_or_local(configuration.redis).hosts, *choose_browser(configuration).hosts)
    seeker = make_seeker(configuration.security.proof.nameservers, protected, process.clock, __version__)

    # Not the configuration's own method: a reload replaces the configuration.
    def list_declared() -> Sequence[Target]:
        return process.configuration.security.declared_targets()

    checks = OwnershipChecks(TargetProofs(process.broker), seeker, leadership, list_declared)
    process.on_reload(lambda _: checks.reload())
    return checks


def _send_callbacks(process: RoleProcess, feed: EventFeed, leadership: Leadership) -> Sequence[Service]:
    """Return what sends callbacks, and what keeps them away from the fleet's own addresses."""
    broker, configuration = process.broker, process.configuration
    protected = (*choose_redis_or_local(configuration.redis).hosts, *choose_browser(configuration).hosts)
    policy = ReceiverPolicy(configuration.security.declared_receivers(), protected, own_addresses())
    process.on_reload(lambda new: policy.replace_receivers(new.security.declared_receivers()))

    # Not the configuration's own: a reload replaces the configuration.
    def read_key() -> bytes | None:
        secret = process.configuration.security.callback_secret
        return None if secret is None else read_secret(secret.get_secret_value())

    poster = HttpPoster(CheckedDialer(policy, Resolver(), process.clock), TIME_LIMIT_SECONDS)
    sender = CallbackSender(poster, lambda record: orjson.dumps(represent_task(record)), read_key, __version__)
    cipher = process.session_cipher
    queues = [CallbackQueue(broker, keys, configuration.scheduler, cipher) for keys in broker.partitions]
    delivery = CallbackDelivery(queues, leadership, feed, sender, process.metrics)
    return ProtectedPorts(broker, feed, policy, process.host), delivery


def _keep_labels(process: RoleProcess) -> Sequence[Service]:
    """Return what keeps labels, on the one host that does; it needs no lease, for the store is this host's alone."""
    broker, metrics, clock = process.broker, process.metrics, process.clock
    if not process.configuration.keeps_labels(process.host, process.name):
        return ()
    store = open_label_store(process.state_directory, process.configuration.recognition, clock)
    keepers = (LabelKeeper(broker, LabelStream(broker, keys), store, metrics, clock) for keys in broker.partitions)
    return (*keepers, LabelPruning(store, metrics))
