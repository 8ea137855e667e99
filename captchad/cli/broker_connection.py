"""A command's short connection to Redis: the configured one, or the one `captchad up` keeps for itself."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from captchad.broker.connection import Broker
from captchad.broker.embedded import FOLDER, EmbeddedRedis, find_socket
from captchad.broker.failures import NO_ANSWER
from captchad.config.loader import LoadedConfiguration
from captchad.config.redis_choice import choose_redis, choose_redis_or_local
from captchad.config.secrets_file import find_hidden_secrets
from captchad.config.settings import RedisSection
from captchad.config.state import resolve_state_directory
from captchad.domain.errors import BrokerUnavailable
from captchad.domain.ports import LOOPBACK_HOST, REDIS_PORT
from captchad.runtime.clock import Clock

CONNECT_LIMIT_SECONDS = 2.5
PATIENT_LIMIT_SECONDS = 15.0
"""For what is done once, and in vain if a Redis that is only slow is taken for one that is away."""
CLIENT_NAME = "captchad-cli"

Result = TypeVar("Result")


@asynccontextmanager
async def open_broker(
    loaded: LoadedConfiguration, limit_seconds: float = CONNECT_LIMIT_SECONDS
) -> AsyncIterator[Broker]:
    """Connect to the configured Redis; BrokerUnavailable where it does not answer soon."""
    # What a role logs while it waits for Redis is here the command's one line on stderr.
    logging.getLogger("captchad").addHandler(logging.NullHandler())
    section = loaded.configuration.redis
    url = embedded_url(section)
    broker = Broker(section, CLIENT_NAME, url)
    try:
        try:
            async with asyncio.timeout(limit_seconds):
                await broker.start()
        except TimeoutError:
            where, reason = describe_redis(section, url), broker.health().reason
            hidden = find_hidden_secrets(loaded.path, os.environ)
            if hidden is not None:
                raise BrokerUnavailable(
                    f"how Redis is reached is in {hidden}, which is not readable: run it again with sudo"
                ) from None
            if url is None and choose_redis(section) is None:
                raise BrokerUnavailable(
                    f"no Redis is configured, and none answers at {where}: {reason.removeprefix(NO_ANSWER)}; "
                    "start one with `captchad up`, "
                    "or set redis.url"
                ) from None
            raise BrokerUnavailable(reason.replace("Redis", f"Redis at {where}", 1)) from None
        yield broker
    finally:
        await broker.close()


@asynccontextmanager
async def open_broker_at_rest(loaded: LoadedConfiguration, state_directory: Path) -> AsyncIterator[Broker]:
    """Connect as `open_broker` does; where the private server of `captchad up` is meant and rests, it runs for this.

    Backups and restores wait for a slow Redis: the nightly one runs at the lowest priority, beside everything else.
    """
    section = loaded.configuration.redis
    is_running = choose_redis(section) is not None or embedded_url(section) is not None
    if is_running or (not (state_directory / FOLDER).exists() and await _is_served(LOOPBACK_HOST, REDIS_PORT)):
        async with open_broker(loaded, PATIENT_LIMIT_SECONDS) as broker:
            yield broker
        return
    server = EmbeddedRedis(state_directory, Clock())
    try:
        await server.start()
        async with open_broker(loaded, PATIENT_LIMIT_SECONDS) as broker:
            yield broker
    finally:
        await server.close()


async def _is_served(host: str, port: int) -> bool:
    try:
        async with asyncio.timeout(CONNECT_LIMIT_SECONDS):
            _, writer = await asyncio.open_connection(host, port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True


def embedded_url(section: RedisSection) -> str | None:
    """Return the URL of the server that `captchad up` runs, where none is configured and there is one."""
    if choose_redis(section) is not None:
        return None
    socket = find_socket(resolve_state_directory(os.environ))
    return f"unix://{quote(str(socket))}" if socket is not None else None


def describe_redis(section: RedisSection, url: str | None) -> str:
    """Name the Redis for people."""
    return url or choose_redis_or_local(section).describe()


def run_connected(work: Coroutine[Any, Any, Result]) -> Result:
    """Run a command's work on Redis to its end."""
    return asyncio.run(work)
