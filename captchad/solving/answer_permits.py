"""What is asked for before an answer is sent, and told once it is known what became of it."""

import logging

from captchad.broker.rejections import Concluded, Conclusion, Rejections, explain_fill_closed
from captchad.domain.errors import BrokerUnavailable
from captchad.runtime.clock import Clock
from captchad.runtime.periodic import Periodic
from captchad.runtime.service import Service
from captchad.runtime.spawn import TaskSet
from captchad.solving.attempt import Attempt
from captchad.solving.permission import LeaseLapsed, NoRoom, PermitAnswer
from captchad.telemetry.metrics import Metrics

_logger = logging.getLogger(__name__)

RETRY_SECONDS = 1.0
ROOM_PAUSE_SECONDS = 0.25
ROOM_WAIT_SECONDS = 10.0
"""Other answers are judged within seconds; where that is not enough, the task gives up its page and waits outside."""
GRACE_SECONDS = 30.0
"""Beyond the end of an attempt: so long its conclusion may be on its way to a Redis that is away."""


class AnswerPermits(Service):
    """Permits answers: each is counted in its task's record, and room for its rejection is reserved at its target."""

    name = "answer-permits"

    def __init__(self, permit_answer: PermitAnswer, rejections: Rejections, metrics: Metrics, clock: Clock) -> None:
        self._permit_answer = permit_answer
        self._rejections = rejections
        self._metrics = metrics
        self._clock = clock
        self._untold: list[Concluded] = []
        self._work = TaskSet(self.name)
        self._periodic = Periodic(self.name, RETRY_SECONDS, self._tell_untold)

    async def run(self) -> None:
        """Tell what could not be told until cancelled."""
        await self._periodic.run()

    async def drain(self) -> None:
        """Tell everything before the connection to Redis closes."""
        await self._work.wait_all()

    async def reserve(self, attempt: Attempt) -> None:
        """Reserve room before anything is typed, once an attempt.

        AttemptFailed (form_rejected) where `fill` is closed, NoRoom where too many other answers are on their way, and
        LeaseLapsed where Redis does not answer.
        """
        if attempt.has_reserved or not attempt.may_be_rejected:
            return
        delivery, target = attempt.delivery, attempt.target
        # Before the call: whether or not its reply arrives, the room is given back.
        attempt.has_reserved = True
        lease_seconds = attempt.deadline.limit_seconds + GRACE_SECONDS
        give_up_seconds = self._clock.monotonic_seconds() + ROOM_WAIT_SECONDS
        while True:
            try:
                answer = await self._rejections.reserve(delivery, target, lease_seconds)
            except BrokerUnavailable:
                raise LeaseLapsed from None
            if answer == "reserved":
                return
            if answer != "full":
                self._note_closing(target.host, is_closing=answer == "closing")
                raise explain_fill_closed(target.host)
            if self._clock.monotonic_seconds() >= give_up_seconds:
                raise NoRoom
            await self._clock.sleep(ROOM_PAUSE_SECONDS)

    async def permit(self, attempt: Attempt) -> None:
        """Count an answer; LeaseLapsed or RetriesUsedUp where it must not be sent."""
        await self._permit_answer(attempt.delivery)
        attempt.note_sent()

    def conclude(self, attempt: Attempt) -> None:
        """Give back the room of an attempt that has ended, or leave it to the rejection."""
        if attempt.has_reserved:
            concluded = Concluded(attempt.delivery, attempt.target, judge_rejection(attempt))
            # Not awaited: a cancelled attempt must end at once.
            self._work.spawn(self._tell(concluded), attempt.delivery.task_id)

    async def _tell(self, concluded: Concluded) -> None:
        try:
            is_closing = await self._rejections.conclude(concluded)
        except BrokerUnavailable:
            self._untold.append(concluded)
            return
        host = concluded.target.host
        if concluded.conclusion is Conclusion.REJECTED:
            self._metrics.record_rejection(host)
        self._note_closing(host, is_closing=is_closing)

    async def _tell_untold(self) -> None:
        untold, self._untold = self._untold, []
        for concluded in untold:
            await self._tell(concluded)

    def _note_closing(self, host: str, *, is_closing: bool) -> None:
        if is_closing:
            _logger.warning(
                "fill is closed at %s: it has rejected what was typed too often within an hour; "
                "`captchad targets reopen %s` opens it again",
                host,
                host,
            )


def judge_rejection(attempt: Attempt) -> Conclusion:
    """Judge whether an attempt's answers may have been rejected for what else was typed.

    An answer of which nobody saw what became of it may have been; so may one that was wrong on a page of which the task
    doesn't say how it tells.
    """
    if not attempt.sent_answers:
        return Conclusion.FREED
    if attempt.is_answer_open:
        return Conclusion.REJECTED
    if attempt.verified:
        return Conclusion.ACCEPTED
    is_told = attempt.delivery.request.fill is not None and attempt.delivery.request.fill.rejected is not None
    return Conclusion.REJECTED if attempt.verified is False and not is_told else Conclusion.FREED
