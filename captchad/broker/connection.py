"""The one connection to Redis a process has: pools, scripts, and foreign failures mapped to ours."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from redis import exceptions

from captchad.broker.address import BLOCK_MARGIN_SECONDS, RedisClients, open_clients, override_url
from captchad.broker.availability import READING, Availability, Operation
from captchad.broker.failures import FULL_MEMORY, Failure, FailureKind, classify, raise_if_foreign
from captchad.broker.redis_keys import CONTACT, PartitionKeys, node_events
from captchad.broker.scripts.catalogue import Script, load_script
from captchad.broker.shared_wait import LONGEST_PAUSE_SECONDS, SharedWait
from captchad.config.redis_choice import choose_redis_or_local
from captchad.config.settings import RedisSection
from captchad.domain.errors import (
    BrokerForbidden,
    BrokerFull,
    BrokerRefused,
    BrokerUnavailable,
    ConfigurationError,
    ConfigurationProblem,
)
from captchad.runtime.clock import Clock
from captchad.runtime.service import Service, ServiceHealth
from captchad.telemetry.logs import shared_logger

_logger = shared_logger(__name__)

Argument = str | bytes | int | float

MS = 1000
ACKNOWLEDGED_SECONDS = 86_400

_ERRORS: dict[FailureKind, type[BrokerUnavailable]] = {
    FailureKind.SILENT: BrokerUnavailable,
    FailureKind.REFUSED: BrokerRefused,
    FailureKind.FULL: BrokerFull,
    FailureKind.FORBIDDEN: BrokerForbidden,
}


def to_ms(time: tuple[int, int]) -> int:
    """Return Redis's answer to TIME in milliseconds."""
    return time[0] * MS + time[1] // MS


class Broker(Service):
    """Redis as every role sees it: `run_script` for writes, `client` for reads, and whether it answers.

    `url_override` wins over the configuration. Every call raises BrokerUnavailable when Redis does not answer, and
    BrokerRefused when it answers but does not do it now. Each change of that is logged once, here.
    """

    name = "broker"

    def __init__(self, config: RedisSection, client_name: str, url_override: str | None = None) -> None:
        choice = choose_redis_or_local(override_url(config, url_override))
        self.partitions = tuple(PartitionKeys(partition, choice.db) for partition in range(config.partitions))
        self.node_events = node_events(choice.db)
        self._where = choice.describe()
        self.result_ttl_seconds = config.task_result_ttl
        self.evidence_limit_bytes = config.evidence_limit_bytes
        self.label_limit_bytes = config.label_limit_bytes
        self._min_replicas = config.min_replicas_acknowledged
        self._config = config
        self._client_name = client_name
        self._url_override = url_override
        self._clients: RedisClients | None = None
        self._on_return: list[Callable[[], None]] = []
        self._availability = Availability()
        self._clock = Clock()
        self._return = SharedWait(self._takes_writes, self._clock)
        self._left_seconds = float("-inf")

    @property
    def client(self) -> Any:
        """The client for short commands; use it inside `guard()`."""
        return self._opened().commands

    @property
    def blocking_client(self) -> Any:
        """The client for commands that wait on the server; use it inside `guard()`."""
        return self._opened().blocking

    def on_return(self, callback: Callable[[], None]) -> None:
        """Call `callback` each time Redis can be worked with again after it could not."""
        self._on_return.append(callback)

    def health(self) -> ServiceHealth:
        """Say whether Redis answers and takes writes; a full one still serves all but new tasks."""
        obstacle = self._availability.obstacle
        reason = obstacle or self._availability.fullness
        return ServiceHealth(not obstacle, reason, {"outages": self._availability.outages})

    async def start(self) -> None:
        """Connect, waiting with backoff for as long as Redis is away; a refused login ends the wait."""
        self._clients = open_clients(self._config, self._client_name, self._url_override)
        if not await self._answers():
            await SharedWait(self._answers, self._clock).wait()

    async def wait_until_back(self) -> None:
        """Return once Redis takes writes; for loops whose call was refused or not answered."""
        await self._return.wait()

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
        async with self.guard(script.operation):
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
        async with self.guard(script.operation):
            term = await masters.wait_settled() if masters is not None else 0
            for command, body in (("EVALSHA", script.sha), ("EVAL", script.source)):
                pipeline = self.client.pipeline(transaction=False)
                pipeline.execute_command(command, body, len(keys.for_scripts), *keys.for_scripts, *arguments)
                # A repeated script writes nothing, and on Valkey WAIT covers no more than the connection's own last
                # write. Of these two a full memory refuses the first alone.
                pipeline.set(keys.acknowledged, 1)
                pipeline.expire(keys.acknowledged, ACKNOWLEDGED_SECONDS)
                pipeline.execute_command("WAIT", self._min_replicas, timeout_ms)
                answer, marked, is_marked, replicas = await pipeline.execute(raise_on_error=False)
                # Where the server lacks the script, WAIT has acknowledged a write that never happened.
                if not isinstance(answer, exceptions.NoScriptError):
                    break
            for reply in (answer, replicas, is_marked, None if is_marked else marked):
                if isinstance(reply, Exception):
                    raise reply
        if replicas < self._min_replicas:
            raise BrokerUnavailable(f"{replicas} of {self._min_replicas} replicas acknowledged the write")
        if masters is not None:
            await masters.confirm(term)
        return answer

    @asynccontextmanager
    async def guard(self, operation: Operation = READING) -> AsyncIterator[None]:
        """Map the driver's failures to BrokerUnavailable, and note whether Redis answers and takes writes."""
        noticed = self._availability.noticed
        try:
            yield
        except (exceptions.RedisError, OSError, TimeoutError) as error:
            failure = classify(error)
            if failure is None:
                raise_if_foreign(error)
                raise
            await self._leave_connections(failure)
            raise self._note_failure(failure, operation) from error
        else:
            self._note_success(operation, noticed)

    async def time_ms(self) -> int:
        """Return Redis TIME, which all stored times are of, in milliseconds since 1970."""
        async with self.guard():
            return to_ms(await self.client.time())

    @asynccontextmanager
    async def waited_out(self) -> AsyncIterator[None]:
        """Run a block; where Redis is away, return once it is back instead of raising."""
        try:
            yield
        except BrokerUnavailable:
            await self.wait_until_back()

    def note_memory(self, is_full: bool) -> None:
        """Take note of what Redis said of its memory."""
        if is_full:
            self._note_failure(FULL_MEMORY, READING)
        elif self._availability.make_room():
            _logger.info("Redis has room for new tasks again")

    async def _answers(self) -> bool:
        try:
            async with self.guard():
                # Not PING, which a server whose disk is full refuses, though it serves reads.
                await self.client.time()
        except BrokerUnavailable:
            return False
        return True

    async def _takes_writes(self) -> bool:
        try:
            await self.run_fleet_script("contact", [CONTACT], [])
        except BrokerUnavailable:
            return False
        return True

    async def _leave_connections(self, failure: Failure) -> None:
        """Close idle connections that lead to a server which is gone or demoted: each would fail one more call.

        Whoever refuses for another reason is still the right one. A demoted server is left once in a while only, since
        nothing may have taken its place.
        """
        now = self._clock.monotonic_seconds()
        is_due = failure.may_be_elsewhere and now - self._left_seconds > LONGEST_PAUSE_SECONDS
        if self._clients is not None and (failure.kind is FailureKind.SILENT or is_due):
            self._left_seconds = now
            await self._clients.drop_idle()

    def _note_failure(self, failure: Failure, operation: Operation) -> Exception:
        # At the start a refused login is the operator's mistake; later it is a rotated password, and waited out.
        if failure.kind is FailureKind.FORBIDDEN and not self._availability.has_answered:
            # The setting's name stands before the message already.
            message = self._locate(failure).removeprefix("Redis at ")
            return ConfigurationError((ConfigurationProblem("redis", f"{message}; {failure.advice}"),))
        if self._availability.notice(failure, operation):
            advice = f"; {failure.advice}" if failure.advice else ""
            _logger.warning("%s%s", self._locate(failure), advice)
        return _ERRORS[failure.kind](failure.message)

    def _note_success(self, operation: Operation, noticed: int) -> None:
        if not self._availability.recover(operation, noticed) or self._availability.obstacle:
            return
        _logger.info("Redis is back")
        for callback in self._on_return if self._availability.outages else ():
            callback()

    def _locate(self, failure: Failure) -> str:
        """Return a failure's message with the name of the server: for operators, not for callers of the API."""
        return failure.message.replace("Redis", f"Redis at {self._where}", 1)

    def _opened(self) -> RedisClients:
        if self._clients is None:
            raise BrokerUnavailable("not connected to Redis yet")
        return self._clients
