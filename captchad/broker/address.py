"""Where Redis is: a URL, Sentinels or one server, and the connection pools made from that."""

from dataclasses import dataclass
from typing import Any

from redis import asyncio as redis
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import NoBackoff

from captchad.config.sections import RedisMasterSection, RedisSection

CONNECT_TIMEOUT_SECONDS = 2.0
COMMAND_TIMEOUT_SECONDS = 3.0
BLOCK_SECONDS = 5.0
BLOCK_MARGIN_SECONDS = 2.0
DEFAULT_SENTINEL_PORT = 26379


@dataclass(frozen=True, slots=True)
class RedisClients:
    """Two clients of one server: for short commands, and for those that wait on the server.

    They are `redis.asyncio.Redis`, whose own annotations do not tell bytes from text nor awaitables from values.
    """

    commands: Any
    blocking: Any
    sentinel: Any = None

    async def close(self) -> None:
        """Close every connection of both."""
        for client in (self.commands, self.blocking):
            await client.aclose()
            await client.connection_pool.disconnect()
        for sentinel_client in self.sentinel.sentinels if self.sentinel else ():
            await sentinel_client.aclose()


def open_clients(config: RedisSection, client_name: str, url_override: str | None) -> RedisClients:
    """Make the clients without connecting yet; `url_override`, url, sentinel, master: the first that is set."""
    url = url_override or (config.url.get_secret_value() if config.url else None)
    if url is None and config.sentinel is not None:
        return _open_sentinel(config, client_name)
    if url is None:
        return RedisClients(
            _open_server(config, client_name, COMMAND_TIMEOUT_SECONDS),
            _open_server(config, client_name, BLOCK_SECONDS + BLOCK_MARGIN_SECONDS),
        )
    return RedisClients(
        _open_url(url, config, client_name, COMMAND_TIMEOUT_SECONDS),
        _open_url(url, config, client_name, BLOCK_SECONDS + BLOCK_MARGIN_SECONDS),
    )


def _connection_options(client_name: str, timeout_seconds: float) -> dict[str, Any]:
    """Give what every connection has in common.

    The driver never sends a command again by itself: a reply that came late would make it happen twice. The
    scripts are safe to repeat, and it is for their callers to do so.
    """
    return {
        "client_name": client_name,
        "socket_timeout": timeout_seconds,
        "socket_connect_timeout": CONNECT_TIMEOUT_SECONDS,
        "socket_keepalive": True,
        "retry": Retry(NoBackoff(), 0),
        "health_check_interval": 0,
    }


def _login(master: RedisMasterSection | None) -> dict[str, Any]:
    if master is None:
        return {}
    return {
        "username": master.username or None,
        "password": master.password.get_secret_value() or None,
        "db": master.db,
    }


def _tls_options(config: RedisSection) -> dict[str, Any]:
    tls = config.tls
    return {
        "ssl_ca_certs": tls.ca_file,
        "ssl_certfile": tls.certificate_file,
        "ssl_keyfile": tls.key_file,
        "ssl_check_hostname": tls.check_hostname,
    }


def _open_url(url: str, config: RedisSection, client_name: str, timeout_seconds: float) -> Any:
    options = _connection_options(client_name, timeout_seconds)
    password = _login(config.master).get("password")
    if password and "@" not in url:
        options["password"] = password
    if url.startswith("unix:"):
        options.pop("socket_keepalive")
    if config.tls.enabled and url.startswith("redis://"):
        url = "rediss://" + url.removeprefix("redis://")
    if url.startswith("rediss:"):
        options |= _tls_options(config)
    pool = redis.BlockingConnectionPool.from_url(
        url, max_connections=config.max_connections, timeout=timeout_seconds, **options
    )
    return redis.Redis.from_pool(pool)


def _open_server(config: RedisSection, client_name: str, timeout_seconds: float) -> Any:
    master = config.master or RedisMasterSection()
    options = _connection_options(client_name, timeout_seconds) | _login(master)
    if config.tls.enabled:
        options |= _tls_options(config) | {"connection_class": redis.SSLConnection}
    pool = redis.BlockingConnectionPool(
        host=master.host,
        port=master.port,
        max_connections=config.max_connections,
        timeout=timeout_seconds,
        **options,
    )
    return redis.Redis.from_pool(pool)


def _open_sentinel(config: RedisSection, client_name: str) -> RedisClients:
    sentinel_config = config.sentinel
    assert sentinel_config is not None
    tls = {"ssl": True, **_tls_options(config)} if config.tls.enabled else {}
    sentinel_options = _connection_options(client_name, CONNECT_TIMEOUT_SECONDS) | tls
    sentinel_options["password"] = sentinel_config.password.get_secret_value() or None
    sentinel: Any = Sentinel([_split_host(host) for host in sentinel_config.hosts], sentinel_kwargs=sentinel_options)  # type: ignore[no-untyped-call]

    def open_master(timeout_seconds: float) -> Any:
        options = _connection_options(client_name, timeout_seconds) | _login(config.master) | tls
        return sentinel.master_for(sentinel_config.master_name, max_connections=config.max_connections, **options)

    return RedisClients(
        open_master(COMMAND_TIMEOUT_SECONDS), open_master(BLOCK_SECONDS + BLOCK_MARGIN_SECONDS), sentinel
    )


def _split_host(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host:
        return text, DEFAULT_SENTINEL_PORT
    return host.strip("[]"), int(port)
