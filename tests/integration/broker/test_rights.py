"""The rights in Redis that are listed in config/redis.acl are enough, and a role without one of them does not start."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from captchad.broker.connection import Broker
from captchad.broker.rights import Rights
from captchad.config.settings import RedisSection
from captchad.domain.errors import ConfigurationError
from tests.redis_server import RedisServer
from tests.redis_versions import ROOT, VERSIONS
from tests.refusals import open_client

PASSWORD = "a-password-of-our-own"
SCRIPTS = ROOT / "captchad/broker/scripts"
SCRIPT_COMMANDS = re.compile(r"(?:redis\.p?call|call_group)\('([A-Z]+)'|[ {]\{'([A-Z]+)', KEY")
CONNECTING = {"auth", "hello", "client", "select", "unsubscribe", "role", "wait", "scan"}
"""Some the driver needs to connect at all; others are for Sentinel, replicas, other databases, and a restore."""


def read_user() -> list[str]:
    """Return the shipped rules of the user, with a password of the test's own."""
    [line] = [line for line in (ROOT / "config/redis.acl").read_text().splitlines() if not line.startswith("#")]
    word, name, *rules = line.split()
    assert (word, name) == ("user", "captchad")
    return [f">{PASSWORD}" if rule.startswith(">") else rule for rule in rules]


def list_commands() -> list[str]:
    return [rule.removeprefix("+") for rule in read_user() if rule.startswith("+")]


@pytest.fixture(params=VERSIONS)
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RedisServer]:
    running = RedisServer(tmp_path, version=request.param)
    running.start()
    with open_client(running) as client:
        client.execute_command("ACL", "SETUSER", "captchad", *read_user())
    yield running
    running.kill()


@pytest.fixture
def admin(server: RedisServer) -> Iterator["redis.Redis"]:
    with open_client(server) as client:
        yield client


async def check(server: RedisServer) -> str:
    """Return why a role would not start; empty where it would."""
    url = server.url.replace("redis://", f"redis://captchad:{PASSWORD}@")
    broker = Broker(RedisSection(), "test", url_override=url)
    try:
        await broker.start()
        await Rights(broker).start()
    except ConfigurationError as error:
        return error.message
    finally:
        await broker.close()
    return ""


async def test_the_listed_rights_are_enough_and_each_is_missed(server: RedisServer, admin: "redis.Redis") -> None:
    assert await check(server) == ""
    for command in list_commands():
        if command in CONNECTING:
            continue
        # As a new server, which knows no script yet.
        admin.script_flush()
        admin.execute_command("ACL", "SETUSER", "captchad", f"-{command}")
        refusal = await check(server)
        assert command in refusal, (command, refusal)
        assert "config/redis.acl" in refusal
        admin.execute_command("ACL", "SETUSER", "captchad", f"+{command}")
    assert await check(server) == ""
    assert admin.keys("*") == []


async def test_missing_channels_and_keys_are_named(server: RedisServer, admin: "redis.Redis") -> None:
    admin.execute_command("ACL", "SETUSER", "captchad", "resetchannels")
    assert "&captchad:*" in await check(server)
    admin.execute_command("ACL", "SETUSER", "captchad", "&captchad:*", "resetkeys", "~other:*")
    assert "config/redis.acl" in await check(server)


def test_every_command_of_a_script_is_listed() -> None:
    used = {
        next(filter(None, found)).lower()
        for script in SCRIPTS.glob("*.lua")
        for found in SCRIPT_COMMANDS.findall(script.read_text())
    }
    assert used <= set(list_commands())
