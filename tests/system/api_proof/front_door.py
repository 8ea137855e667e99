"""A real gateway before a real Redis, with somebody who takes tasks and ends them, so that there are answers too."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import psutil

from captchad.broker.api_keys import ApiKeys
from captchad.broker.connection import Broker
from captchad.broker.consumer import AttemptOutcome, Consumer, Settlement
from captchad.broker.dead_letter_limits import DeadLetterLimits
from captchad.config.settings import RedisSection
from captchad.domain.api_key import Scope
from captchad.domain.errors import TaskErrorCode
from captchad.domain.page import Evidence
from captchad.domain.recognition import CaptchaKind, Character
from captchad.domain.task import TaskError, TaskResult
from tests.integration.gateway.requests_to_send import make_png
from tests.system.api_proof.declared import ANSWER_TEXT, DECLARED_HOST, OPERATED_HOST, RECEIVING_HOST
from tests.system.fleet import Fleet, RoleProcess

SECURITY = {
    "session_key": "k" * 32,
    "targets": [
        {
            "host": host,
            "owner": "o",
            "reference": "r",
            "expires": str(date.today() + timedelta(days=30)),
            "proof": "waived: nobody visits it",
        }
        for host in (DECLARED_HOST, OPERATED_HOST)
    ],
}
WITH_KEYS = {
    "api_key_required": True,
    "rate_limiting": {"requests_per_minute": 1_000_000, "burst_size": 1_000_000},
    "callback_hosts": [RECEIVING_HOST],
    "callback_secret": "s" * 40,
}
_RESULT = TaskResult(ANSWER_TEXT, 0.9, CaptchaKind.TEXT, "test", tuple(Character(one, 0.95) for one in ANSWER_TEXT))
_ERROR = TaskError(TaskErrorCode.CAPTCHA_NOT_FOUND, "there is none", is_retryable=False)


@dataclass(frozen=True)
class FrontDoor:
    """A gateway that answers; `key` is that of an administrator, empty where none is required."""

    fleet: Fleet
    gateway: RoleProcess
    key: str

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.gateway.port}"

    @property
    def memory_bytes(self) -> int:
        return int(psutil.Process(self.gateway.process.pid).memory_info().rss)

    async def count_stored(self) -> int:
        """Return how many tasks were stored."""
        async with self.fleet.client.get(f"{self.url}/stats", headers={"X-API-Key": self.key}) as answer:
            return int((await answer.json())["submitted_tasks"])

    async def check(self) -> None:
        """See that the gateway has taken no harm: it is ready, and its log tells of no fault of its own."""
        assert self.gateway.process.poll() is None, self.gateway.log[-4000:]
        async with self.fleet.client.get(f"{self.url}/readyz") as answer:
            assert answer.status == 200, await answer.text()
        assert "Traceback" not in self.gateway.log
        assert [line for line in self.gateway.log.splitlines() if '"level":"error"' in line] == []


@contextlib.asynccontextmanager
async def run_front_door(folder: Path, redis_url: str, *, are_keys_required: bool) -> AsyncIterator[FrontDoor]:
    """Run a gateway, and end the tasks that it stores."""
    security = SECURITY | (WITH_KEYS if are_keys_required else {})
    settings = {"gateway": {"rate_limit": {"enabled": False}}, "security": security}
    async with Fleet(folder, redis_url, settings=settings) as fleet:
        [gateway] = await fleet.start_ready("gateway")
        broker = Broker(RedisSection(), "test", url_override=redis_url)
        await broker.start()
        key = (await ApiKeys(broker).create("fuzz", frozenset({Scope.ADMIN}), ()))[0] if are_keys_required else ""
        solving = asyncio.create_task(_end_tasks(broker))
        try:
            yield FrontDoor(fleet, gateway, key)
        finally:
            solving.cancel()
            await asyncio.gather(solving, return_exceptions=True)
            await broker.close()


async def _end_tasks(broker: Broker) -> None:
    """Complete every other task with pictures, and have the rest fail."""
    consumer = Consumer(broker, broker.partitions[0], "worker", "worker.1", DeadLetterLimits(100, 1_000_000))
    evidence = Evidence(make_png(60, 20), make_png(200, 100), "its name is that of a captcha")
    for number in itertools.count():
        deliveries = await consumer.take(1)
        for delivery in deliveries:
            if number % 2:
                settlement = Settlement(delivery, AttemptOutcome.FAILED, error=_ERROR)
            else:
                settlement = Settlement(delivery, AttemptOutcome.COMPLETED, result=_RESULT, evidence=evidence)
            await consumer.settle([settlement])
        if not deliveries:
            await asyncio.sleep(0.02)
