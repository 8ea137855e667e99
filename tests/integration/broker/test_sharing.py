"""Who gets which task: workers with free slots share what waits, and no priority starves."""

from captchad.broker.consumer import Consumer
from captchad.broker.tasks import NewTask
from captchad.domain.identifier import make_task_id
from captchad.domain.task import Priority, TaskRequest
from tests.integration.protocol import TARGET, Partition, completed
from tests.patience import until

SLOTS = 14


async def submit_batch(partition: Partition, count: int) -> None:
    request = TaskRequest(TARGET, url=f"http://{TARGET}/")
    await partition.store.submit([NewTask(make_task_id(0), request) for _ in range(count)])


async def take_priorities(partition: Partition, consumer: Consumer, count: int) -> list[Priority]:
    """Take and complete one task after another; return their priorities."""
    taken = []
    for _ in range(count):
        [delivery] = await consumer.take(1)
        taken.append(delivery.request.priority)
        await consumer.settle([completed(delivery)])
    return taken


async def pass_millisecond(partition: Partition) -> None:
    """Wait until what is submitted next is younger than what was."""
    submitted_ms = int(await partition.read_time_ms())

    async def is_over() -> bool:
        return int(await partition.read_time_ms()) > submitted_ms

    await until(is_over)


async def test_three_idle_workers_share_a_batch(partition: Partition) -> None:
    workers = [partition.make_consumer(name) for name in ("a", "b", "c")]
    for worker in workers:
        assert await worker.take(SLOTS) == []
    await submit_batch(partition, 12)
    assert [len(await worker.take(SLOTS)) for worker in workers] == [4, 4, 4]


async def test_a_share_is_by_free_slots(partition: Partition) -> None:
    large, small = partition.make_consumer("large"), partition.make_consumer("small")
    assert await large.take(12) == await small.take(4) == []
    await submit_batch(partition, 8)
    assert (len(await small.take(4)), len(await large.take(12))) == (2, 6)


async def test_a_worker_alone_takes_all_it_can(partition: Partition) -> None:
    worker = partition.make_consumer()
    assert await worker.take(SLOTS) == []
    await submit_batch(partition, 12)
    assert len(await worker.take(SLOTS)) == 12


async def test_workers_without_a_free_slot_have_no_share(partition: Partition) -> None:
    busy, idle = partition.make_consumer("busy"), partition.make_consumer("idle")
    await submit_batch(partition, 2)
    assert len(await busy.take(2)) == 2
    await submit_batch(partition, 5)
    assert len(await idle.take(5)) == 5


async def test_what_idle_workers_leave_is_taken_by_the_one_that_came(partition: Partition) -> None:
    dead, alive = partition.make_consumer("dead"), partition.make_consumer("alive")
    assert await dead.take(SLOTS) == []
    await submit_batch(partition, 12)
    taken = len(await alive.take(SLOTS))
    assert taken == 6

    async def is_all_taken() -> bool:
        nonlocal taken
        # Comes back by itself: nothing is queued meanwhile.
        await alive.wait_for_more()
        taken += len(await alive.take(SLOTS - taken))
        return taken == 12

    await until(is_all_taken)


async def test_a_single_task_is_taken_by_whoever_comes_first(partition: Partition) -> None:
    workers = [partition.make_consumer(name) for name in ("a", "b", "c")]
    for worker in workers:
        await worker.take(SLOTS)
    await submit_batch(partition, 1)
    assert len(await workers[2].take(1)) == 1


async def test_every_tenth_task_is_of_a_lower_priority_under_a_steady_flow_of_high_ones(partition: Partition) -> None:
    consumer = partition.make_consumer()
    for _ in range(3):
        await partition.submit(priority=Priority.LOW)
    for _ in range(40):
        await partition.submit(priority=Priority.HIGH)
    taken = await take_priorities(partition, consumer, 30)
    assert [place for place, name in enumerate(taken, start=1) if name is Priority.LOW] == [10, 20, 30]


async def test_of_several_lower_priorities_the_task_that_waited_longest_has_the_turn(partition: Partition) -> None:
    consumer = partition.make_consumer()
    for priority in (Priority.LOW, Priority.NORMAL, Priority.LOW):
        await partition.submit(priority=priority)
        await pass_millisecond(partition)
    for _ in range(40):
        await partition.submit(priority=Priority.HIGH)
    taken = await take_priorities(partition, consumer, 30)
    lower = [name for name in taken if name is not Priority.HIGH]
    assert lower == [Priority.LOW, Priority.NORMAL, Priority.LOW]


async def test_a_share_of_one_in_ten_holds_within_one_take_and_across_workers(partition: Partition) -> None:
    for _ in range(20):
        await partition.submit(priority=Priority.LOW)
        await partition.submit(priority=Priority.HIGH)
        await partition.submit(priority=Priority.HIGH)
    first, second = partition.make_consumer("first"), partition.make_consumer("second")
    taken = [*await first.take(15), *await second.take(15)]
    assert [delivery.request.priority for delivery in taken].count(Priority.LOW) == 3
    assert len(taken) == 30


async def test_alone_in_its_turn_the_highest_goes_on(partition: Partition) -> None:
    for _ in range(25):
        await partition.submit(priority=Priority.HIGH)
    assert len(await partition.make_consumer().take(30)) == 25
