"""Connection pools for the Redis that is configured: a URL, Sentinels or one server."""

from dataclasses import dataclass
from typing import Any

from redis import asyncio as redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from captchad.broker.keeping_pool import KeepingPool
from captchad.broker.sentinel.pool import MasterPool
from captchad.broker.sentinel.watch import MasterWatch
from captchad.config.redis_choice import RedisChoice, RedisKind, choose_redis_or_local
from captchad.config.settings import RedisSection
from captchad.runtime.clock import Clock

CONNECT_TIMEOUT_SECONDS = 2.0
COMMAND_TIMEOUT_SECONDS = 3.0
SENTINEL_TIMEOUT_SECONDS = 1.0
BLOCK_SECONDS = 5.0
BLOCK_MARGIN_SECONDS = 2.0
"""How much longer the socket waits than a blocking command, or every idle read would look like an outage."""


@dataclass(frozen=True, slots=True)
class RedisClients:
    """Two clients of one server: one for short commands, one for those that block on the server.

    They are `redis.asyncio.Redis`, whose own annotations do not tell bytes from text nor awaitables from values. With
    Sentinel, `masters` knows which server that is.
    """

    commands: Any
    blocking: Any
    masters: MasterWatch | None = None

    async def drop_idle(self) -> None:
        """Close every connection that nobody uses at the moment."""
        for client in (self.commands, self.blocking):
            await client.connection_pool.drop_idle()

    async def close(self) -> None:
        """Close every connection of both."""
        if self.masters is not None:
            await self.masters.close()
        for client in (self.commands, self.blocking):
            await client.aclose()
            await client.connection_pool.disconnect()


def override_url(config: RedisSection, url: str | None) -> RedisSection:
    """Return the section with another URL, which wins over all else that it says; as it is without one."""
    return config if url is None else RedisSection.model_validate(config.model_dump() | {"url": url})


def open_clients(config: RedisSection, client_name: str, url_override: str | None = None) -> RedisClients:
    """Make the clients of the configured Redis, or of `url_override`, without connecting yet."""
    config = override_url(config, url_override)
    choice = choose_redis_or_local(config)
    masters = _watch_masters(choice, config, client_name) if choice.kind is RedisKind.SENTINEL else None

    def open_client(timeout_seconds: float) -> Any:
        options = _connection_options(client_name, timeout_seconds)
        options |= {"max_connections": config.max_connections, "timeout": timeout_seconds}
        if masters is not None:
            pool: Any = MasterPool(masters, Clock(), **options, **_login(choice), **_tls_pool_options(config))
        else:
            pool = _open_pool(choice, config, options)
        pool.kept_connections = config.connection_pool_size
        return redis.Redis.from_pool(pool)

    return RedisClients(
        open_client(COMMAND_TIMEOUT_SECONDS), open_client(BLOCK_SECONDS + BLOCK_MARGIN_SECONDS), masters
    )


def _open_pool(choice: RedisChoice, config: RedisSection, options: dict[str, Any]) -> Any:
    if choice.kind is RedisKind.MASTER:
        [(host, port)] = choice.hosts
        return KeepingPool(host=host, port=port, **options, **_login(choice), **_tls_pool_options(config))
    url = choice.url
    if url.startswith("unix:"):
        options.pop("socket_keepalive")
    if config.tls.enabled and url.startswith("redis://"):
        url = "rediss://" + url.removeprefix("redis://")
    return KeepingPool.from_url(url, **options, **(_tls_files(config) if url.startswith("rediss:") else {}))


def _watch_masters(choice: RedisChoice, config: RedisSection, client_name: str) -> MasterWatch:
    options = _connection_options(client_name, SENTINEL_TIMEOUT_SECONDS)
    # Under the other protocol the driver gives a Sentinel's answer another shape.
    options |= {"password": choice.sentinel_password or None, "protocol": 2}
    if config.tls.enabled:
        options |= {"ssl": True, **_tls_files(config)}
    sentinels = {f"{host}:{port}": redis.Redis(host=host, port=port, **options) for host, port in choice.hosts}
    return MasterWatch(sentinels, choice.master_name, Clock())


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


def _tls_pool_options(config: RedisSection) -> dict[str, Any]:
    return {"connection_class": redis.SSLConnection, **_tls_files(config)} if config.tls.enabled else {}


def _tls_files(config: RedisSection) -> dict[str, Any]:
    tls = config.tls
    return {
        "ssl_ca_certs": tls.ca_file,
        "ssl_certfile": tls.certificate_file,
        "ssl_keyfile": tls.key_file,
        "ssl_check_hostname": tls.check_hostname,
    }
