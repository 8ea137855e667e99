"""Hands on what visits showed of their targets' captchas, for the scheduler to watch."""

import asyncio
from collections import deque

from captchad.broker.captcha_watch import CaptchaWatch
from captchad.broker.consumer import Settlement
from captchad.domain.captcha_drift import CaptchaObservation
from captchad.domain.errors import BrokerUnavailable
from captchad.runtime.service import Service

WAITING_LIMIT = 1000
"""While Redis is away the oldest are lost, and what was being written: a gap does no harm, counting twice might."""


class CaptchaNotes(Service):
    """Writes observations after the outcomes they came with, all waiting ones at once."""

    name = "captcha-notes"

    def __init__(self, watch: CaptchaWatch) -> None:
        self._watch = watch
        self._waiting: deque[CaptchaObservation] = deque(maxlen=WAITING_LIMIT)
        self._arrived = asyncio.Event()

    def note(self, settlement: Settlement) -> None:
        """Accept what an attempt has seen, if anything."""
        if settlement.observation is not None:
            self._waiting.append(settlement.observation)
            self._arrived.set()

    async def run(self) -> None:
        """Write observations until cancelled."""
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            async with self._watch.broker.waited_out():
                await self._write()

    async def drain(self) -> None:
        """Write the last ones before the connection to Redis closes."""
        try:
            await self._write()
        except BrokerUnavailable:
            return

    async def _write(self) -> None:
        batch = list(self._waiting)
        if batch:
            self._waiting.clear()
            await self._watch.add(batch)
