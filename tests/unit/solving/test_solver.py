"""One attempt at a picture: which target it belongs to decides who reads it, and how sure the reading must be."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from captchad.broker.consumer import AttemptOutcome, Delivery, Settlement
from captchad.broker.rejections import explain_fill_closed
from captchad.domain.captcha_drift import CaptchaObservation
from captchad.domain.errors import AttemptFailed, TaskErrorCode
from captchad.domain.page import Fill, PageOrder
from captchad.domain.recognition import Hints, Recognition
from captchad.domain.target import Target
from captchad.domain.task import TaskRequest
from captchad.recognition.decoding import Pixels
from captchad.recognition.service import read_pictures
from captchad.runtime.clock import Clock
from captchad.runtime.deadline import Deadline
from captchad.solving.answer_permits import AnswerPermits
from captchad.solving.attempt import Attempt, StageTimes
from captchad.solving.captcha_page import CaptchaPage
from captchad.solving.permission import LeaseLapsed, NoRoom
from captchad.solving.reading import PictureReader, Recognise
from captchad.solving.solver import SHOWING_THE_CAPTCHA, Solver, settle_failure
from captchad.solving.task_target import find_task_target
from captchad.telemetry.metrics import Metrics
from tests.permits import make_permits
from tests.unit.recognition.pictures import make_png
from tests.unit.solving.no_browser import NoBrowser
from tests.unit.solving.test_fill_loop import ScriptedPage

TARGETS = (
    Target("localhost"),
    Target("strict.localhost", minimum_confidence=0.8),
    Target("*.lax.localhost", minimum_confidence=0.0),
)


class IdleEngine:
    """Reads what it is given, which must be nothing."""

    name = "idle"
    largest_batch = 1

    def recognise(self, pictures: Sequence[Pixels], hints: Sequence[Hints]) -> list[Recognition]:
        assert not pictures
        return []


PNG = make_png(width=120, height=40)


async def solve(target: str, confidence: float, asked: list[str]) -> Settlement:
    async def recognise(picture: bytes, hints: Hints, host: str) -> Recognition:
        asked.append(host)
        return Recognition("7KM4", confidence, "reader")

    return await solve_with(recognise, target, PNG)


async def solve_with(recognise: Recognise, target: str, picture: bytes) -> Settlement:
    solver = Solver(
        NoBrowser(),
        PictureReader(recognise, lambda: 0.5),
        make_permits(),
        Metrics("worker", "test", "0"),
        Clock(),
        lambda _: False,
    )
    request = TaskRequest(target=target, picture=picture)
    delivery = Delivery("id", 0, "token", 1, request, queued_ms=0.0, remaining_seconds=60.0)
    return await solver.solve(delivery, find_task_target(TARGETS, request, Clock().today()))


async def test_a_reading_needs_the_workers_confidence_where_its_target_names_none() -> None:
    assert (await solve("localhost", 0.5, [])).outcome is AttemptOutcome.COMPLETED
    refused = await solve("localhost", 0.49, [])
    assert refused.outcome is AttemptOutcome.RETRYABLE
    assert refused.error is not None
    assert refused.error.code == TaskErrorCode.CAPTCHA_UNREADABLE
    assert "0.49, below the minimum of 0.50" in refused.error.message


async def test_a_given_picture_that_is_cut_short_is_not_tried_again() -> None:
    async def recognise(picture: bytes, hints: Hints, host: str) -> Recognition:
        (outcome,) = read_pictures(IdleEngine(), [(picture, hints)])
        assert isinstance(outcome, AttemptFailed)
        raise outcome

    refused = await solve_with(recognise, "localhost", PNG[: len(PNG) // 2])
    assert refused.outcome is AttemptOutcome.FAILED
    assert refused.error is not None
    assert refused.error.message == "the PNG is cut short; send the whole file"


async def test_a_target_asks_for_more_confidence_or_for_less() -> None:
    assert (await solve("strict.localhost", 0.79, [])).outcome is AttemptOutcome.RETRYABLE
    assert (await solve("strict.localhost", 0.8, [])).outcome is AttemptOutcome.COMPLETED
    assert (await solve("a.lax.localhost", 0.01, [])).outcome is AttemptOutcome.COMPLETED


async def test_the_reader_is_told_the_target_as_it_was_declared() -> None:
    asked: list[str] = []
    await solve("a.lax.localhost", 1.0, asked)
    await solve("localhost", 1.0, asked)
    assert asked == ["*.lax.localhost", "localhost"]


@pytest.mark.parametrize("confidence", [0.3, 0.9])
async def test_what_was_read_is_observed_whether_or_not_it_was_sure_enough(confidence: float) -> None:
    settlement = await solve("a.lax.localhost", confidence, [])
    assert settlement.observation == CaptchaObservation("*.lax.localhost", 120, 40, confidence, "reader")
    assert (await solve("localhost", 0.3, [])).observation == CaptchaObservation("localhost", 120, 40, 0.3, "reader")


@pytest.mark.parametrize("code", TaskErrorCode)
def test_a_failure_of_the_page_says_nothing_of_the_captcha(code: TaskErrorCode) -> None:
    request = TaskRequest(target="localhost", picture=PNG)
    delivery = Delivery("id", 0, "token", 1, request, queued_ms=0.0, remaining_seconds=60.0)
    attempt = Attempt(delivery, Target("localhost"), Deadline(60.0, Clock()), StageTimes(0.0, Clock()))
    attempt.note_reading(PNG, Recognition("7KM4", 0.9, "reader"))
    settlement = settle_failure(delivery, AttemptFailed(code, "it failed"), attempt)
    assert (settlement.observation is not None) == (code in SHOWING_THE_CAPTCHA)


@dataclass
class PageBrowser(NoBrowser):
    """Opens one scripted page."""

    page: ScriptedPage

    @asynccontextmanager
    async def open_page(self, order: PageOrder, deadline: Deadline) -> AsyncIterator[CaptchaPage]:
        yield self.page


@dataclass
class ScriptedPermits(AnswerPermits):
    """Refuses room, or gives it, and notes which attempts were concluded."""

    refusal: Exception | None
    concluded: list[str] = field(default_factory=list)

    async def reserve(self, attempt: Attempt) -> None:
        if self.refusal is not None:
            raise self.refusal

    async def permit(self, attempt: Attempt) -> None:
        attempt.note_sent()

    def conclude(self, attempt: Attempt) -> None:
        self.concluded.append(attempt.delivery.task_id)


@pytest.mark.parametrize(
    ("refusal", "outcome"),
    [
        (None, AttemptOutcome.COMPLETED),
        (NoRoom(), AttemptOutcome.DEFERRED),
        (LeaseLapsed(), AttemptOutcome.HANDED_BACK),
        (explain_fill_closed("localhost"), AttemptOutcome.FAILED),
    ],
)
async def test_nothing_is_typed_without_room_for_a_rejection(
    refusal: Exception | None, outcome: AttemptOutcome
) -> None:
    async def recognise(picture: bytes, hints: Hints, host: str) -> Recognition:
        return Recognition("7KM4", 1.0, "reader")

    page, permits = ScriptedPage([True]), ScriptedPermits(refusal)
    reader, metrics = PictureReader(recognise, lambda: 0.5), Metrics("worker", "test", "0")
    solver = Solver(PageBrowser(page), reader, permits, metrics, Clock(), lambda _: False)
    request = TaskRequest(target="localhost", url="http://localhost/", fill=Fill("#code"))
    delivery = Delivery("id", 0, "token", 1, request, queued_ms=0.0, remaining_seconds=60.0)
    settlement = await solver.solve(delivery, Target("localhost"))
    assert settlement.outcome is outcome
    assert (settlement.deferral is not None) is (outcome is AttemptOutcome.DEFERRED)
    assert page.answers == ([] if refusal else ["7KM4"])
    assert permits.concluded == ["id"]
