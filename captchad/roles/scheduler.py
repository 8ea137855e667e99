"""The scheduler: one active by lease, the others ready to take over."""

from collections.abc import Sequence

from captchad.broker.captcha_watch import CaptchaWatch
from captchad.broker.events import EventFeed
from captchad.broker.housekeeping import Housekeeping, LeaderLease
from captchad.broker.labels import LabelStream
from captchad.broker.leases import LEADER_LEASE_SECONDS
from captchad.broker.nodes import NodeRegistry
from captchad.broker.rights import Rights
from captchad.broker.tasks import QueueLimits, TaskStore
from captchad.domain.role_figures import SchedulerFigures
from captchad.operations.labels.label_keeper import LabelKeeper, LabelPruning
from captchad.operations.labels.label_store import open_label_store
from captchad.roles.process import RoleProcess
from captchad.runtime.service import Service
from captchad.scheduling.captcha_drift_watch import CaptchaDriftWatch
from captchad.scheduling.delayed_promotion import DelayedPromotion
from captchad.scheduling.leadership import Leadership
from captchad.scheduling.overdue_tasks import Deadlines
from captchad.scheduling.pruning import Pruning
from captchad.scheduling.stalled_reclaim import StalledReclaim
from captchad.scheduling.unconfirmed_ends import UnconfirmedEnds


def compose(process: RoleProcess) -> Sequence[Service]:
    """Return the scheduler's services in the order they start."""
    broker, clock, metrics = process.broker, process.clock, process.metrics
    scheduler, gateway = process.configuration.scheduler, process.configuration.gateway
    partitions = [Housekeeping(broker, keys, scheduler) for keys in broker.partitions]
    feed = EventFeed(broker, TaskStore(broker, QueueLimits(gateway.queue_limit, gateway.queue_limit_bytes)))
    lease = LeaderLease(broker, process.consumer, LEADER_LEASE_SECONDS)
    leadership = Leadership(lease, clock, metrics)
    process.describe = lambda: SchedulerFigures(leadership.is_active)
    return (
        process.build_web(),
        broker,
        Rights(broker),
        feed,
        leadership,
        StalledReclaim(broker, partitions, leadership, clock, metrics),
        DelayedPromotion(partitions, leadership, feed, scheduler.task_distribution_interval, metrics),
        Deadlines(partitions, leadership, metrics),
        UnconfirmedEnds(partitions, leadership),
        CaptchaDriftWatch(CaptchaWatch(broker), leadership, process.consumer),
        Pruning(partitions, NodeRegistry(broker), leadership, scheduler.cleanup_interval, metrics),
        *_keep_labels(process),
        process.build_presence(),
    )


def _keep_labels(process: RoleProcess) -> Sequence[Service]:
    """Return what keeps labels, on the one host that does; it needs no lease, for the store is this host's alone."""
    broker, metrics, clock = process.broker, process.metrics, process.clock
    if not process.configuration.keeps_labels(process.host, process.name):
        return ()
    store = open_label_store(process.state_directory, process.configuration.recognition, clock)
    keepers = (LabelKeeper(broker, LabelStream(broker, keys), store, metrics, clock) for keys in broker.partitions)
    return (*keepers, LabelPruning(store, metrics))
