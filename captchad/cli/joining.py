"""`captchad deploy --join`: reads what is joined, and sees that it can be, before anything is changed."""

import socket
import ssl
import sys
from collections.abc import MutableMapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from captchad.broker.partition_count import count_partitions
from captchad.cli.broker_connection import PATIENT_LIMIT_SECONDS, open_broker, run_connected
from captchad.cli.wanted_host import check_rules, load_wanted
from captchad.config.loader import LoadedConfiguration
from captchad.config.redis_choice import choose_redis_or_local
from captchad.config.settings import Configuration
from captchad.deployment.systemd import layout
from captchad.deployment.systemd.configuration_files import read_secrets
from captchad.deployment.systemd.joining import SENTINEL_SCHEME, Credentials, check_url, find_joining, read_credentials
from captchad.deployment.systemd.wanted import Found, Joining, Wanted
from captchad.domain.errors import CaptchadError, DeploymentFailed
from captchad.domain.ports import show_host

OTHER_NAME_CODES = frozenset({62, 64})
"""OpenSSL's numbers for a certificate of another host name, and of another address."""


def read_joining(asked: MutableMapping[str, Any], found: Found) -> Joining | None:
    """Take what is to be joined out of what is asked; None where nothing is.

    The environment that a file names is asked for, unless another one is.
    """
    place, credentials, ca = (asked.pop(name, None) for name in ("join", "credentials", "ca"))
    if place is None:
        return None
    if layout.REDIS_CONFIGURATION in found.files:
        raise DeploymentFailed(
            "this host has a Redis of its own, whose tasks would be left behind: `captchad backup` if they matter, "
            "then `captchad undeploy --purge`, then join"
        )
    given = _read_given(place, credentials, is_ca_given=ca is not None)
    url = given.url if "://" not in place else place
    check_url(url)
    session_key = given.session_key or _find_session_key(found)
    for name, value in (("password", given.password), ("session_key", session_key)):
        if not value:
            raise DeploymentFailed(f"{credentials or place} has no {name!r}")
    if given.environment:
        asked.setdefault("environment", given.environment)
    authority = _read_text(ca) if ca is not None else given.ca
    return find_joining(url, replace(given, session_key=session_key, ca=authority))


def check_joining(wanted: Wanted, found: Found) -> None:
    """Raise an error, in one line, where the roles could not work with what is joined."""
    with load_wanted(wanted, found) as configuration:
        check_rules(wanted, configuration)
        _check_certificates(configuration)
        theirs, own = run_connected(_count_partitions(configuration)), configuration.redis.partitions
    if theirs not in (0, own):
        raise DeploymentFailed(
            f"the other hosts have redis.partitions {theirs}, and {layout.CONFIGURATION} has {own} here: "
            "it must be the same on all; nothing was changed"
        )


def _read_given(place: str, credentials: Path | None, *, is_ca_given: bool) -> Credentials:
    if "://" not in place:
        if credentials is not None:
            raise click.UsageError("--join FILE has the credentials in it: --credentials goes with a URL")
        return _read(Path(place))
    # Before anybody is asked for a password.
    check_url(place)
    return _read(credentials) if credentials is not None else _ask(place, is_ca_given=is_ca_given)


def _ask(url: str, *, is_ca_given: bool) -> Credentials:
    if not sys.stdin.isatty():
        raise click.UsageError("--join URL needs --credentials FILE: there is no terminal to ask for the password at")
    password = _prompt("Password of the Redis", is_secret=True)
    has_sentinels = url.startswith(f"{SENTINEL_SCHEME}:")
    sentinel = (
        _prompt("Password of its Sentinels (empty: none)", is_secret=True, may_be_empty=True) if has_sentinels else ""
    )
    session_key = _prompt(f"Session key (security.session_key in {layout.SECRETS} of another host)", is_secret=True)
    ca = "" if is_ca_given else _prompt("File of the authority (empty: those this system trusts)", may_be_empty=True)
    return Credentials(
        password=password, sentinel_password=sentinel, session_key=session_key, ca=_read_text(Path(ca)) if ca else ""
    )


def _prompt(words: str, *, is_secret: bool = False, may_be_empty: bool = False) -> str:
    default = "" if may_be_empty else None
    return str(click.prompt(words, hide_input=is_secret, default=default, show_default=False, err=True))


def _read(file: Path) -> Credentials:
    return read_credentials(_read_text(file), str(file))


def _read_text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        raise DeploymentFailed(f"{file} can't be read: {getattr(error, 'strerror', None) or error}") from None


def _find_session_key(found: Found) -> str:
    file = found.files.get(layout.SECRETS)
    secrets = read_secrets(file.text if file is not None else None)
    return str(secrets.get("security", {}).get("session_key", ""))


def _check_certificates(configuration: Configuration) -> None:
    """Tell a certificate that is not trusted from a Redis that does not answer: of that the visit tells."""
    try:
        context = ssl.create_default_context(cafile=configuration.redis.tls.ca_file)
    except OSError as error:
        raise DeploymentFailed(f"the authority (--ca) is no certificate in PEM: {error.strerror or error}") from None
    for host, port in choose_redis_or_local(configuration.redis).hosts:
        try:
            with socket.create_connection((host, port), PATIENT_LIMIT_SECONDS) as plain:
                context.wrap_socket(plain, server_hostname=host).close()
        except ssl.SSLCertVerificationError as error:
            is_of_other = error.verify_code in OTHER_NAME_CODES
            fault = "for another name" if is_of_other else "not by the authority that was given (--ca)"
            raise DeploymentFailed(
                f"this host can't join, and nothing was changed: the certificate of {show_host(host)}:{port} is {fault}"
            ) from None
        except OSError:
            continue


async def _count_partitions(configuration: Configuration) -> int:
    """Visit the Redis as a role would; return how many partitions the others have, 0 where that is not known yet."""
    try:
        async with open_broker(LoadedConfiguration(configuration, None, {}), PATIENT_LIMIT_SECONDS) as broker:
            return await count_partitions(broker)
    except CaptchadError as error:
        reason = error.message.removeprefix("redis: ")
        raise DeploymentFailed(f"this host can't join, and nothing was changed: {reason}") from error
