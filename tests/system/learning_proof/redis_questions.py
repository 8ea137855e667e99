"""What the learner asks of Redis, without a command line around it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from captchad.broker.connection import Broker
from captchad.broker.learned_models import LearnedModels
from captchad.config.settings import RedisSection

Result = TypeVar("Result")


class RedisQuestions:
    """Asks the models of one Redis, each time over a connection of its own."""

    def __init__(self, url: str) -> None:
        self._url = url

    def __call__(self, work: Callable[[LearnedModels], Awaitable[Result]]) -> Result:
        async def ask() -> Result:
            broker = Broker(RedisSection(), "learning-proof", self._url)
            await broker.start()
            try:
                return await work(LearnedModels(broker))
            finally:
                await broker.close()

        return asyncio.run(ask())
