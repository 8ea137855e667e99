"""The options of `captchad deploy` that are about several hosts."""

from collections.abc import Callable, Mapping
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any, TypeVar

import click

from captchad.domain.node import Role

Command = TypeVar("Command", bound=Callable[..., Any])

READ_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def _read_address(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    try:
        return str(ip_address(value)) if value is not None else None
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def _read_networks(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    try:
        return tuple(str(ip_network(value)) for value in values)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def _refuse_empty(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    # As from a variable that nobody has set: taken for no option at all, this host would get a Redis of its own.
    if value is not None and not value.strip():
        raise click.BadParameter("it is empty; write the URL, or the FILE, of what is joined")
    return value


_OPTIONS = (
    click.option(
        "--listen",
        metavar="ADDRESS",
        callback=_read_address,
        help="Have this host's Redis listen at this address too, by TLS, for hosts that join.",
    ),
    click.option(
        "--allow",
        "networks",
        multiple=True,
        metavar="NETWORK",
        callback=_read_networks,
        help="With --listen: a network that may reach it.  [default: the one that ADDRESS is in]",
    ),
    click.option(
        "--join",
        metavar="URL|FILE",
        callback=_refuse_empty,
        help="Use the Redis of other hosts; FILE is what --listen has written.",
    ),
    click.option(
        "--role",
        "roles",
        multiple=True,
        type=click.Choice([role.value for role in Role]),
        help="A role that this host runs, once for each.  [default: all; with --join worker]",
    ),
    click.option(
        "--credentials", type=READ_FILE, metavar="FILE", help="With --join URL: its password, as JSON, else asked for."
    ),
    click.option("--ca", type=READ_FILE, metavar="FILE", help="With --join: the authority of its certificate (PEM)."),
)


def several_hosts_options(command: Command) -> Command:
    """Give a command the options."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def check_combination(asked: Mapping[str, Any]) -> None:
    """Refuse options that do not go together."""
    is_single = asked.get("mode") == "single"
    if "join" not in asked and asked.keys() & {"credentials", "ca"}:
        raise click.UsageError("--credentials and --ca go with --join")
    if "join" in asked and (is_single or asked.keys() & {"listen", "networks"}):
        raise click.UsageError("--join uses the Redis of other hosts: it goes neither with --listen nor with -m single")
    if "listen" in asked and is_single:
        raise click.UsageError("--listen is for several hosts: it does not go with -m single")
