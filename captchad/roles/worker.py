"""The worker: opens pages and reads their captchas."""

from collections.abc import Mapping, Sequence

from captchad.broker.captcha_watch import CaptchaWatch
from captchad.broker.consumer import Consumer, Delivery
from captchad.broker.dead_letter_limits import find_dead_letter_limits
from captchad.broker.events import EventFeed
from captchad.broker.leases import TASK_LEASE_SECONDS
from captchad.broker.rejections import Rejections
from captchad.broker.rights import Rights
from captchad.broker.target_limits import TargetLimits
from captchad.broker.target_rules import TargetRules
from captchad.broker.tasks import QueueLimits, TaskStore
from captchad.browser.backends import choose_proxy_place, choose_recycle_limits, choose_source
from captchad.browser.engine import BrowserEngine
from captchad.config.browser_choice import choose_browser
from captchad.config.redis_choice import choose_redis_or_local
from captchad.domain.role_figures import WorkerFigures
from captchad.domain.target import Origin, Target
from captchad.egress.own_addresses import own_addresses
from captchad.egress.proxy import FilteringProxy
from captchad.egress.scope import ScopePolicy
from captchad.recognition.engines import load_engine
from captchad.recognition.model_registry import ModelRegistry
from captchad.recognition.model_shelf import MODELS_FOLDER_NAME, ModelShelf
from captchad.recognition.service import RecognitionService
from captchad.recognition.widening import load_target_engine
from captchad.roles.process import RoleProcess
from captchad.runtime.service import Service
from captchad.solving.answer_permits import AnswerPermits
from captchad.solving.attempts import Attempts
from captchad.solving.cancellation import CancellationWatch
from captchad.solving.captcha_notes import CaptchaNotes
from captchad.solving.delivery_loop import DeliveryLoop
from captchad.solving.drain import AttemptDrain
from captchad.solving.lease_keeper import LeaseKeeper
from captchad.solving.model_updates import ModelUpdates
from captchad.solving.protected_ports import ProtectedPorts
from captchad.solving.reading import PictureReader
from captchad.solving.settlement import Settler
from captchad.solving.solver import Solver
from captchad.solving.target_gate import TargetGate
from captchad.web.ops.routes import Rendering


def compose(process: RoleProcess) -> Sequence[Service]:
    """Return the worker's services in the order they start.

    They end in reverse: first nothing new is taken, then the fleet is informed, then attempts end and are settled.
    """
    broker, clock, metrics, configuration = process.broker, process.clock, process.metrics, process.configuration

    # A function, since `leases` is made only after the attempts, which need this.
    async def permit_answer(delivery: Delivery) -> None:
        await leases.permit_answer(delivery)

    # Not the configuration's own method: a reload replaces the configuration.
    def collects_labels(target: Target) -> bool:
        return process.configuration.recognition.collects(target)

    # Only read from here; the limits are for submits.
    feed = EventFeed(broker, TaskStore(broker, QueueLimits(0, 0)))
    policy = _build_policy(process)
    rules = _build_rules(process, feed, policy)
    proxy = _build_proxy(process, policy)
    source = choose_source(configuration, process.name, proxy, clock)
    browser = BrowserEngine(choose_recycle_limits(configuration), proxy, clock, source)
    updates = _build_model_updates(process, feed, rules)

    def find_models() -> Mapping[str, str]:
        # What is configured wins over what was learned.
        return {**updates.paths(), **process.configuration.recognition.models}

    registry = ModelRegistry(find_models, load_target_engine)
    recognition = RecognitionService(load_engine, configuration.worker.batch_size, registry)
    reader = PictureReader(recognition.recognise, lambda: process.configuration.worker.minimum_confidence)
    dead_letter_limits, cipher = find_dead_letter_limits(configuration.scheduler), process.session_cipher
    permits = AnswerPermits(permit_answer, Rejections(broker, cipher), metrics, clock)
    solver = Solver(browser, reader, permits, metrics, clock, collects_labels)
    consumers = [
        Consumer(broker, keys, process.name, process.consumer, dead_letter_limits, cipher) for keys in broker.partitions
    ]
    settler = Settler(broker, consumers, metrics)
    limits = TargetLimits(broker, process.consumer, TASK_LEASE_SECONDS)
    gate = TargetGate(limits, solver.solve, lambda: rules.targets, rules.proofs, metrics, clock)
    attempts = Attempts(configuration.worker.max_workers_per_node, gate.solve, settler.put, clock)
    leases = LeaseKeeper(consumers, attempts, clock, metrics)
    notes = CaptchaNotes(CaptchaWatch(broker))
    settler.on_settled(attempts.forget)
    settler.on_written(notes.note)
    broker.on_return(leases.renew_now)
    broker.on_return(gate.renew_now)

    def describe() -> WorkerFigures:
        return WorkerFigures(
            slots=attempts.slots,
            busy=attempts.busy,
            tasks_done=settler.tasks_done,
            tasks_failed=settler.tasks_failed,
            browser=browser.figures(),
        )

    def render_metrics() -> Rendering:
        metrics.set_worker_figures(describe())
        return metrics.render()

    process.describe = describe
    return (
        process.build_web(render_metrics=render_metrics),
        broker,
        Rights(broker),
        process.audit_trail,
        feed,
        rules,
        ProtectedPorts(broker, feed, policy, process.host),
        proxy,
        browser,
        updates,
        recognition,
        notes,
        settler,
        gate,
        permits,
        leases,
        CancellationWatch(feed, attempts),
        AttemptDrain(attempts, settler, configuration.worker.drain_seconds),
        process.build_presence(),
        *(DeliveryLoop(broker, consumer, attempts, clock, browser.wait_serving) for consumer in consumers),
    )


def _build_model_updates(process: RoleProcess, feed: EventFeed, rules: TargetRules) -> ModelUpdates:
    def list_hosts() -> list[str]:
        return [target.host for target in rules.targets]

    shelf = ModelShelf(process.state_directory / MODELS_FOLDER_NAME)
    updates = ModelUpdates(process.broker, shelf, feed, list_hosts, process.metrics)
    process.on_reload(lambda _: updates.look_now())
    return updates


def _build_proxy(process: RoleProcess, policy: ScopePolicy) -> FilteringProxy:
    def note_refusal(reason: str, _: Origin) -> None:
        process.metrics.record_egress_refusal(reason)

    place = choose_proxy_place(process.configuration)
    return FilteringProxy(policy, process.clock, on_refusal=note_refusal, place=place)


def _build_policy(process: RoleProcess) -> ScopePolicy:
    configuration = process.configuration
    redis = choose_redis_or_local(configuration.redis)
    protected = (*redis.hosts, *choose_browser(configuration).hosts)
    return ScopePolicy((), protected, own_addresses())


def _build_rules(process: RoleProcess, feed: EventFeed, policy: ScopePolicy) -> TargetRules:
    # Not the configuration's own method: a reload replaces the configuration.
    def list_declared() -> Sequence[Target]:
        return process.configuration.security.declared_targets()

    # What is closed is closed to everything: to what other targets' pages load, too.
    def go_by(known: TargetRules) -> None:
        policy.replace_targets(known.targets, known.closed)

    rules = TargetRules(process.broker, feed, list_declared, go_by)
    process.on_reload(lambda _: rules.reload())
    return rules
