"""How often a target may reject what tasks have typed, over all workers, before `fill` is closed there."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, cast

from captchad.broker.connection import Argument, Broker
from captchad.broker.consumer import Delivery
from captchad.broker.redis_keys import TargetKeys
from captchad.broker.session_cipher import SessionCipher
from captchad.domain.errors import AttemptFailed, TaskErrorCode
from captchad.domain.target import Target

MS = 1000

ReserveAnswer = Literal["reserved", "full", "closing", "closed"]
"""Whether there is room for another rejection; `closing` where `fill` was closed by this very call."""


class Conclusion(StrEnum):
    """What became of an attempt's answers: none was rejected, one was right, or one may have been rejected."""

    FREED = "freed"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Concluded:
    """An attempt with its conclusion, ready to be written."""

    delivery: Delivery
    target: Target
    conclusion: Conclusion


class Rejections:
    """Reserves room for rejections and tells what came of it; the cipher is the one that typed values came with."""

    def __init__(self, broker: Broker, cipher: SessionCipher | None = None) -> None:
        self._broker = broker
        self._cipher = cipher

    async def reserve(self, delivery: Delivery, target: Target, within_seconds: float) -> ReserveAnswer:
        """Reserve room for an attempt whose conclusion is told within so many seconds."""
        arguments: list[Argument] = [_name_reservation(delivery), int(within_seconds * MS)]
        return cast("ReserveAnswer", await self._run("rejection_reserve", target, arguments))

    async def conclude(self, concluded: Concluded) -> bool:
        """Tell what became of an attempt's answers; return whether that has closed `fill`."""
        delivery, target = concluded.delivery, concluded.target
        counted_as = self._name_rejection(delivery, target)
        reservation, conclusion = _name_reservation(delivery), str(concluded.conclusion)
        arguments: list[Argument] = [reservation, conclusion, counted_as, delivery.task_id]
        return await self._run("rejection_conclude", target, arguments) == "closing"

    async def _run(self, script: str, target: Target, arguments: list[Argument]) -> str:
        keys = TargetKeys(target.host)
        shared: list[Argument] = [target.host, self._broker.node_events, target.max_rejections_per_hour]
        answer = await self._broker.run_fleet_script(script, [keys.rejections, keys.fill_closed], shared + arguments)
        return str(answer.decode())

    def _name_rejection(self, delivery: Delivery, target: Target) -> str:
        """Return the name that a rejection counts under.

        One that the page tells counts by itself. Where it can't be told from a wrong captcha, the same values count
        once, so that a captcha that is often misread does not close its target.
        """
        fill, typed = delivery.request.fill, delivery.request.typed_values
        if self._cipher is None or not typed or (fill is not None and fill.rejected is not None):
            return _name_reservation(delivery)
        return self._cipher.fingerprint(typed, target.host)


def _name_reservation(delivery: Delivery) -> str:
    return f"{delivery.task_id}:{delivery.token}"


def explain_fill_closed(host: str) -> AttemptFailed:
    """Return the failure of a task with a form at a target where `fill` is closed."""
    message = (
        f"fill is closed at {host}, which has rejected what was typed too often within an hour; nothing was typed or "
        f"sent. An operator reopens it: captchad targets reopen {host}"
    )
    return AttemptFailed(TaskErrorCode.FORM_REJECTED, message)
