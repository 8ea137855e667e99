"""An installation as in production, and everything secret that it is given or makes."""

import asyncio
import base64
import json
import os
import secrets
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from tests.redis_server import RedisServer
from tests.system.fleet import UNLIMITED, Fleet
from tests.system.secrets_proof.careless_site import CarelessSite
from tests.system.secrets_proof.places import Wiretap

HOST = "127.0.0.1"


def make_secret(prefix: str) -> str:
    """Return what occurs nowhere by chance, and has no character that a cookie or a header may not have."""
    return f"{prefix}-{secrets.token_hex(12)}"


@dataclass
class Secrets:
    """What must be found nowhere, by name; more come as keys are made."""

    redis_password: str = field(default_factory=lambda: make_secret("redis"))
    passphrase: str = field(default_factory=lambda: f"{make_secret('pass')} phrase")
    session_key: str = field(default_factory=lambda: make_secret("session-key"))
    callback_secret: str = field(default_factory=lambda: "whsec_" + base64.b64encode(os.urandom(32)).decode())
    password: str = field(default_factory=lambda: f"{make_secret('Pw')} /+ü&=")
    cookie: str = field(default_factory=lambda: make_secret("cookie"))
    token: str = field(default_factory=lambda: make_secret("token"))
    stored: str = field(default_factory=lambda: make_secret("stored"))
    left: str = field(default_factory=lambda: make_secret("left"))
    idempotency_key: str = field(default_factory=lambda: make_secret("once"))
    misplaced: str = field(default_factory=lambda: make_secret("misplaced"))
    keys: dict[str, str] = field(default_factory=dict)

    @property
    def by_name(self) -> dict[str, str]:
        """All of them, the secret part of keys alone: their ids are no secret."""
        own = {name: value for name, value in vars(self).items() if name != "keys"}
        raw = {"callback key": self.callback_secret.removeprefix("whsec_")}
        return own | raw | {f"key {name}": text.rpartition("_")[2] for name, text in self.keys.items()}


@dataclass
class Production:
    """The fleet, its site, and what is listened to."""

    fleet: Fleet
    site: CarelessSite
    secrets: Secrets
    redis: RedisServer
    wiretap: Wiretap
    given: frozenset[Path]

    async def run(self, *arguments: str) -> bytes:
        """Run a command as an operator does; return what it prints."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "captchad", *arguments, "--config", str(self.fleet.folder / "config.json")),
            env=self._environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        printed, errors = await process.communicate()
        assert process.returncode == 0, errors.decode()
        return printed

    async def make_key(self, name: str, *arguments: str) -> None:
        """Make a key, or rotate it, and remember its text."""
        label = f"{name} {'-'.join(arguments[:1])}"
        command = arguments if arguments[:1] == ("rotate",) else ("create", *arguments)
        printed = await self.run("keys", command[0], name, *command[1:], "--json")
        self.secrets.keys[label.strip()] = json.loads(printed)["key"]

    @property
    def _environment(self) -> dict[str, str]:
        state = {"CAPTCHAD_STATE_DIRECTORY": str(self.fleet.folder / "state")}
        return os.environ | self.fleet.environment | state


def configure(site: CarelessSite) -> dict[str, Any]:
    """Return the configuration that everybody may read."""
    target = {"host": HOST, "ports": [site.port], "allow_private_addresses": True, "collect_labels": True}
    return {
        "environment": "prod",
        "security": {
            "api_key_required": True,
            "targets": [target | UNLIMITED],
            "callback_hosts": [f"{HOST}:{site.port}"],
        },
        "scheduler": {"callback_retry_seconds": 1, "callback_longest_pause_seconds": 1},
        "compatibility": {"enabled": True},
        "logging": {"level": "debug"},
    }


def write_given(folder: Path, hidden: Secrets, redis_port: int) -> frozenset[Path]:
    """Write the files in which an operator gives secrets; return them."""
    settings = {
        "redis": {"master": {"host": HOST, "port": redis_port, "password": hidden.redis_password}},
        "security": {"session_key": hidden.session_key, "callback_secret": hidden.callback_secret},
    }
    (folder / "secrets.json").write_text(json.dumps(settings))
    (folder / "passphrase").write_text(hidden.passphrase)
    return frozenset({folder / "secrets.json", folder / "passphrase", folder / "redis.conf"})


@asynccontextmanager
async def run_production(folder: Path) -> AsyncIterator[Production]:
    """Run every role with keys, a Redis with a password, and a site, until the caller is done."""
    hidden = Secrets()
    (folder / "redis.conf").write_text(f"requirepass {hidden.redis_password}\n")
    # What Redis compresses could not be searched.
    options = ("--include", str(folder / "redis.conf"), "--rdbcompression", "no", "--slowlog-log-slower-than", "0")
    server = RedisServer(folder, *options)
    server.start()
    try:
        async with CarelessSite(hidden.left, hidden.callback_secret) as site:
            fleet = Fleet(folder, "", {"ENVIRONMENT": "prod"}, configure(site))
            async with fleet, Wiretap(server.port, hidden.redis_password) as wiretap:
                given = write_given(folder, hidden, server.port)
                production = Production(fleet, site, hidden, server, wiretap, given)
                await asyncio.gather(
                    production.make_key("caller", "--target", HOST),
                    production.make_key("operator", "--scope", "admin"),
                    production.make_key("former"),
                )
                await fleet.client.close()
                fleet.client = aiohttp.ClientSession(headers={"X-API-Key": hidden.keys["operator --scope"]})
                await start_roles(production)
                yield production
    finally:
        server.kill()


async def start_roles(production: Production) -> None:
    """Start every role; the monitor gets Redis's password as a variable, which is a way to give it."""
    fleet = production.fleet
    roles = [fleet.start(name) for name in ("gateway", "scheduler", "worker")]
    fleet.environment["REDIS_PASSWORD"] = production.secrets.redis_password
    roles.append(fleet.start("monitor"))
    del fleet.environment["REDIS_PASSWORD"]
    for role in roles:
        await fleet.wait_ready(role)
    for name in ("gateway", "monitor"):
        production.wiretap.follow(fleet, name)
