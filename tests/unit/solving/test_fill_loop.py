"""On one page: read, answer, and try again with another picture, as long as there are tries."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest

from captchad.broker.consumer import Delivery
from captchad.domain.captcha_drift import CaptchaObservation
from captchad.domain.capture import CaptchaCapture
from captchad.domain.errors import AttemptFailed, TaskErrorCode
from captchad.domain.page import Fill, SessionState
from captchad.domain.recognition import Hints, Recognition
from captchad.domain.target import Target
from captchad.domain.task import TaskRequest, TaskResult
from captchad.runtime.clock import Clock
from captchad.runtime.deadline import Deadline
from captchad.solving.attempt import Attempt, StageTimes
from captchad.solving.fill_loop import FillLoop
from captchad.solving.permission import LeaseLapsed, PermitAnswer, RetriesUsedUp
from captchad.solving.reading import PictureReader
from tests.permits import make_permits, permit_any
from tests.unit.recognition.pictures import make_png

NO_PICTURE = AttemptFailed(TaskErrorCode.CAPTCHA_NOT_FOUND, "no other picture")


class TickingClock(Clock):
    """Each look at it is one second later."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def monotonic_seconds(self) -> float:
        self.seconds += 1
        return self.seconds


@dataclass
class ScriptedPage:
    """A page that judges answers as the test says; every refresh draws the next picture."""

    verdicts: list[bool | None] = field(default_factory=list)
    is_refreshable: bool = True
    refresh_failure: AttemptFailed | None = None
    capture_failure: AttemptFailed | None = None
    later_failure: AttemptFailed | None = None
    pictures: int = 1
    picture: bytes = b""
    answers: list[str] = field(default_factory=list)
    left_scope_to: str | None = None
    judgement: float | None = None
    has_window: bool = False

    async def capture(self) -> CaptchaCapture:
        if self.capture_failure is not None:
            raise self.capture_failure
        picture = self.picture or f"picture {self.pictures}".encode()
        return CaptchaCapture(picture, "by name", {"locate": 5.0})

    async def can_refresh(self) -> bool:
        return self.is_refreshable

    async def submit(self, text: str, permit: Callable[[], Awaitable[None]]) -> bool | None:
        await permit()
        self.answers.append(text)
        if not self.verdicts and self.later_failure is not None:
            raise self.later_failure
        return self.verdicts.pop(0)

    async def refresh(self) -> None:
        if self.refresh_failure is not None:
            raise self.refresh_failure
        self.pictures += 1

    async def read_session(self) -> SessionState:
        return SessionState(local_storage={"pictures": str(self.pictures)})

    async def screenshot(self) -> bytes:
        return b"screenshot"


def make_attempt(retry_count: int = 3, attempt: int = 1, answers: int = 0, **request: object) -> Attempt:
    wanted: dict[str, object] = {"url": "http://localhost/", "fill": Fill("#code")} | request
    task = TaskRequest("localhost", retry_count=retry_count, **wanted)  # type: ignore[arg-type]
    delivery = Delivery("id", 0, "token", attempt, task, queued_ms=7.0, remaining_seconds=60.0, answers=answers)
    return Attempt(delivery, Target("localhost"), Deadline(60.0, Clock()), StageTimes(7.0, TickingClock()))


async def work(
    page: ScriptedPage, attempt: Attempt, confidences: tuple[float, ...] = (), permit: PermitAnswer = permit_any
) -> TaskResult:
    left = list(confidences)

    async def recognise(picture: bytes, hints: Hints, host: str) -> Recognition:
        return Recognition(picture.decode(errors="replace"), left.pop(0) if left else 1.0, "reader")

    return await FillLoop(attempt, PictureReader(recognise, lambda: 0.5), make_permits(permit)).work(page)


@pytest.mark.parametrize("verdict", [True, None])
async def test_an_answer_that_is_not_wrong_ends_the_visit(verdict: bool | None) -> None:
    page = ScriptedPage([verdict])
    result = await work(page, make_attempt())
    assert (result.verified, result.captcha_text, result.session) == (verdict, "picture 1", None)


async def test_every_wrong_answer_is_followed_by_another_picture() -> None:
    page = ScriptedPage([False, False, True])
    result = await work(page, make_attempt())
    assert page.answers == ["picture 1", "picture 2", "picture 3"]
    assert result.verified is True


@pytest.mark.parametrize(("retry_count", "attempt", "answers"), [(0, 1, 1), (2, 1, 3), (2, 2, 2), (2, 3, 1), (2, 9, 1)])
async def test_there_are_as_many_answers_as_retries_are_left(retry_count: int, attempt: int, answers: int) -> None:
    page = ScriptedPage([False] * 9)
    with pytest.raises(RetriesUsedUp) as failed:
        await work(page, make_attempt(retry_count, attempt))
    assert len(page.answers) == answers
    assert failed.value.task_error_code is TaskErrorCode.WRONG_ANSWER
    assert not failed.value.is_retryable


@pytest.mark.parametrize(("retry_count", "sent", "answers"), [(3, 3, 1), (3, 2, 2), (10, 8, 3)])
async def test_answers_of_earlier_attempts_count_even_where_more_tries_are_left(
    retry_count: int, sent: int, answers: int
) -> None:
    page = ScriptedPage([False] * 20)
    with pytest.raises(RetriesUsedUp):
        await work(page, make_attempt(retry_count, answers=sent))
    assert len(page.answers) == answers


async def test_a_doubtful_reading_costs_a_try_and_is_not_sent() -> None:
    page = ScriptedPage([True])
    await work(page, make_attempt(1), confidences=(0.4, 0.6))
    assert page.answers == ["picture 2"]
    with pytest.raises(RetriesUsedUp) as failed:
        await work(ScriptedPage(), make_attempt(1), confidences=(0.4, 0.4))
    assert failed.value.task_error_code is TaskErrorCode.CAPTCHA_UNREADABLE


async def test_a_doubtful_reading_of_a_picture_that_stays_fails_the_attempt_alone() -> None:
    with pytest.raises(AttemptFailed) as failed:
        await work(ScriptedPage(is_refreshable=False), make_attempt(), confidences=(0.4,))
    assert failed.value.task_error_code is TaskErrorCode.CAPTCHA_UNREADABLE
    assert failed.value.is_retryable


async def test_a_wrong_answer_that_no_other_picture_follows_fails_the_attempt_alone() -> None:
    with pytest.raises(AttemptFailed) as failed:
        await work(ScriptedPage([False], refresh_failure=NO_PICTURE), make_attempt())
    assert failed.value.task_error_code is TaskErrorCode.WRONG_ANSWER
    assert failed.value.is_retryable
    assert failed.value.message == "the answer was wrong; no other picture"


async def test_without_a_form_nothing_is_sent() -> None:
    page = ScriptedPage()
    result = await work(page, make_attempt(fill=None))
    assert (page.answers, result.verified) == ([], None)


async def test_nothing_is_sent_without_the_lease() -> None:
    async def lapse(_: Delivery) -> None:
        raise LeaseLapsed

    page = ScriptedPage([True])
    with pytest.raises(LeaseLapsed):
        await work(page, make_attempt(), permit=lapse)
    assert page.answers == []


@pytest.mark.parametrize(
    ("failure", "is_open"),
    [
        (AttemptFailed(TaskErrorCode.FORM_REJECTED, "no"), True),
        (AttemptFailed(TaskErrorCode.ATTEMPT_TIMEOUT, "late"), True),
        (AttemptFailed(TaskErrorCode.HTTP_ERROR, "429", retry_after_seconds=10.0), False),
    ],
)
async def test_an_answer_stays_open_unless_the_site_was_too_busy_to_look_at_it(
    failure: AttemptFailed, is_open: bool
) -> None:
    attempt = make_attempt()
    with pytest.raises(AttemptFailed):
        await work(ScriptedPage([False], later_failure=failure), attempt)
    assert (attempt.sent_answers, attempt.is_answer_open) == (2, is_open)


async def test_the_session_is_read_when_the_answer_was_right() -> None:
    result = await work(ScriptedPage([False, True]), make_attempt(return_session=True))
    assert result.session == SessionState(local_storage={"pictures": "2"})


async def test_evidence_is_of_the_last_picture_and_stays_when_the_answer_was_wrong() -> None:
    attempt = make_attempt(1, evidence=True)
    with pytest.raises(RetriesUsedUp):
        await work(ScriptedPage([False, False]), attempt)
    assert attempt.evidence is not None
    assert (attempt.evidence.picture, attempt.evidence.screenshot) == (b"picture 2", b"screenshot")
    assert attempt.evidence.choice == "by name"


async def test_a_page_without_a_captcha_is_photographed_when_evidence_was_asked_for() -> None:
    attempt = make_attempt(evidence=True)
    with pytest.raises(AttemptFailed):
        await work(ScriptedPage(capture_failure=NO_PICTURE), attempt)
    assert attempt.evidence is not None
    assert (attempt.evidence.picture, attempt.evidence.screenshot) == (b"", b"screenshot")


async def test_the_times_of_all_tries_add_up() -> None:
    result = await work(ScriptedPage([False, True]), make_attempt())
    times = result.timings_ms
    assert set(times) == {"queue", "open", "locate", "capture", "recognise", "verify", "total"}
    assert (times["queue"], times["locate"]) == (7.0, 10.0)
    # The clock moves a second each time it is read: two readings, two verdicts, one refresh.
    assert (times["recognise"], times["verify"], times["capture"]) == (2000.0, 2000.0, 1000.0)


PNG = make_png(width=160, height=60)


@pytest.mark.parametrize("verdict", [True, None])
async def test_the_first_picture_of_a_visit_is_observed(verdict: bool | None) -> None:
    attempt = make_attempt()
    await work(ScriptedPage([verdict], picture=PNG), attempt, confidences=(0.75,))
    assert attempt.observation == CaptchaObservation("localhost", 160, 60, 0.75, "reader", verdict)


async def test_further_pictures_of_a_visit_are_not_observed() -> None:
    attempt = make_attempt()
    await work(ScriptedPage([False, True], picture=PNG), attempt, confidences=(0.75, 0.9))
    assert attempt.observation == CaptchaObservation("localhost", 160, 60, 0.75, "reader", False)


async def test_a_doubtful_first_picture_is_observed_without_the_next_ones_verdict() -> None:
    attempt = make_attempt()
    await work(ScriptedPage([True], picture=PNG), attempt, confidences=(0.25, 0.9))
    assert attempt.observation == CaptchaObservation("localhost", 160, 60, 0.25, "reader", None)
