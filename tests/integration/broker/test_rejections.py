"""However answers and deaths follow each other, a target rejects no more in an hour than it may."""

import asyncio
from dataclasses import dataclass

import pytest
import redis
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule, run_state_machine_as_test

from captchad.broker.connection import Broker
from captchad.broker.consumer import Delivery
from captchad.broker.events import EventFeed
from captchad.broker.redis_keys import TargetKeys
from captchad.broker.rejections import Concluded, Conclusion, Rejections, ReserveAnswer
from captchad.broker.session_cipher import SessionCipher
from captchad.broker.target_closures import TargetClosures
from captchad.broker.target_limits import TargetLimits
from captchad.config.settings import RedisSection
from captchad.domain.errors import AttemptFailed, TaskErrorCode
from captchad.domain.page import Fill, FormField
from captchad.domain.target import Target
from captchad.domain.task import TaskRequest
from captchad.runtime.spawn import TaskSet
from tests.integration.protocol import Partition
from tests.patience import until
from tests.redis_server import RedisServer

HOST = "login.example"
MOST = 4
SITE = Target(HOST, max_rejections_per_hour=MOST)
LEASE_MINUTES = 5
LEASE_SECONDS = LEASE_MINUTES * 60.0
HOUR_MINUTES = 60
CIPHER = SessionCipher("k" * 32)


def deliver(number: int, token: str = "a", password: str = "", rejected: str | None = "#no") -> Delivery:
    fields = (FormField("#password", value=password),) if password else ()
    request = TaskRequest(HOST, url=f"http://{HOST}/", fill=Fill("#code", rejected=rejected, fields=fields))
    return Delivery(f"task_{number}", 0, token, 1, request, queued_ms=0.0, remaining_seconds=60.0)


async def pass_minutes(broker: Broker, minutes: float) -> None:
    key = TargetKeys(HOST).rejections
    for name in await broker.client.zrange(key, 0, -1):
        await broker.client.zincrby(key, -minutes * 60_000, name)


@pytest.fixture
def rejections(broker: Broker) -> Rejections:
    return Rejections(broker, CIPHER)


async def conclude(rejections: Rejections, delivery: Delivery, conclusion: Conclusion, site: Target = SITE) -> bool:
    return await rejections.conclude(Concluded(delivery, site, conclusion))


async def reject(rejections: Rejections, count: int, first: int = 0) -> list[ReserveAnswer]:
    """Have so many answers rejected, one after the other."""
    answers = []
    for number in range(first, first + count):
        answers.append(await rejections.reserve(deliver(number), SITE, LEASE_SECONDS))
        await conclude(rejections, deliver(number), Conclusion.REJECTED)
    return answers


async def test_fill_is_closed_for_good_once_the_hour_is_used_up(broker: Broker, rejections: Rejections) -> None:
    assert await reject(rejections, MOST - 1) == ["reserved"] * (MOST - 1)
    assert await rejections.reserve(deliver(8), SITE, LEASE_SECONDS) == "reserved"
    assert await conclude(rejections, deliver(8), Conclusion.REJECTED)
    await pass_minutes(broker, HOUR_MINUTES)
    assert await rejections.reserve(deliver(9), SITE, LEASE_SECONDS) == "closed"
    assert await broker.client.ttl(TargetKeys(HOST).fill_closed) == -1
    assert list(await TargetClosures(broker).read_fill_closed(["other.example", HOST])) == [HOST]


async def test_an_operator_opens_it_with_a_new_hour(broker: Broker, rejections: Rejections) -> None:
    closures = TargetClosures(broker)
    assert not (await closures.reopen(HOST)).was_closed
    await reject(rejections, MOST)
    reopening = await closures.reopen(HOST)
    assert (reopening.was_closed, reopening.was_fill_closed, reopening.closed_seconds) == (True, True, 0.0)
    assert await reject(rejections, MOST, first=20) == ["reserved"] * MOST
    assert await rejections.reserve(deliver(9), SITE, LEASE_SECONDS) == "closed"


async def test_rejections_of_an_hour_ago_count_no_longer(broker: Broker, rejections: Rejections) -> None:
    await reject(rejections, MOST - 1)
    await pass_minutes(broker, HOUR_MINUTES)
    assert await reject(rejections, MOST - 1, first=20) == ["reserved"] * (MOST - 1)
    assert await broker.client.pttl(TargetKeys(HOST).rejections) <= HOUR_MINUTES * 60_000


async def test_there_are_no_more_answers_on_their_way_than_rejections_left(rejections: Rejections) -> None:
    await reject(rejections, 1)
    answers = await asyncio.gather(
        *(rejections.reserve(deliver(number), SITE, LEASE_SECONDS) for number in range(10, 30))
    )
    assert sorted(answers) == ["full"] * (20 - MOST + 1) + ["reserved"] * (MOST - 1)


@pytest.mark.parametrize("conclusion", [Conclusion.FREED, Conclusion.ACCEPTED])
async def test_answers_that_are_not_rejected_leave_their_room_to_others(
    conclusion: Conclusion, broker: Broker, rejections: Rejections
) -> None:
    for number in range(5 * MOST):
        assert await rejections.reserve(deliver(number), SITE, LEASE_SECONDS) == "reserved"
        assert not await conclude(rejections, deliver(number), conclusion)
    assert await broker.client.zcard(TargetKeys(HOST).rejections) == 0


async def test_a_repeated_call_reserves_no_second_room(rejections: Rejections) -> None:
    for _ in range(2 * MOST):
        assert await rejections.reserve(deliver(1), SITE, LEASE_SECONDS) == "reserved"
    assert [await rejections.reserve(deliver(n), SITE, LEASE_SECONDS) for n in range(2, 2 + MOST)][-2:] == [
        "reserved",
        "full",
    ]


async def test_an_answer_whose_worker_died_counts_as_rejected(broker: Broker, rejections: Rejections) -> None:
    for number in range(MOST):
        assert await rejections.reserve(deliver(number), SITE, LEASE_SECONDS) == "reserved"
    assert await rejections.reserve(deliver(9), SITE, LEASE_SECONDS) == "full"
    await pass_minutes(broker, LEASE_MINUTES)
    assert await rejections.reserve(deliver(9), SITE, LEASE_SECONDS) == "closing"
    assert await rejections.reserve(deliver(9), SITE, LEASE_SECONDS) == "closed"


async def test_a_task_whose_later_answer_is_right_was_not_rejected_before(
    broker: Broker, rejections: Rejections
) -> None:
    for token in ("a", "b", "c"):
        assert await rejections.reserve(deliver(1, token), SITE, LEASE_SECONDS) == "reserved"
    await conclude(rejections, deliver(1, "a"), Conclusion.REJECTED)
    await pass_minutes(broker, LEASE_MINUTES)
    await conclude(rejections, deliver(1, "c"), Conclusion.ACCEPTED)
    assert await broker.client.zcard(TargetKeys(HOST).rejections) == 0


async def test_values_that_a_page_tells_nothing_of_count_once(broker: Broker, rejections: Rejections) -> None:
    async def try_password(number: int, password: str, conclusion: Conclusion) -> bool:
        delivery = deliver(number, password=password, rejected=None)
        assert await rejections.reserve(delivery, SITE, LEASE_SECONDS) == "reserved"
        return await conclude(rejections, delivery, conclusion)

    for number in range(5 * MOST):
        assert not await try_password(number, "the only password", Conclusion.REJECTED)
    [name] = await broker.client.zrange(TargetKeys(HOST).rejections, 0, -1)
    assert b"password" not in name
    await try_password(50, "the only password", Conclusion.ACCEPTED)
    assert await broker.client.zcard(TargetKeys(HOST).rejections) == 0
    told = [await try_password(60 + number, f"guess {number}", Conclusion.REJECTED) for number in range(MOST)]
    assert told == [False] * (MOST - 1) + [True]


async def test_a_lower_limit_counts_at_once(rejections: Rejections) -> None:
    await reject(rejections, MOST - 1)
    lower = Target(HOST, max_rejections_per_hour=MOST - 1)
    assert await rejections.reserve(deliver(9), lower, LEASE_SECONDS) == "closing"


async def test_visits_with_a_form_end_there_and_others_go_on(broker: Broker, rejections: Rejections) -> None:
    limits, site = TargetLimits(broker, "w.1", 60.0), Target(HOST, max_concurrent=1)
    await reject(rejections, MOST)
    with pytest.raises(AttemptFailed, match=rf"nothing was typed.*captchad targets reopen {HOST}") as failed:
        await limits.begin(deliver(1), site)
    assert (failed.value.task_error_code, failed.value.is_retryable) == (TaskErrorCode.FORM_REJECTED, False)
    plain = Delivery("task_plain", 0, "a", 1, TaskRequest(HOST, url=f"http://{HOST}/"), 0.0, 60.0)
    assert await limits.begin(plain, site) is None
    await TargetClosures(broker).reopen(HOST)
    await limits.end(HOST, plain)
    assert await limits.begin(deliver(1), site) is None


async def test_who_listens_is_told_of_closure_and_reopening(partition: Partition, rejections: Rejections) -> None:
    broker, work = partition.broker, TaskSet("test")
    feed = EventFeed(broker, partition.store)
    work.spawn(feed.run(), "feed")
    await until(lambda: asyncio.sleep(0, feed.health().is_ready))
    async with feed.subscription() as events:
        await reject(rejections, MOST)
        await TargetClosures(broker).reopen(HOST)
        heard: list[tuple[str, str]] = []
        while len(heard) < 2:
            event = await anext(events)
            if event.kind == "target":
                heard.append((event.payload["target"], event.payload["change"]))
    await work.cancel_all()
    assert heard == [(HOST, "fill_closed"), (HOST, "fill_reopened")]


@dataclass
class OnItsWay:
    """An answer that the site may reject at any time before `until_minute`."""

    delivery: Delivery
    until_minute: float


class RejectingSite(RuleBasedStateMachine):
    """Random histories of answers of which the site rejects all that it can; `rejected_at` is what it sees itself."""

    server: RedisServer
    on_their_way = Bundle("on_their_way")

    def __init__(self) -> None:
        super().__init__()
        with redis.Redis(port=self.server.port) as client:
            client.flushall()
        self.runner = asyncio.Runner()
        self.broker = Broker(RedisSection(), "rejections", url_override=self.server.url)
        self.runner.run(self.broker.start())
        self.rejections = Rejections(self.broker, CIPHER)
        self.minute = 0.0
        self.numbers = 0
        self.rejected_at: list[float] = []
        self.lost: list[OnItsWay] = []
        self.open: list[OnItsWay] = []

    def teardown(self) -> None:
        self.runner.run(self.broker.close())
        self.runner.close()

    @rule(target=on_their_way)
    def answer(self) -> OnItsWay | None:
        self.numbers += 1
        answer = OnItsWay(deliver(self.numbers), self.minute + LEASE_MINUTES)
        told = self.runner.run(self.rejections.reserve(answer.delivery, SITE, LEASE_SECONDS))
        if told != "reserved":
            return None
        self.open.append(answer)
        return answer

    @rule(answer=consumes(on_their_way), conclusion=st.sampled_from(list(Conclusion)))
    def tell(self, answer: OnItsWay | None, conclusion: Conclusion) -> None:
        if answer is None or answer not in self.open:
            return
        self.open.remove(answer)
        self.runner.run(conclude(self.rejections, answer.delivery, conclusion))
        if conclusion is Conclusion.REJECTED:
            self.rejected_at.append(self.minute)

    @rule(count=st.integers(1, MOST))
    def reject(self, count: int) -> None:
        for _ in range(count):
            self.tell(self.answer(), Conclusion.REJECTED)

    @rule(answer=consumes(on_their_way))
    def kill(self, answer: OnItsWay | None) -> None:
        if answer is not None and answer in self.open:
            self.open.remove(answer)
            self.rejected_at.append(self.minute)

    @rule(minutes=st.sampled_from([1, 4, 20, 59, 60]))
    def wait(self, minutes: int) -> None:
        self.runner.run(pass_minutes(self.broker, minutes))
        self.minute += minutes
        # An attempt ends within its time, told or not.
        for answer in [one for one in self.open if one.until_minute <= self.minute]:
            self.open.remove(answer)
            self.rejected_at.append(answer.until_minute)

    @rule()
    def reopen(self) -> None:
        if self.runner.run(TargetClosures(self.broker).reopen(HOST)).was_closed:
            self.rejected_at.clear()

    @invariant()
    def no_hour_has_more_rejections_than_it_may(self) -> None:
        for end in self.rejected_at:
            assert sum(end - HOUR_MINUTES < at <= end for at in self.rejected_at) <= MOST, self.rejected_at


def test_no_history_brings_more_rejections_than_an_hour_may_have(shared_redis: RedisServer) -> None:
    RejectingSite.server = shared_redis
    run_state_machine_as_test(RejectingSite, settings=settings(max_examples=80, stateful_step_count=25, deadline=None))
