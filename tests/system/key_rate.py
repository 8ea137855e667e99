"""One key at ten times its rate, at two gateways at once: how much of it is accepted."""

import asyncio
from collections import Counter
from dataclasses import dataclass

import aiohttp

from captchad.broker.api_keys import ApiKeys
from captchad.broker.connection import Broker
from captchad.config.settings import RedisSection
from captchad.domain.api_key import KeyLimits, Scope
from tests.system.fleet import Fleet

REQUESTS_PER_MINUTE = 600
BURST = 20
FOLD = 10
CALLERS = 16
WITH_KEYS = {"CAPTCHAD_SECURITY__API_KEY_REQUIRED": "true"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the requests: by status, and how many the limit allows in the time they took."""

    statuses: Counter[int]
    allowed: float

    @property
    def excess(self) -> float:
        """By how much of what is allowed more (or less) was accepted."""
        return self.statuses[202] / self.allowed - 1


async def press(fleet: Fleet, seconds: float) -> Outcome:
    """Call both gateways of a fleet with one key, ten times as often as it may."""
    gateways = await fleet.start_ready("gateway", "gateway")
    broker = Broker(RedisSection(), "test", url_override=fleet.redis_url)
    await broker.start()
    try:
        limits = KeyLimits(REQUESTS_PER_MINUTE, BURST)
        text, _ = await ApiKeys(broker).create("pressed", frozenset({Scope.SUBMIT}), (), limits)
        statuses: Counter[int] = Counter()
        started_ms = await broker.time_ms()
        loop = asyncio.get_running_loop()
        begun, pause = loop.time(), 60 * CALLERS / (FOLD * REQUESTS_PER_MINUTE)

        async def call(index: int) -> None:
            url = f"http://127.0.0.1:{gateways[index % 2].port}/submit_task"
            async with aiohttp.ClientSession(headers={"X-API-Key": text}) as session:
                while loop.time() - begun < seconds:
                    async with session.post(url, json={"url": fleet.site.url("1")}) as answer:
                        statuses[answer.status] += 1
                    await asyncio.sleep(pause)

        async with asyncio.TaskGroup() as group:
            for index in range(CALLERS):
                group.create_task(call(index))
        passed = (await broker.time_ms() - started_ms) / 1000
        return Outcome(statuses, BURST + passed * REQUESTS_PER_MINUTE / 60)
    finally:
        await broker.close()
