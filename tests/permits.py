"""Permits for tests whose targets may reject as much as they like."""

from captchad.broker.connection import Broker
from captchad.broker.consumer import Delivery
from captchad.broker.rejections import Concluded, Rejections, ReserveAnswer
from captchad.config.settings import RedisSection
from captchad.domain.target import Target
from captchad.runtime.clock import Clock
from captchad.solving.answer_permits import AnswerPermits
from captchad.solving.permission import PermitAnswer
from captchad.telemetry.metrics import Metrics


class UnboundedRejections(Rejections):
    """Always has room, and counts nothing."""

    def __init__(self) -> None:
        super().__init__(Broker(RedisSection(), "away"))

    async def reserve(self, delivery: Delivery, target: Target, within_seconds: float) -> ReserveAnswer:
        return "reserved"

    async def conclude(self, concluded: Concluded) -> bool:
        return False


async def permit_any(_: Delivery) -> None:
    """Every answer may be sent."""


def make_permits(permit: PermitAnswer = permit_any) -> AnswerPermits:
    """Return permits that only `permit` bounds."""
    return AnswerPermits(permit, UnboundedRejections(), Metrics("worker", "test", "0"), Clock())
