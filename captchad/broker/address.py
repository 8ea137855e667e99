"""Connection pools for the Redis that is configured: a URL, Sentinels or one server."""

import asyncio
from dataclasses import dataclass
from typing import Any

from redis import asyncio as redis
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel, SentinelConnectionPool
from redis.backoff import NoBackoff

from captchad.config.redis_choice import RedisChoice, RedisKind, choose_redis_or_local
from captchad.config.settings import RedisSection

CONNECT_TIMEOUT_SECONDS = 2.0
COMMAND_TIMEOUT_SECONDS = 3.0
BLOCK_SECONDS = 5.0
BLOCK_MARGIN_SECONDS = 2.0
"""How much longer the socket waits than a blocking command, or every idle read would look like an outage."""


@dataclass(frozen=True, slots=True)
class RedisClients:
    """Two clients of one server: one for short commands, one for those that block on the server.

    They are `redis.asyncio.Redis`, whose own annotations do not tell bytes from text nor awaitables from values.
    """

    commands: Any
    blocking: Any
    sentinel: Any = None

    async def drop_idle(self) -> None:
        """Close every connection that nobody uses at the moment."""
        for client in (self.commands, self.blocking):
            await client.connection_pool.drop_idle()

    async def close(self) -> None:
        """Close every connection of both."""
        for client in (self.commands, self.blocking):
            await client.aclose()
            await client.connection_pool.disconnect()
        for sentinel_client in self.sentinel.sentinels if self.sentinel else ():
            await sentinel_client.aclose()


class KeepingConnections:
    """What both pools add to the driver's: how many idle connections are kept, and how they are closed."""

    kept_connections = 1
    _available_connections: list[Any]

    async def release(self, connection: Any) -> None:
        """Take a connection back; close it where enough are kept open already."""
        is_kept = sum(other.is_connected for other in self._available_connections) < self.kept_connections
        if not is_kept:
            await connection.disconnect()
        await super().release(connection)  # type: ignore[misc]
        # Looked up now: the list may have been emptied meanwhile.
        idle = self._available_connections
        if not is_kept and connection in idle:
            # The pool takes from the end; what is closed must not be taken before what is open.
            idle.remove(connection)
            idle.insert(0, connection)

    async def disconnect(self, inuse_connections: bool = True) -> None:
        """Close every connection, or those alone that are idle."""
        if inuse_connections:
            await super().disconnect(inuse_connections)  # type: ignore[misc]
        else:
            await self.drop_idle()

    async def drop_idle(self) -> None:
        """Close the idle connections.

        They leave the pool first. The driver closes them in their place, where somebody may take one meanwhile and have
        it closed in the middle of a call.
        """
        idle, self._available_connections = self._available_connections, []
        for connection in idle:
            await connection.disconnect(nowait=True)


class KeepingPool(KeepingConnections, redis.BlockingConnectionPool):
    """Opens up to `max_connections` and keeps `kept_connections` of them once they are idle."""


class WaitingSentinelPool(KeepingConnections, SentinelConnectionPool):
    """Makes callers wait for one of `max_connections`; the driver's own Sentinel pool raises instead."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)  # type: ignore[no-untyped-call]
        self._permits = asyncio.Semaphore(self.max_connections)

    async def get_connection(self, *arguments: Any, **options: Any) -> Any:
        """Return a connection once there is one."""
        await self._permits.acquire()
        try:
            return await super().get_connection(*arguments, **options)  # type: ignore[no-untyped-call]
        except BaseException:
            self._permits.release()
            raise

    async def release(self, connection: Any) -> None:
        """Take a connection back and let the next caller have it."""
        try:
            await super().release(connection)
        finally:
            self._permits.release()


def override_url(config: RedisSection, url: str | None) -> RedisSection:
    """Return the section with another URL, which wins over all else that it says; as it is without one."""
    return config if url is None else RedisSection.model_validate(config.model_dump() | {"url": url})


def open_clients(config: RedisSection, client_name: str, url_override: str | None = None) -> RedisClients:
    """Make the clients of the configured Redis, or of `url_override`, without connecting yet."""
    config = override_url(config, url_override)
    choice = choose_redis_or_local(config)
    sentinel = _open_sentinel(choice, config, client_name) if choice.kind is RedisKind.SENTINEL else None

    def open_client(timeout_seconds: float) -> Any:
        options = _connection_options(client_name, timeout_seconds)
        if sentinel is not None:
            options |= _login(choice) | _tls_options(config, {"ssl": True})
            client = sentinel.master_for(
                choice.master_name,
                connection_pool_class=WaitingSentinelPool,
                max_connections=config.max_connections,
                **options,
            )
            client.connection_pool.kept_connections = config.connection_pool_size
            return client
        return redis.Redis.from_pool(_open_pool(choice, config, options, timeout_seconds))

    return RedisClients(
        open_client(COMMAND_TIMEOUT_SECONDS), open_client(BLOCK_SECONDS + BLOCK_MARGIN_SECONDS), sentinel
    )


def _open_pool(choice: RedisChoice, config: RedisSection, options: dict[str, Any], timeout_seconds: float) -> Any:
    limits: dict[str, Any] = {"max_connections": config.max_connections, "timeout": timeout_seconds}
    if choice.kind is RedisKind.MASTER:
        [(host, port)] = choice.hosts
        tls = _tls_options(config, {"connection_class": redis.SSLConnection})
        pool = KeepingPool(host=host, port=port, **limits, **options, **_login(choice), **tls)
    else:
        url = choice.url
        if url.startswith("unix:"):
            options.pop("socket_keepalive")
        if config.tls.enabled and url.startswith("redis://"):
            url = "rediss://" + url.removeprefix("redis://")
        tls = _tls_files(config) if url.startswith("rediss:") else {}
        pool = KeepingPool.from_url(url, **limits, **options, **tls)
    pool.kept_connections = config.connection_pool_size
    return pool


def _open_sentinel(choice: RedisChoice, config: RedisSection, client_name: str) -> Any:
    options = _connection_options(client_name, CONNECT_TIMEOUT_SECONDS) | _tls_options(config, {"ssl": True})
    options["password"] = choice.sentinel_password or None
    return Sentinel(list(choice.hosts), sentinel_kwargs=options)  # type: ignore[no-untyped-call]


def _connection_options(client_name: str, timeout_seconds: float) -> dict[str, Any]:
    """Return what every connection has in common.

    The driver must not repeat a command by itself: where only the reply was late, it would run twice. The scripts are
    safe to repeat, and whether to do so is up to their callers.
    """
    return {
        "client_name": client_name,
        "socket_timeout": timeout_seconds,
        "socket_connect_timeout": CONNECT_TIMEOUT_SECONDS,
        "socket_keepalive": True,
        "retry": Retry(NoBackoff(), 0),
        "health_check_interval": 0,
    }


def _login(choice: RedisChoice) -> dict[str, Any]:
    return {"username": choice.username or None, "password": choice.password or None, "db": choice.db}


def _tls_options(config: RedisSection, switch: dict[str, Any]) -> dict[str, Any]:
    return switch | _tls_files(config) if config.tls.enabled else {}


def _tls_files(config: RedisSection) -> dict[str, Any]:
    tls = config.tls
    return {
        "ssl_ca_certs": tls.ca_file,
        "ssl_certfile": tls.certificate_file,
        "ssl_keyfile": tls.key_file,
        "ssl_check_hostname": tls.check_hostname,
    }
