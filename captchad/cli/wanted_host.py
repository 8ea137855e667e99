"""What this host is to run: what is asked for now, else what was asked for last, else what the configuration says."""

import secrets
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from captchad.cli.deployed_configuration import read_as_decided, read_as_units, read_environment
from captchad.config.loader import LoadedConfiguration, load_configuration
from captchad.config.redis_choice import choose_redis
from captchad.config.settings import Configuration
from captchad.deployment.systemd import files, host, layout
from captchad.deployment.systemd.configuration_files import read_request
from captchad.deployment.systemd.plan import OWNER_ALONE, list_configuration_files
from captchad.deployment.systemd.wanted import ALL_ROLES, Found, Joining, Listening, Release, Secrets, Wanted
from captchad.domain.errors import DeploymentFailed
from captchad.domain.node import Role
from captchad.domain.ports import LOOPBACK_HOST
from captchad.runtime.clock import Clock

SECRET_BYTES = 32
WORKERS_BY_DEFAULT = 2
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def want(found: Found, release: Release, asked: Mapping[str, Any], joining: Joining | None = None) -> Wanted:
    """Return the host as it is to be; an error names what a role would refuse, before anything is changed."""
    request = _merge(read_request(found), asked, is_joining=joining is not None)
    loaded = read_as_units(found) if layout.CONFIGURATION in found.files else None
    configuration = loaded.configuration if loaded is not None else Configuration(worker_nodes_count=WORKERS_BY_DEFAULT)
    has_own_redis = joining is None and _has_own_redis(loaded)
    if has_own_redis and request.get("joins"):
        raise DeploymentFailed(
            "a `captchad deploy --join` was broken off on this host before it had written what it joins: repeat it, "
            "with --join, or `captchad undeploy --purge` first for a host with a Redis of its own"
        )
    wanted = Wanted(
        environment=request.get("environment", configuration.environment),
        mode=request.get("mode", configuration.deployment_mode),
        workers=request.get("workers", configuration.worker_nodes_count),
        browser_nodes=request.get("browser_nodes", 0),
        release=release,
        fresh=Secrets(*(secrets.token_urlsafe(SECRET_BYTES) for _ in fields(Secrets))),
        units=host.shipped_units(),
        has_own_redis=has_own_redis,
        roles=read_roles(request),
        listening=_find_listening(request, found) if request.get("listen") else None,
        joining=joining,
        joins=bool(request.get("joins")),
    )
    if has_own_redis and not release.redis_program:
        raise DeploymentFailed("there is no redis-server here: apt-get install redis-server, or set redis.url")
    if wanted.listening is not None and not has_own_redis:
        raise DeploymentFailed("this host has no Redis of its own that could listen: it uses the one of other hosts")
    if joining is None and loaded is not None:
        check_rules(wanted, read_as_decided(wanted, found))
    return wanted


def read_roles(request: Mapping[str, Any]) -> tuple[Role, ...]:
    """Return the roles that a host was asked to run."""
    return tuple(Role(role) for role in request.get("roles", ALL_ROLES))


@contextmanager
def load_wanted(wanted: Wanted, found: Found) -> Iterator[Configuration]:
    """Have the configuration as the roles will read it, before it is theirs."""
    with TemporaryDirectory() as folder:
        for file in list_configuration_files(wanted, found):
            files.write(Path(folder) / Path(file.path).name, file.text, OWNER_ALONE)
        configuration = load_configuration(
            str(Path(folder) / Path(layout.CONFIGURATION).name), read_environment(found)
        ).configuration
        redis = configuration.redis
        if redis.tls.ca_file == layout.AUTHORITY:
            there = str(Path(folder) / Path(layout.AUTHORITY).name)
            tls = redis.tls.model_copy(update={"ca_file": there})
            redis = redis.model_copy(update={"tls": tls})
        yield configuration.model_copy(update={"redis": redis})


def check_rules(wanted: Wanted, configuration: Configuration) -> None:
    """Refuse before anything is changed what a role would refuse to start with."""
    from captchad.cli.refusals import find_bad_models  # noqa: PLC0415
    from captchad.config.start_rules import find_refusals  # noqa: PLC0415
    from captchad.config.unseen_credentials import find_unseen_credentials  # noqa: PLC0415
    from captchad.domain.errors import ConfigurationError  # noqa: PLC0415

    meant = configuration.model_copy(update={"environment": wanted.environment, "deployment_mode": wanted.mode})
    unseen = find_unseen_credentials(meant)
    found = (one for role in wanted.roles for one in find_refusals(meant, role, LOOPBACK_HOST))
    problems = {one.path: one for one in found if one.path not in unseen}
    if Role.WORKER in wanted.roles:
        # A worker that only reloads would go on without.
        problems = {one.path: one for one in find_bad_models(meant)} | problems
    if problems:
        raise ConfigurationError(tuple(problems.values()))


def _merge(last: Mapping[str, Any], asked: Mapping[str, Any], *, is_joining: bool) -> dict[str, Any]:
    request = {**last, **asked}
    if asked.get("listen") not in (None, last.get("listen")):
        request["networks"] = asked.get("networks")
    if is_joining:
        request = {"roles": (Role.WORKER,)} | request | {"mode": "multi", "listen": None, "joins": True}
    elif asked.get("mode") == "single":
        request["listen"] = None
    elif request.get("listen"):
        request["mode"] = "multi"
    if asked.get("networks") and not request.get("listen"):
        raise click.UsageError("--allow is for a Redis that listens for other hosts: it goes with --listen ADDRESS")
    return request


def _find_listening(request: Mapping[str, Any], found: Found) -> Listening:
    # Imported late: no other host needs it.
    from captchad.deployment.systemd.certificates import keep_certificates  # noqa: PLC0415

    address = request["listen"]
    networks = tuple(request.get("networks") or (host.find_network(address),))
    now = EPOCH + timedelta(milliseconds=Clock().now_ms())
    certificates = keep_certificates(found.files, address, socket.gethostname(), now)
    return Listening(address, networks, certificates, host.shipped_rights())


def _has_own_redis(loaded: LoadedConfiguration | None) -> bool:
    choice = choose_redis(loaded.configuration.redis) if loaded is not None else None
    return choice is None or (choice.url.startswith("unix:") and choice.url.endswith(layout.REDIS_SOCKET))
