"""Sessions in and out of Redis: sealed, never longer than needed, and unreadable with another key."""

from collections.abc import Callable

import pytest

from captchad.broker.connection import Broker
from captchad.broker.consumer import AttemptOutcome, Consumer, Delivery, Settlement
from captchad.broker.dead_letters import DeadLetters
from captchad.broker.housekeeping import Housekeeping
from captchad.broker.session_cipher import SessionCipher
from captchad.broker.statistics import Statistics
from captchad.broker.tasks import NewTask, QueueLimits, TaskStore
from captchad.config.settings import SchedulerSection
from captchad.domain.errors import InvalidRequest, QueueFull, TaskErrorCode
from captchad.domain.identifier import make_task_id
from captchad.domain.page import Cookie, Fill, FormField, SessionState, Step
from captchad.domain.task import TaskRequest, TaskResult, TaskStatus
from tests.integration.protocol import DEAD_LETTER_LIMITS, LIMITS, TARGET, Partition, completed, make_result, retryable

KEY, OTHER_KEY = "k" * 32, "o" * 32
SECRET = "open-sesame"
SESSION = SessionState((Cookie("sid", SECRET, http_only=True),), {"X-Token": SECRET}, {"theme": SECRET})


@pytest.fixture
def partition(broker: Broker) -> Partition:
    """Partition 0 of an empty Redis, whose gateway has a session key."""
    housekeeping = Housekeeping(broker, broker.partitions[0], SchedulerSection())
    return Partition(broker, TaskStore(broker, LIMITS, SessionCipher(KEY)), housekeeping)


def make_worker(partition: Partition, key: str | None = KEY) -> Consumer:
    cipher = SessionCipher(key) if key else None
    return Consumer(partition.broker, partition.broker.partitions[0], "worker", "worker.1", DEAD_LETTER_LIMITS, cipher)


async def submit(
    partition: Partition, session: SessionState | None = SESSION, retry_count: int = 3, wants_back: bool = False
) -> str:
    request = TaskRequest(
        TARGET, url="http://captcha.example/", session=session, retry_count=retry_count, return_session=wants_back
    )
    return (await partition.store.submit([NewTask(make_task_id(0), request)]))[0]


async def read_fields(partition: Partition, task_id: str) -> dict[bytes, bytes]:
    fields: dict[bytes, bytes] = await partition.broker.client.hgetall(partition.broker.partitions[0].task(task_id))
    return fields


async def test_a_session_reaches_the_worker_and_is_in_the_clear_nowhere(partition: Partition) -> None:
    task_id = await submit(partition)
    fields = await read_fields(partition, task_id)
    assert not any(SECRET.encode() in value for value in fields.values())
    [delivery] = await make_worker(partition).take(1)
    assert delivery.obstacle is None
    assert delivery.request.session == SESSION
    assert SECRET not in repr(delivery)


def end_completed(delivery: Delivery) -> Settlement:
    return completed(delivery)


async def end_by_cancelling(partition: Partition, task_id: str) -> None:
    await partition.store.cancel(task_id)


async def end_by_completing(partition: Partition, task_id: str) -> None:
    worker = make_worker(partition)
    await worker.settle([completed((await worker.take(1))[0])])


async def end_by_burying(partition: Partition, task_id: str) -> None:
    worker = make_worker(partition)
    await worker.settle([retryable((await worker.take(1))[0])])


async def end_by_deadline(partition: Partition, task_id: str) -> None:
    keys = partition.broker.partitions[0]
    await partition.broker.client.zadd(keys.open, {task_id: 1})
    assert (await partition.housekeeping.expire_overdue()).count == 1


@pytest.mark.parametrize("end", [end_by_cancelling, end_by_completing, end_by_burying, end_by_deadline])
async def test_a_session_goes_when_its_task_ends(
    partition: Partition, end: Callable[[Partition, str], "object"]
) -> None:
    task_id = await submit(partition, retry_count=0)
    await end(partition, task_id)  # type: ignore[misc]
    assert (await partition.store.read(task_id)).status.is_final
    assert b"session" not in await read_fields(partition, task_id)
    assert (await Statistics(partition.broker).queue_status()).queued_bytes == 0


async def test_a_dead_letter_keeps_no_session(partition: Partition) -> None:
    task_id = await submit(partition, retry_count=0)
    await end_by_burying(partition, task_id)
    letters = DeadLetters(partition.broker, partition.store)
    assert (await letters.show(task_id)).request.session is None
    letter = await partition.broker.client.hgetall(partition.broker.partitions[0].dead_letter(task_id))
    assert b"session" not in letter
    again = await letters.replay(task_id)
    assert b"session" not in await read_fields(partition, again)


async def test_a_retry_and_a_lost_worker_keep_the_session(partition: Partition) -> None:
    await submit(partition)
    worker = make_worker(partition)
    await worker.settle([retryable((await worker.take(1))[0])])
    await partition.make_delayed_due()
    await partition.housekeeping.promote_due()
    await worker.take(1)
    await partition.lose_workers()
    [delivery] = await worker.take(1)
    assert (delivery.attempt, delivery.request.session) == (3, SESSION)


@pytest.mark.parametrize("key", [OTHER_KEY, None])
@pytest.mark.parametrize("session", [SESSION, None])
async def test_a_worker_without_the_right_key_says_so_instead_of_working(
    partition: Partition, key: str | None, session: SessionState | None
) -> None:
    await submit(partition, session, wants_back=True)
    plain = await submit(partition, None)
    touched, untouched = await make_worker(partition, key).take(2)
    assert touched.obstacle is not None
    assert touched.obstacle.task_error_code is TaskErrorCode.UNREADABLE_RECORD
    assert touched.obstacle.is_retryable
    assert "security.session_key" in touched.obstacle.message
    assert (untouched.task_id, untouched.obstacle) == (plain, None)


async def test_the_pages_session_comes_back_sealed_and_only_to_those_with_the_key(partition: Partition) -> None:
    task_id = await submit(partition, None, wants_back=True)
    worker = make_worker(partition)
    [delivery] = await worker.take(1)
    assert delivery.request.session is None
    assert await worker.settle([complete_with(delivery, SESSION)]) == ["completed"]
    assert not any(SECRET.encode() in value for value in (await read_fields(partition, task_id)).values())
    assert read_session(await partition.store.read(task_id)) == SESSION
    for cipher in (SessionCipher(OTHER_KEY), None):
        record = await TaskStore(partition.broker, LIMITS, cipher).read(task_id)
        assert (record.status, read_session(record)) == (TaskStatus.COMPLETED, None)


async def test_a_session_too_large_to_give_back_fails_the_task_and_says_why(partition: Partition) -> None:
    task_id = await submit(partition, None, wants_back=True)
    worker = make_worker(partition)
    [delivery] = await worker.take(1)
    huge = SessionState(local_storage={"draft": "x" * 1_100_000})
    assert await worker.settle([complete_with(delivery, huge)]) == ["failed"]
    error = (await partition.store.read(task_id)).error
    assert error is not None
    assert "more than the limit of 1048576" in error.message


async def test_bytes_of_sessions_count_against_the_queue(partition: Partition) -> None:
    small = TaskStore(partition.broker, QueueLimits(100, 5_000), SessionCipher(KEY))
    large = SessionState(local_storage={"draft": "x" * 5_000})
    request = TaskRequest(TARGET, url="http://captcha.example/", session=large)
    with pytest.raises(QueueFull):
        await small.submit([NewTask(make_task_id(0), request)])
    await small.submit([NewTask(make_task_id(0), TaskRequest(TARGET, url="http://captcha.example/"))])


async def test_without_a_key_a_session_is_never_stored(partition: Partition) -> None:
    keyless = TaskStore(partition.broker, LIMITS)
    request = TaskRequest(TARGET, url="http://captcha.example/", session=SESSION)
    with pytest.raises(InvalidRequest, match=r"security\.session_key"):
        await keyless.submit([NewTask(make_task_id(0), request)])


def complete_with(delivery: Delivery, session: SessionState) -> Settlement:
    plain = make_result()
    result = TaskResult(plain.captcha_text, plain.confidence, plain.kind, plain.recogniser, session=session)
    return Settlement(delivery, AttemptOutcome.COMPLETED, result=result)


def read_session(record: object) -> SessionState | None:
    result = getattr(record, "result", None)
    assert isinstance(result, TaskResult)
    return result.session


STEPS = (Step("click", "#login"), Step("type", "#user", SECRET))
FILL = Fill("#code", fields=(FormField("#password", value=SECRET), FormField("#agree", check=True)))


async def submit_login(partition: Partition, retry_count: int = 3) -> str:
    request = TaskRequest(
        TARGET, url="http://captcha.example/", steps=STEPS, fill=FILL, session=SESSION, retry_count=retry_count
    )
    return (await partition.store.submit([NewTask(make_task_id(0), request)]))[0]


async def test_what_is_typed_reaches_the_worker_and_is_in_the_clear_nowhere(partition: Partition) -> None:
    task_id = await submit_login(partition)
    fields = await read_fields(partition, task_id)
    assert not any(SECRET.encode() in value for value in fields.values())
    record = await partition.store.read(task_id)
    assert SECRET not in repr(record)
    [delivery] = await make_worker(partition).take(1)
    assert (delivery.request.steps, delivery.request.fill, delivery.request.session) == (STEPS, FILL, SESSION)
    assert SECRET not in repr(delivery)
    await make_worker(partition).settle([completed(delivery)])
    assert b"session" not in await read_fields(partition, task_id)


async def test_a_dead_letter_that_typed_something_is_not_replayed_and_keeps_no_other_from_it(
    partition: Partition,
) -> None:
    typed, plain = await submit_login(partition, retry_count=0), await submit(partition, retry_count=0)
    worker = make_worker(partition)
    await worker.settle([retryable(delivery) for delivery in await worker.take(2)])
    letters = DeadLetters(partition.broker, partition.store)
    with pytest.raises(InvalidRequest, match="submit it anew"):
        await letters.replay(typed)
    outcomes = dict([pair async for pair in letters.replay_all()])
    assert isinstance(outcomes[typed], InvalidRequest)
    [replayed] = await worker.take(5)
    assert (outcomes[plain], replayed.obstacle) == (replayed.task_id, None)


async def test_without_a_key_nothing_typed_is_ever_stored(partition: Partition) -> None:
    partition.store = TaskStore(partition.broker, LIMITS)
    with pytest.raises(InvalidRequest, match=r"security\.session_key"):
        await submit_login(partition)
