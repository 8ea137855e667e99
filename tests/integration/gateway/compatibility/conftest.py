"""A gateway that speaks other services' dialects, and a key that is bound to a private target."""

import base64
import io
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import pytest

from captchad.broker.connection import Broker
from captchad.broker.consumer import AttemptOutcome, Delivery, Settlement
from captchad.config.settings import CompatibilitySection, Configuration, GatewaySection
from captchad.domain.api_key import Scope
from captchad.domain.errors import TaskErrorCode
from captchad.domain.label import CollectedAnswers
from captchad.domain.recognition import CaptchaKind, Character
from captchad.domain.task import TaskError, TaskResult
from tests.integration.gateway.conftest import UNLIMITED, RunningGateway, StartGateway, configure
from tests.integration.gateway.test_sessions import PNG, make_worker, take
from tests.patience import until

HOST = "127.0.0.1"
WRONG_KEY = "ck_00_00"
PICTURE = base64.b64encode(PNG).decode()
TEXT = TaskResult("7KM4", 0.9, CaptchaKind.TEXT, "test", tuple(Character(one, 0.9) for one in "7KM4"))
UNREADABLE = TaskError(TaskErrorCode.CAPTCHA_UNREADABLE, "no text can be read", is_retryable=True)


def speak(gateway: GatewaySection = UNLIMITED, **security: Any) -> Configuration:
    """Return these tests' configuration with the dialects on."""
    return configure(gateway, **security).model_copy(update={"compatibility": CompatibilitySection(enabled=True)})


@dataclass
class Solver:
    """What a client of another service sees, and the worker behind it."""

    gateway: RunningGateway
    broker: Broker
    key: str

    async def ask(self, path: str, **fields: Any) -> dict[str, Any]:
        """Call a method of the createTask family."""
        body = io.BytesIO(json.dumps({"clientKey": self.key} | fields).encode())
        async with self.gateway.session.post(path, data=body, headers={"Content-Type": "application/json"}) as answer:
            assert answer.status == 200, await answer.text()
            value: dict[str, Any] = await answer.json()
            return value

    async def ask_form(self, path: str, **fields: Any) -> str:
        """Call /in.php or /res.php with urlencoded fields."""
        body = io.BytesIO(urlencode({"key": self.key} | fields).encode())
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        async with self.gateway.session.post(path, data=body, headers=headers) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.text()

    async def create(self, **fields: Any) -> int:
        """Submit a picture by createTask; return the number of the task."""
        answer = await self.ask("/createTask", task={"type": "ImageToTextTask", "body": PICTURE} | fields)
        assert answer["errorId"] == 0, answer
        return int(answer["taskId"])

    async def solve(self, result: TaskResult = TEXT) -> Delivery:
        """Have the next task answered, with its picture kept for a report."""
        delivery = await take(self.broker)
        answers = CollectedAnswers(HOST, (), delivery.request.picture or b"")
        settlement = Settlement(delivery, AttemptOutcome.COMPLETED, result=result, answers=answers)
        assert await make_worker(self.broker).settle([settlement]) == ["completed"]
        return delivery

    async def wait_for_task(self) -> None:
        """Return once a task is queued."""

        async def has_one() -> bool:
            streams = self.broker.partitions[0].streams
            return any([await self.broker.client.xlen(stream) for stream in streams])

        await until(has_one)

    async def solve_next(self, result: TaskResult = TEXT) -> Delivery:
        """Wait for a task, and have it answered."""
        await self.wait_for_task()
        return await self.solve(result)

    async def give_up(self, error: TaskError = UNREADABLE) -> None:
        """Have the next task end without an answer."""
        delivery = await take(self.broker)
        settlement = Settlement(delivery, AttemptOutcome.FAILED, error=error)
        assert await make_worker(self.broker).settle([settlement]) == ["failed"]


async def make_key(gateway: RunningGateway, name: str, *targets: str, scopes: frozenset[Scope] | None = None) -> str:
    """Return the text of a new key for these targets, which may submit and read unless said otherwise."""
    text, _ = await gateway.keys.create(name, scopes or frozenset({Scope.SUBMIT, Scope.READ}), targets)
    return text


@pytest.fixture
async def solver(start_gateway: StartGateway, broker: Broker) -> AsyncIterator[Solver]:
    """A solver with a key for one private target; without a key required elsewhere."""
    async with start_gateway(speak()) as gateway:
        yield Solver(gateway, broker, await make_key(gateway, "client", HOST))
