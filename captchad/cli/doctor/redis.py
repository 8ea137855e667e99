"""Redis: reachable, new enough, keeping its data, and its clock beside this host's."""

import os
from typing import Any

from captchad.broker.connection import Broker
from captchad.broker.embedded_program import find_program
from captchad.cli.broker_connection import describe_redis, embedded_url, open_broker, run_connected
from captchad.cli.doctor.finding import Finding, bad, doubtful, good
from captchad.cli.doctor.mends import install
from captchad.config.loader import LoadedConfiguration
from captchad.config.redis_choice import choose_redis
from captchad.config.secrets_file import find_hidden_secrets
from captchad.domain.errors import BrokerUnavailable, CaptchadError, DependencyMissing
from captchad.runtime.clock import Clock

OLDEST_VERSION = (6, 2)
CLOCK_TOLERANCE_MS = 2000
KEEP_EVERYTHING = "noeviction"


def check_redis(loaded: LoadedConfiguration) -> list[Finding]:
    """Visit the Redis that the roles would use; without one configured, the embedded one of `captchad up`."""
    section = loaded.configuration.redis
    url = embedded_url(section)
    hidden = find_hidden_secrets(loaded.path, os.environ)
    if hidden is not None:
        return [doubtful("redis", f"how it is reached is in {hidden}, which is not readable", "run it again with sudo")]
    if choose_redis(section) is None and url is None:
        return [_check_embedded_program()]
    try:
        return run_connected(_examine(loaded, describe_redis(section, url)))
    except BrokerUnavailable as error:
        fix = "start it, or set REDIS_URL; with nothing configured `captchad up` brings its own"
        return [bad("redis", error.message, fix)]
    except CaptchadError as error:
        return [
            bad("redis", error.message, "correct the user name, the password or the TLS files in the redis section")
        ]


def _check_embedded_program() -> Finding:
    try:
        program = find_program()
    except DependencyMissing as error:
        return bad("redis", "none is configured, and none can be embedded", error.message, install("redis-server"))
    return good("redis", f"none is configured; `captchad up` will start its own ({program})")


async def _examine(loaded: LoadedConfiguration, where: str) -> list[Finding]:
    async with open_broker(loaded) as broker:
        async with broker.guard():
            information: dict[str, Any] = await broker.client.info()
        clock = await _check_clock(broker)
    return [_judge_version(information, where), *_judge_keeping(information), clock]


def _judge_version(information: dict[str, Any], where: str) -> Finding:
    version = str(information.get("redis_version", "0"))
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    if numbers < OLDEST_VERSION:
        return bad("redis", f"version {version} at {where}", "install Redis 6.2 or newer, or Valkey")
    return good("redis", f"version {version} at {where}")


def _judge_keeping(information: dict[str, Any]) -> list[Finding]:
    findings = []
    policy = information.get("maxmemory_policy", KEEP_EVERYTHING)
    if policy != KEEP_EVERYTHING:
        findings.append(
            doubtful("redis memory", f"drops keys when full ({policy})", "CONFIG SET maxmemory-policy noeviction")
        )
    if not information.get("aof_enabled"):
        findings.append(
            doubtful(
                "redis data",
                "accepted tasks may be lost when Redis restarts",
                "set appendonly yes in its configuration",
            )
        )
    return findings


async def _check_clock(broker: Broker) -> Finding:
    difference_ms = abs(Clock().now_ms() - await broker.time_ms())
    found = f"{difference_ms} ms beside Redis's"
    if difference_ms > CLOCK_TOLERANCE_MS:
        return doubtful("clock", found, "let NTP keep the time (timedatectl set-ntp true): log times mislead")
    return good("clock", found)
