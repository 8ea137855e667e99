"""One round answers all who asked before it, and nobody who asked during it."""

import asyncio
from collections.abc import Callable

from captchad.broker.sentinel.rounds import SharedRounds
from captchad.runtime.spawn import TaskSet


class Questions:
    """A round that ends when it is let; its answer is its number."""

    def __init__(self) -> None:
        self.gates: list[asyncio.Event] = []

    async def ask(self) -> int:
        number = len(self.gates)
        self.gates.append(asyncio.Event())
        await self.gates[number].wait()
        return number


async def pass_until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0)


async def test_calls_that_come_together_share_a_round_and_later_ones_the_next() -> None:
    questions, work = Questions(), TaskSet("test")
    rounds = SharedRounds(questions.ask, work)
    first = [work.spawn(rounds.join(), "first") for _ in range(3)]
    await pass_until(lambda: len(questions.gates) == 1)
    second = [work.spawn(rounds.join(), "second") for _ in range(2)]
    for _ in range(5):
        await asyncio.sleep(0)
    assert len(questions.gates) == 1
    questions.gates[0].set()
    assert await asyncio.gather(*first) == [0, 0, 0]
    await pass_until(lambda: len(questions.gates) == 2)
    questions.gates[1].set()
    assert await asyncio.gather(*second) == [1, 1]
    assert len(questions.gates) == 2


async def test_a_caller_that_gives_up_takes_the_answer_from_nobody() -> None:
    questions, work = Questions(), TaskSet("test")
    rounds = SharedRounds(questions.ask, work)
    patient, hasty = (work.spawn(rounds.join(), name) for name in ("patient", "hasty"))
    await pass_until(lambda: len(questions.gates) == 1)
    hasty.cancel()
    await asyncio.wait({hasty})
    questions.gates[0].set()
    assert await patient == 0
