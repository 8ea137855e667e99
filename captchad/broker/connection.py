"""The one connection to Redis a process has: pools, scripts, and foreign failures mapped to ours."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from redis import exceptions

from captchad.broker.address import BLOCK_MARGIN_SECONDS, RedisClients, open_clients
from captchad.broker.redis_keys import PartitionKeys
from captchad.broker.scripts.catalogue import Script, load_script
from captchad.config.settings import RedisSection
from captchad.domain.errors import BrokerUnavailable, ConfigurationError, ConfigurationProblem
from captchad.runtime.service import Service, ServiceHealth
from captchad.telemetry.logs import shared_logger

_logger = shared_logger(__name__)

FIRST_PAUSE_SECONDS = 0.05
LONGEST_PAUSE_SECONDS = 2.0
TRIES_PER_LOG_LINE = 10
AWAY_ERRORS = (
    exceptions.BusyLoadingError,
    exceptions.ClusterDownError,
    exceptions.MasterDownError,
    exceptions.OutOfMemoryError,
    exceptions.ReadOnlyError,
    exceptions.TryAgainError,
)
AWAY_MARKS = ("BUSY", "MISCONF", "NOREPLICAS", "UNBLOCKED", "WAIT cannot be used with replica")
"""Errors that pass by themselves or once an operator acts, and the prefixes of those without a class in the driver."""

Argument = str | bytes | int | float


class Broker(Service):
    """Redis as every role sees it: `run_script` for writes, `client` for reads, and whether it answers.

    `url_override` wins over the configuration. Every call raises BrokerUnavailable when Redis does not answer.
    """

    name = "broker"

    def __init__(self, config: RedisSection, client_name: str, url_override: str | None = None) -> None:
        self.partitions = tuple(PartitionKeys(partition) for partition in range(config.partitions))
        self.result_ttl_seconds = config.task_result_ttl
        self.evidence_limit_bytes = config.evidence_limit_bytes
        self._min_replicas = config.min_replicas_acknowledged
        self._config = config
        self._client_name = client_name
        self._url_override = url_override
        self._clients: RedisClients | None = None
        self._failure = "not connected yet"
        self._on_return: list[Callable[[], None]] = []
        self._outages = 0
        self._has_answered = False

    @property
    def client(self) -> Any:
        """The client for short commands; use it inside `guard()`."""
        return self._opened().commands

    @property
    def blocking_client(self) -> Any:
        """The client for commands that wait on the server; use it inside `guard()`."""
        return self._opened().blocking

    def on_return(self, callback: Callable[[], None]) -> None:
        """Call `callback` each time Redis answers again after it did not."""
        self._on_return.append(callback)

    def health(self) -> ServiceHealth:
        """Say whether the last call was answered."""
        return ServiceHealth(not self._failure, self._failure, {"outages": self._outages})

    async def start(self) -> None:
        """Connect, waiting with backoff for as long as Redis is away; a refused login ends the wait."""
        self._clients = open_clients(self._config, self._client_name, self._url_override)
        await self.wait_until_back()

    async def wait_until_back(self) -> None:
        """Return once Redis answers a ping."""
        pause_seconds, tries = FIRST_PAUSE_SECONDS, 0
        while True:
            try:
                async with self.guard():
                    await self.client.ping()
                    return
            except BrokerUnavailable as error:
                if tries % TRIES_PER_LOG_LINE == 0:
                    _logger.warning("waiting for Redis: %s", error.message)
            await asyncio.sleep(pause_seconds)
            pause_seconds, tries = min(2 * pause_seconds, LONGEST_PAUSE_SECONDS), tries + 1

    async def close(self) -> None:
        """Close every connection."""
        if self._clients is not None:
            await self._clients.close()

    async def run_script(
        self, name: str, keys: PartitionKeys, arguments: Sequence[Argument], acknowledge: bool = False
    ) -> Any:
        """Run a partition script; with `acknowledge`, return only once enough replicas have it too.

        A script that ends tasks leaves them unconfirmed where replicas are to acknowledge: see `confirmation`.
        """
        script = load_script(name, ends_unconfirmed=self._min_replicas > 0)
        if acknowledge and self._min_replicas > 0:
            return await self._run_acknowledged(script, keys, arguments)
        return await self._run(script, keys.for_scripts, arguments)

    async def run_fleet_script(self, name: str, keys: Sequence[str], arguments: Sequence[Argument]) -> Any:
        """Run a script on keys that belong to no partition."""
        return await self._run(load_script(name, with_prelude=False), keys, arguments)

    async def _run(self, script: Script, keys: Sequence[str], arguments: Sequence[Argument]) -> Any:
        async with self.guard():
            try:
                return await self.client.execute_command("EVALSHA", script.sha, len(keys), *keys, *arguments)
            except exceptions.NoScriptError:
                return await self.client.execute_command("EVAL", script.source, len(keys), *keys, *arguments)

    async def _run_acknowledged(self, script: Script, keys: PartitionKeys, arguments: Sequence[Argument]) -> Any:
        """Run a script and WAIT on the same connection, since WAIT covers that connection's writes alone.

        The answer counts only if the Sentinels, asked after it, still call that server the master: a demoted one goes
        on acknowledging for as long as a replica follows it.
        """
        timeout_ms = int(BLOCK_MARGIN_SECONDS * 1000)
        masters = self._opened().masters
        async with self.guard():
            term = await masters.wait_settled() if masters is not None else 0
            pipeline = self.client.pipeline(transaction=False)
            # Not EVALSHA: where the server lacks the script, WAIT would acknowledge a write that never happened.
            pipeline.execute_command("EVAL", script.source, len(keys.for_scripts), *keys.for_scripts, *arguments)
            # A repeated script writes nothing, and on Valkey WAIT covers no more than the connection's own last write.
            pipeline.set(keys.acknowledged, 1)
            pipeline.execute_command("WAIT", self._min_replicas, timeout_ms)
            answer, _, replicas = await pipeline.execute()
        if replicas < self._min_replicas:
            raise BrokerUnavailable(f"{replicas} of {self._min_replicas} replicas acknowledged the write")
        if masters is not None:
            await masters.confirm(term)
        return answer

    @asynccontextmanager
    async def guard(self) -> AsyncIterator[None]:
        """Map the driver's failures to BrokerUnavailable, and note whether Redis answers."""
        try:
            yield
        except (exceptions.AuthenticationError, exceptions.NoPermissionError) as error:
            # At the start a refused login is the operator's mistake; later it is a rotated password, and waited out.
            if self._has_answered:
                raise self._note_failure(error) from error
            raise ConfigurationError((ConfigurationProblem("redis", f"Redis refuses the login: {error}"),)) from error
        except exceptions.ResponseError as error:
            if not isinstance(error, AWAY_ERRORS) and not str(error).startswith(AWAY_MARKS):
                raise
            await self._drop_idle_connections()
            raise self._note_failure(error) from error
        except (exceptions.RedisError, OSError, TimeoutError) as error:
            await self._drop_idle_connections()
            raise self._note_failure(error) from error
        else:
            self._note_answer()

    @asynccontextmanager
    async def waited_out(self) -> AsyncIterator[None]:
        """Run a block; where Redis is away, return once it is back instead of raising."""
        try:
            yield
        except BrokerUnavailable:
            await self.wait_until_back()

    async def _drop_idle_connections(self) -> None:
        """Close the pools' idle connections: they led to the same server, and each would fail one more call."""
        if self._clients is not None:
            for client in (self._clients.commands, self._clients.blocking):
                await client.connection_pool.disconnect(inuse_connections=False)

    def _note_failure(self, error: Exception) -> BrokerUnavailable:
        reason = str(error) or type(error).__name__
        if not self._failure:
            self._outages += 1
            _logger.warning("Redis does not answer: %s", reason)
        self._failure = reason
        return BrokerUnavailable(f"Redis does not answer: {reason}")

    def _note_answer(self) -> None:
        self._has_answered = True
        if self._failure:
            self._failure = ""
            for callback in self._on_return if self._outages else ():
                callback()

    def _opened(self) -> RedisClients:
        if self._clients is None:
            raise BrokerUnavailable("not connected to Redis yet")
        return self._clients
