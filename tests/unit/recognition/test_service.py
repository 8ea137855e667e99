"""The service: off the loop, in batches, every caller told what became of its picture."""

import asyncio
import io
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import pytest
from PIL import Image, ImageDraw

from captchad.domain.errors import AttemptFailed, DependencyMissing, TaskErrorCode
from captchad.domain.recognition import Hints, Recognition
from captchad.recognition.decoding import Pixels
from captchad.recognition.recognition_engine import RecognitionEngine
from captchad.recognition.service import RecognitionService
from captchad.runtime.spawn import TaskSet
from tests.patience import PATIENCE_SECONDS

HINTS = Hints()


def draw(width: int = 60) -> bytes:
    image = Image.new("L", (width, 30), 255)
    ImageDraw.Draw(image).rectangle((20, 10, 39, 19), fill=0)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


class WidthReader:
    """Reads a picture's width as its text, once it is let; a width of 99 is unreadable, of 98 its own fault."""

    name = "width-reader"
    largest_batch = 3

    def __init__(self) -> None:
        self.may_read = threading.Event()
        self.is_reading = threading.Event()
        self.may_read.set()
        self.batches: list[int] = []
        self.threads: set[threading.Thread] = set()

    def recognise(self, pictures: Sequence[Pixels], hints: Sequence[Hints]) -> list[Recognition]:
        self.is_reading.set()
        assert self.may_read.wait(PATIENCE_SECONDS)
        self.batches.append(len(pictures))
        self.threads.add(threading.current_thread())
        widths = [picture.shape[1] for picture in pictures]
        if 98 in widths:
            raise RuntimeError("98")
        return [Recognition("" if width == 99 else str(width), 0.5, self.name) for width in widths]


@asynccontextmanager
async def running(factory: Callable[[], RecognitionEngine], batch_size: int = 10) -> AsyncIterator[RecognitionService]:
    service = RecognitionService(factory, batch_size)
    work = TaskSet("test")
    await service.start()
    work.spawn(service.run(), "run")
    try:
        yield service
    finally:
        await work.cancel_all()
        await service.close()


async def test_each_caller_gets_its_own_text() -> None:
    async with running(WidthReader) as service:
        texts = await asyncio.gather(*(service.recognise(draw(width), HINTS) for width in range(50, 80)))
        assert [recognition.text for recognition in texts] == [str(width) for width in range(50, 80)]
        assert service.health().details["read"] == 30


async def test_what_waits_is_read_in_batches_by_one_thread_that_is_not_the_loops() -> None:
    reader = WidthReader()
    async with running(lambda: reader, batch_size=2) as service:
        await asyncio.gather(*(service.recognise(draw(), HINTS) for _ in range(6)))
    assert max(reader.batches) == 2
    assert len(reader.threads) == 1
    assert threading.main_thread() not in reader.threads


async def test_a_slow_reading_leaves_the_loop_free() -> None:
    reader = WidthReader()
    reader.may_read.clear()
    async with running(lambda: reader) as service, asyncio.TaskGroup() as group:
        slow = group.create_task(service.recognise(draw(), HINTS))
        await asyncio.to_thread(reader.is_reading.wait, 20)
        assert not slow.done()
        assert service.health().is_ready
        reader.may_read.set()


async def test_rubbish_and_empty_readings_are_unreadable_and_harm_no_other() -> None:
    async with running(WidthReader) as service:
        outcomes = await asyncio.gather(
            service.recognise(b"rubbish", HINTS),
            service.recognise(draw(99), HINTS),
            service.recognise(draw(61), HINTS),
            return_exceptions=True,
        )
    assert [getattr(outcome, "task_error_code", None) for outcome in outcomes] == [
        TaskErrorCode.CAPTCHA_UNREADABLE,
        TaskErrorCode.CAPTCHA_UNREADABLE,
        None,
    ]
    assert outcomes[2] == Recognition("61", 0.5, "width-reader")


async def test_an_engine_fault_is_an_internal_error_and_the_next_picture_is_read() -> None:
    async with running(WidthReader) as service:
        with pytest.raises(AttemptFailed) as failure:
            await service.recognise(draw(98), HINTS)
        assert failure.value.task_error_code is TaskErrorCode.INTERNAL_ERROR
        assert (await service.recognise(draw(61), HINTS)).text == "61"


async def test_a_caller_that_gave_up_is_not_read_for() -> None:
    reader = WidthReader()
    reader.may_read.clear()
    async with running(lambda: reader, batch_size=1) as service, asyncio.TaskGroup() as group:
        first = group.create_task(service.recognise(draw(61), HINTS))
        await asyncio.to_thread(reader.is_reading.wait, 20)
        second = group.create_task(service.recognise(draw(62), HINTS))
        third = group.create_task(service.recognise(draw(63), HINTS))
        await asyncio.sleep(0)
        second.cancel()
        reader.may_read.set()
    assert (first.result().text, third.result().text) == ("61", "63")
    assert len(reader.batches) == 2


async def test_closing_tells_all_who_wait_and_ends_the_thread() -> None:
    reader = WidthReader()
    reader.may_read.clear()
    async with running(lambda: reader, batch_size=1) as service:
        waiting = asyncio.gather(*(service.recognise(draw(), HINTS) for _ in range(3)), return_exceptions=True)
        await asyncio.to_thread(reader.is_reading.wait, 20)
    outcomes = await waiting
    assert all(isinstance(outcome, AttemptFailed) for outcome in outcomes)
    reader.may_read.set()
    for thread in threading.enumerate():
        if thread.name.startswith("recognition"):
            await asyncio.to_thread(thread.join, 20)
    assert not any(thread.name.startswith("recognition") for thread in threading.enumerate())
    with pytest.raises(AttemptFailed):
        await service.recognise(draw(), HINTS)
    assert not service.health().is_ready


async def test_an_engine_that_cannot_be_loaded_stops_the_start() -> None:
    def refuse() -> RecognitionEngine:
        raise DependencyMissing("no model")

    service = RecognitionService(refuse, 1)
    with pytest.raises(DependencyMissing):
        await service.start()
    assert not service.health().is_ready
    await service.close()
