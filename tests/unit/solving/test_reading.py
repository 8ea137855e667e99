"""What a page says of the characters it wants decides how its picture is read, unless the task says so itself."""

import pytest

from captchad.broker.consumer import Delivery
from captchad.domain.errors import AttemptFailed, TaskErrorCode
from captchad.domain.recognition import Hints, Instruction, Position, Recognition, Side
from captchad.domain.target import Target
from captchad.domain.task import TaskRequest
from captchad.runtime.clock import Clock
from captchad.runtime.deadline import Deadline
from captchad.solving.attempt import Attempt, StageTimes
from captchad.solving.reading import UNCLEAR_CONFIDENCE, PictureReader

LAST = Position(Side.LAST, 3)


def make_attempt(hints: Hints) -> Attempt:
    request = TaskRequest(target="localhost", url="http://localhost/", hints=hints)
    delivery = Delivery("id", 0, "token", 1, request, queued_ms=0.0, remaining_seconds=60.0)
    clock = Clock()
    return Attempt(delivery, Target("localhost"), Deadline(60.0, clock), StageTimes(0.0, clock), collects_labels=True)


class Engine:
    """Remembers the hints it was given, and reads nothing of the colours it does not see."""

    def __init__(self, *unseen: str) -> None:
        self.asked: list[Hints] = []
        self._unseen = unseen

    async def recognise(self, _: bytes, hints: Hints, __: str) -> Recognition:
        self.asked.append(hints)
        if hints.colour in self._unseen:
            raise AttemptFailed(TaskErrorCode.CAPTCHA_UNREADABLE, "nothing")
        return Recognition("7KM4", 0.9, "test", is_whole=hints.wants_all)


async def read(engine: Engine, instruction: Instruction | None, hints: Hints) -> Recognition:
    return await PictureReader(engine.recognise, lambda: 0.0).read(b"", make_attempt(hints), instruction)


async def test_what_the_page_clearly_asks_for_is_read() -> None:
    engine = Engine()
    found = await read(engine, Instruction("red", LAST), Hints(charset="7KM4"))
    assert engine.asked == [Hints(charset="7KM4", colour="red", position=LAST)]
    assert found.confidence == 0.9


@pytest.mark.parametrize("hints", [Hints(colour="blue"), Hints(position=LAST)])
async def test_the_tasks_own_hints_outweigh_the_page(hints: Hints) -> None:
    engine = Engine()
    assert (await read(engine, Instruction("red"), hints)).confidence == 0.9
    assert (await read(engine, Instruction(), hints)).confidence == 0.9
    assert engine.asked == [hints, hints]


async def test_what_is_not_understood_makes_an_answer_worth_little() -> None:
    engine = Engine()
    found = await read(engine, Instruction(), Hints())
    assert (found.text, found.confidence) == ("7KM4", UNCLEAR_CONFIDENCE)
    assert engine.asked == [Hints()]


async def test_a_colour_that_the_picture_lacks_makes_an_answer_worth_little() -> None:
    engine = Engine("red")
    assert (await read(engine, Instruction("red"), Hints())).confidence == UNCLEAR_CONFIDENCE
    assert engine.asked == [Hints(colour="red"), Hints()]


async def test_without_an_instruction_all_is_read() -> None:
    engine = Engine()
    assert (await read(engine, None, Hints())).confidence == 0.9


def test_an_answer_of_some_characters_makes_no_label() -> None:
    for verified in (True, None):
        attempt = make_attempt(Hints(colour="red"))
        attempt.judge(b"picture", Recognition("7K", 0.9, "test", is_whole=False), verified)
        assert attempt.answers is not None
        assert (attempt.answers.judged, attempt.answers.unjudged_picture) == ((), b"")
        attempt.judge(b"picture", Recognition("7K", 0.9, "test"), verified)
        assert attempt.answers.judged or attempt.answers.unjudged_picture
