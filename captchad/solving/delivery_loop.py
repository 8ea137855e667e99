"""Takes tasks from one partition for as long as there are free slots."""

import logging
from collections.abc import Awaitable, Callable

from captchad.broker.connection import Broker
from captchad.broker.consumer import Consumer
from captchad.domain.errors import BrokerUnavailable
from captchad.runtime.clock import Clock
from captchad.runtime.service import Service
from captchad.solving.attempts import Attempts

_logger = logging.getLogger(__name__)


class DeliveryLoop(Service):
    """Never takes more than the free slots; without any, or before `wait_serving` returns, it doesn't ask."""

    def __init__(
        self,
        broker: Broker,
        consumer: Consumer,
        attempts: Attempts,
        clock: Clock,
        wait_serving: Callable[[], Awaitable[object]],
    ) -> None:
        self.name = f"delivery-{consumer.partition:02x}"
        self._broker = broker
        self._consumer = consumer
        self._attempts = attempts
        self._clock = clock
        self._wait_serving = wait_serving
        self._is_draining = False

    async def run(self) -> None:
        """Take and begin attempts until drained."""
        while not self._is_draining:
            try:
                await self._take_and_wait()
            except BrokerUnavailable:
                await self._broker.wait_until_back()
                await self._hand_back_unknown()
        # Drained, but not over: a service runs until it is cancelled.
        await super().run()

    async def drain(self) -> None:
        """Take no further tasks."""
        self._is_draining = True

    async def _take_and_wait(self) -> None:
        # A task taken while there is no browser would only lose its attempts; other workers may have one.
        await self._wait_serving()
        reserved = await self._attempts.reserve_free()
        began = 0
        try:
            if not self._is_draining:
                # Before the call: the lease begins in Redis while the reply is still on its way.
                taken_seconds = self._clock.monotonic_seconds()
                deliveries = await self._consumer.take(reserved, reserved == self._attempts.slots)
                for delivery in deliveries:
                    self._attempts.begin(delivery, taken_seconds)
                    began += 1
                for delivery in deliveries:
                    if delivery.alone_seconds:
                        # The other slots stay reserved, so that nothing else is there to die with this process.
                        await self._attempts.wait_left(delivery, delivery.alone_seconds)
        finally:
            self._attempts.give_back(reserved - began)
        if began < reserved:
            await self._consumer.wait_for_more()

    async def _hand_back_unknown(self) -> None:
        """Hand back the tasks of a reply that never arrived."""
        # A take whose reply was lost has begun attempts that nobody here runs.
        known = [attempt.delivery.task_id for attempt in self._attempts.unsettled]
        try:
            released = await self._consumer.hand_back_unknown(known)
        except BrokerUnavailable:
            return
        if released:
            _logger.warning("handed back %d tasks whose delivery was lost with the connection", released)
