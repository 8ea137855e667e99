"""What holds across the fleet: rate limits, keys, who is running, who leads."""

from dataclasses import replace

import pytest

from captchad.broker.api_keys import ApiKeys
from captchad.broker.connection import Broker
from captchad.broker.housekeeping import LeaderLease
from captchad.broker.nodes import NodeRegistry
from captchad.broker.presence import Presence
from captchad.broker.rate_limits import RateLimiter
from captchad.broker.redis_keys import ALIVE, NODES
from captchad.config.section import COUNT_LIMIT
from captchad.domain.api_key import Scope
from captchad.domain.errors import CaptchadError, Unauthorized
from captchad.domain.node import NodeReport, NodeState, Role, SystemLoad
from captchad.domain.role_figures import WorkerFigures
from captchad.domain.task_limits import BATCH_LIMIT
from captchad.runtime.clock import Clock
from captchad.runtime.spawn import TaskSet
from tests.patience import until


async def test_a_burst_is_allowed_and_the_next_request_is_told_when_to_come_back(broker: Broker) -> None:
    limiter = RateLimiter(broker)
    allowances = [await limiter.take("caller", 1, requests_per_minute=1, burst_size=5) for _ in range(5)]
    assert all(allowance.is_allowed for allowance in allowances)
    assert [allowance.remaining for allowance in allowances] == [4, 3, 2, 1, 0]
    refused = await limiter.take("caller", 1, requests_per_minute=1, burst_size=5)
    assert not refused.is_allowed
    assert 55 < refused.retry_after_seconds <= 60
    assert (await limiter.take("another", 1, requests_per_minute=1, burst_size=5)).is_allowed


async def test_a_batch_costs_as_much_as_its_tasks(broker: Broker) -> None:
    limiter = RateLimiter(broker)
    assert (await limiter.take("caller", 5, requests_per_minute=1, burst_size=5)).is_allowed
    assert not (await limiter.take("caller", 1, requests_per_minute=1, burst_size=5)).is_allowed


@pytest.mark.parametrize("requests_per_minute", [1, COUNT_LIMIT])
async def test_a_limit_may_be_as_large_as_the_settings_allow(broker: Broker, requests_per_minute: int) -> None:
    taken = await RateLimiter(broker).take("caller", BATCH_LIMIT, requests_per_minute, burst_size=COUNT_LIMIT)
    assert (taken.is_allowed, taken.remaining) == (True, COUNT_LIMIT - BATCH_LIMIT)


async def test_what_was_paid_ahead_is_given_back_and_no_more_than_the_burst(broker: Broker) -> None:
    limiter = RateLimiter(broker)
    costs = (5, -1, 1, 1, -5, -1, 5, 1)
    taken = [await limiter.take("caller", cost, requests_per_minute=1, burst_size=5) for cost in costs]
    assert [allowance.is_allowed for allowance in taken] == [True, True, True, False, True, True, True, False]
    assert (await limiter.take("another", -1, requests_per_minute=1, burst_size=5)).remaining == 5


async def test_what_is_given_back_lessens_a_debt(broker: Broker) -> None:
    limiter = RateLimiter(broker)
    await limiter.take("caller", 20, requests_per_minute=1, burst_size=5)
    await limiter.take("caller", -20, requests_per_minute=1, burst_size=5)
    assert (await limiter.take("caller", 5, requests_per_minute=1, burst_size=5)).is_allowed


async def test_a_key_is_known_by_its_text_and_stored_without_its_secret(broker: Broker) -> None:
    keys = ApiKeys(broker)
    text, made = await keys.create("robot", frozenset({Scope.SUBMIT}), ("a.example",))
    assert await keys.authenticate(text) == made
    assert await keys.authenticate(text[:-1] + ("0" if text[-1] != "0" else "1")) is None
    assert await keys.authenticate("rubbish") is None
    secret = text.rsplit("_", 1)[1]
    for key in await broker.client.keys("*"):
        if await broker.client.type(key) == b"hash":
            assert secret.encode() not in b"".join((await broker.client.hgetall(key)).values())


async def test_a_revoked_key_is_worth_nothing_and_its_name_is_free_again(broker: Broker) -> None:
    keys = ApiKeys(broker)
    text, _ = await keys.create("robot", frozenset({Scope.ADMIN}), ())
    with pytest.raises(CaptchadError):
        await keys.create("robot", frozenset({Scope.READ}), ())
    await keys.revoke("robot")
    with pytest.raises(Unauthorized, match="was revoked"):
        await keys.authenticate(text)
    await keys.create("robot", frozenset({Scope.READ}), ())


def _report(name: str) -> NodeReport:
    return NodeReport(
        name=name,
        incarnation="1",
        role=Role.WORKER,
        host="host",
        pid=1,
        address="127.0.0.1:8001",
        version="0",
        is_draining=False,
        load=SystemLoad(1.0, 2.0, 3.0),
        figures=WorkerFigures(slots=4),
    )


async def test_a_role_is_up_while_it_signs_and_lost_after_its_lease(broker: Broker) -> None:
    registry = NodeRegistry(broker)
    await registry.write(_report("w1"))
    await registry.beat("w1.1")
    [node] = await registry.read_all(lease_seconds=5)
    assert (node.state, node.report) == (NodeState.UP, _report("w1"))
    await broker.client.zincrby("captchad:{fleet}:alive", -6000, "w1.1")
    [node] = await registry.read_all(lease_seconds=5)
    assert node.state is NodeState.LOST
    await registry.forget("w1.1")
    assert await registry.read_all(lease_seconds=5) == ()


async def test_a_role_that_was_killed_and_started_again_is_one(broker: Broker) -> None:
    registry = NodeRegistry(broker)
    await registry.write(_report("w1"))
    await broker.client.zincrby("captchad:{fleet}:alive", -6000, "w1.1")
    again = replace(_report("w1"), incarnation="2")
    await registry.write(again)
    [node] = await registry.read_all(lease_seconds=5)
    assert (node.state, node.report) == (NodeState.UP, again)


async def test_what_lacks_a_heartbeat_or_a_report_does_not_stay(broker: Broker) -> None:
    registry = NodeRegistry(broker)
    await registry.write(_report("w1"))
    assert await registry.beat("w1.1")
    await broker.client.zrem(ALIVE, "w1.1")
    assert await registry.read_all(lease_seconds=5) == ()
    assert not await broker.client.exists(NODES)
    assert not await registry.beat("w1.1")


async def test_a_heartbeat_of_a_clock_that_was_ahead_ages_like_any_other(broker: Broker) -> None:
    registry = NodeRegistry(broker)
    await registry.write(_report("w1"))
    await broker.client.zincrby(ALIVE, 3_600_000, "w1.1")
    [node] = await registry.read_all(lease_seconds=5)
    assert (node.state, node.heartbeat_age_seconds) == (NodeState.UP, 0.0)
    await broker.client.zincrby(ALIVE, -6000, "w1.1")
    [node] = await registry.read_all(lease_seconds=5)
    assert node.state is NodeState.LOST


async def test_a_role_whose_report_was_deleted_writes_it_with_its_next_heartbeat(broker: Broker) -> None:
    presence = Presence(broker, lambda: _report("w1"), lease_seconds=0.03, report_interval_seconds=3600, clock=Clock())
    work = TaskSet("test")
    await presence.start()
    work.spawn(presence.run(), "presence")
    await broker.client.flushall()
    registry = NodeRegistry(broker)

    async def is_known() -> bool:
        return len(await registry.read_all(60)) == 1

    await until(is_known)
    await work.cancel_all()
    await presence.close()


async def test_one_scheduler_leads_until_it_gives_up(broker: Broker) -> None:
    first, second = LeaderLease(broker, "a.1", 30), LeaderLease(broker, "b.1", 30)
    assert await first.hold()
    assert not await second.hold()
    assert await first.hold()
    await second.give_up()
    assert await first.holder() == "a.1"
    await first.give_up()
    assert await second.hold()


async def test_changed_figures_are_written_with_the_next_sign_of_life(broker: Broker) -> None:
    busy = 0
    presence = Presence(
        broker,
        lambda: replace(_report("w1"), figures=WorkerFigures(busy=busy)),
        lease_seconds=0.03,
        report_interval_seconds=3600,
        clock=Clock(),
    )
    work = TaskSet("test")
    await presence.start()
    work.spawn(presence.run(), "presence")
    busy = 3

    async def is_reported() -> bool:
        return (await NodeRegistry(broker).read_all(60))[0].report.worker.busy == 3

    await until(is_reported)
    await work.cancel_all()
    await presence.close()
    assert await NodeRegistry(broker).read_all(60) == ()
