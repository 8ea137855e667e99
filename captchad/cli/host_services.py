"""`captchad start`, `stop` and `restart`: this host's services under systemd."""

from collections.abc import Callable
from typing import Any

import click

from captchad.cli.printing import print_table, say
from captchad.deployment.systemd import host, layout, systemctl
from captchad.deployment.systemd.lock import lock_host
from captchad.domain.errors import DeploymentFailed
from captchad.runtime.clock import Clock

service_argument = click.argument("service", required=False)


@click.command()
@service_argument
def start(service: str | None) -> None:
    """Start all services of this host, or SERVICE, and wait until they are ready."""
    _act("start", service)


@click.command()
@service_argument
def stop(service: str | None) -> None:
    """Stop all services of this host, or SERVICE; workers finish what they do."""
    _act("stop", service)


@click.command()
@service_argument
def restart(service: str | None) -> None:
    """Restart all services of this host one after another, or SERVICE; callers of the gateway wait meanwhile."""
    _act("restart", service)


def print_units() -> None:
    """Print the services that systemd runs here; nothing where it runs none."""
    states = systemctl.read_units() if systemctl.is_running() else {}
    if not states:
        return
    rows = (
        # What one that has ended said last is no longer so.
        (state.name, f"{state.active} ({state.sub})", state.restarts, (state.is_up and state.status) or None)
        for state in states.values()
    )
    say("")
    print_table(("UNIT", "STATE", "RESTARTS", "DOES"), rows, "")


def _act(verb: str, service: str | None) -> None:
    host.check_rights()
    # A deploy that is under way starts and stops them too, and waits for them.
    lock_host()
    states = {name: state for name, state in systemctl.read_units().items() if name not in layout.TIMED_UNITS}
    if layout.TARGET not in states:
        raise DeploymentFailed("captchad is not deployed on this host: `captchad deploy` first")
    names = [name for name in states if name.endswith((".service", ".socket"))]
    units = host.find_named(service, names) if service is not None else tuple(sorted(names, key=_stop_order))
    _ACTS[verb](service, units)


def _start(service: str | None, units: tuple[str, ...]) -> None:
    sockets = _sockets_of(units)
    if sockets:
        # Before their services, which would take the ports themselves.
        systemctl.act("start", sockets)
    systemctl.act("start", units if service else (*units, layout.TARGET), waits=False)
    host.wait_until_ready(units, Clock(), lambda ready, total: None)
    _say_states(units)


def _stop(service: str | None, units: tuple[str, ...]) -> None:
    # A socket would start its service again with the next caller.
    systemctl.act("stop", (*units, *_sockets_of(units)) if service else (*units, layout.TARGET))
    _say_states(units)


def _restart(service: str | None, units: tuple[str, ...]) -> None:
    states = systemctl.read_units(units)
    resting = tuple(unit for unit in units if not states[unit].is_up)
    if resting:
        # All together, and their sockets first: one by one, a role would wait for a Redis that comes after it.
        _start(service, resting)
    for unit in (unit for unit in units if unit.endswith(".service") and unit not in resting):
        systemctl.act("restart", (unit,))
        say(f"{unit} is ready")


def _sockets_of(units: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(socket for socket in layout.SOCKETS.values() if socket.replace(".socket", ".service") in units)


def _say_states(units: tuple[str, ...]) -> None:
    for name, state in systemctl.read_units(units).items():
        say(f"{name} is {state.active}")


def _stop_order(unit: str) -> tuple[bool, str]:
    # Redis last.
    return unit == layout.REDIS_UNIT, unit


_ACTS: dict[str, Callable[[str | None, tuple[str, ...]], Any]] = {"start": _start, "stop": _stop, "restart": _restart}
