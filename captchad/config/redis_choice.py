"""Decides which Redis a configuration means: the URL, else Sentinel, else the master, else none."""

from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import parse_qs, unquote, urlsplit

from captchad.config.formats import split_host_port
from captchad.config.redaction import redact_url
from captchad.config.settings import RedisMasterSection, RedisSection, RedisSentinelSection
from captchad.domain.ports import REDIS_PORT, SENTINEL_PORT, show_host
from captchad.domain.target import is_loopback_host


class RedisKind(StrEnum):
    """How Redis is reached."""

    URL = "url"
    SENTINEL = "sentinel"
    MASTER = "master"


@dataclass(frozen=True, slots=True)
class RedisChoice:
    """The Redis to use: its URL, or Sentinels that know it, or its host and port.

    `hosts` are those that are dialled first: the Sentinels, or the one server; empty for a Unix socket.
    """

    kind: RedisKind
    hosts: tuple[tuple[str, int], ...]
    username: str = ""
    password: str = field(default="", repr=False)
    db: int = 0
    url: str = field(default="", repr=False)
    master_name: str = ""
    sentinel_password: str = field(default="", repr=False)

    @property
    def is_local(self) -> bool:
        """Whether every host is this machine."""
        return all(is_loopback_host(host) for host, _ in self.hosts)

    def describe(self) -> str:
        """Name the Redis for people, without its password."""
        if self.kind is RedisKind.URL:
            return redact_url(self.url)
        hosts = ", ".join(f"{show_host(host)}:{port}" for host, port in self.hosts)
        return f"{self.master_name} by Sentinel at {hosts}" if self.kind is RedisKind.SENTINEL else hosts


def choose_redis(section: RedisSection) -> RedisChoice | None:
    """Return the Redis that is configured, or None where none is: a password alone names no server."""
    if section.url is not None and section.url.get_secret_value():
        return _from_url(section.url.get_secret_value())
    if section.sentinel is not None:
        return _from_sentinel(section.sentinel, section.master or RedisMasterSection())
    if section.master is not None and section.master.model_fields_set != {"password"}:
        return _from_master(section.master)
    return None


def choose_redis_or_local(section: RedisSection) -> RedisChoice:
    """Return the Redis that is configured, else the one at this machine's usual port."""
    return choose_redis(section) or _from_master(section.master or RedisMasterSection())


def _from_url(url: str) -> RedisChoice:
    parts = urlsplit(url)
    hosts = () if parts.scheme == "unix" else ((parts.hostname or "localhost", parts.port or REDIS_PORT),)
    path = parts.path.strip("/") if parts.scheme != "unix" else ""
    [database] = parse_qs(parts.query).get("db", [path])[:1]
    return RedisChoice(
        kind=RedisKind.URL,
        hosts=hosts,
        username=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        db=int(database) if database.isdigit() else 0,
        url=url,
    )


def _from_sentinel(sentinel: RedisSentinelSection, master: RedisMasterSection) -> RedisChoice:
    return RedisChoice(
        kind=RedisKind.SENTINEL,
        hosts=tuple(split_host_port(text, SENTINEL_PORT) for text in sentinel.hosts),
        username=master.username,
        password=master.password.get_secret_value(),
        db=master.db,
        master_name=sentinel.master_name,
        sentinel_password=sentinel.password.get_secret_value(),
    )


def _from_master(master: RedisMasterSection) -> RedisChoice:
    return RedisChoice(
        kind=RedisKind.MASTER,
        hosts=((master.host, master.port),),
        username=master.username,
        password=master.password.get_secret_value(),
        db=master.db,
    )
