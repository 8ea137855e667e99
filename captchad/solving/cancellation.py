"""Abandons attempts whose task has ended elsewhere: cancelled, or past its deadline."""

from captchad.broker.events import EventFeed
from captchad.domain.task import TaskStatus
from captchad.runtime.service import Service
from captchad.solving.attempts import Abandonment, Attempts

ENDED_ELSEWHERE = frozenset({TaskStatus.CANCELLED, TaskStatus.FAILED})


class CancellationWatch(Service):
    """Gets these events by push; where one is lost, the next lease renewal shows the same."""

    name = "cancellations"

    def __init__(self, feed: EventFeed, attempts: Attempts) -> None:
        self._feed = feed
        self._attempts = attempts

    async def run(self) -> None:
        """Listen until cancelled."""
        async with self._feed.subscription() as events:
            async for event in events:
                if event.kind == "task" and event.payload["status"] in ENDED_ELSEWHERE:
                    self._attempts.abandon(event.payload["task_id"], Abandonment.TAKEN_AWAY)
