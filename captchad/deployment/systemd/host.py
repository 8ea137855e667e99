"""Looks at a host, and does to it what a plan says."""

import os
import re
import sys
from collections.abc import Callable, Iterable
from importlib.resources import files as package_files
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import NoReturn

from captchad.deployment.examples import EXAMPLES
from captchad.deployment.systemd import files, layout, systemctl
from captchad.deployment.systemd.checks import back_up, check_release
from captchad.deployment.systemd.installation import find_installed, install
from captchad.deployment.systemd.origins import Origin
from captchad.deployment.systemd.service_names import ELSEWHERE, find_units
from captchad.deployment.systemd.steps import (
    BackUp,
    Check,
    Disable,
    Enable,
    HandOver,
    Install,
    Link,
    Reload,
    ReloadUnits,
    RemoveAllBut,
    RemovePath,
    Restart,
    Start,
    Step,
    Stop,
    WaitHealthy,
    WriteFile,
)
from captchad.deployment.systemd.wanted import Found, FoundFile
from captchad.domain.errors import DeploymentFailed
from captchad.runtime.clock import Clock

READY_LIMIT_SECONDS = 120.0
POLL_SECONDS = 0.3
RESTARTS_ALLOWED = 3
ADDRESSES_SHOWN = 8
SETTLED_SECONDS = 3.0
"""A unit that a deploy waits for has been ready for so long: one that ends right after its start has not come up."""

Progress = Callable[[int, int], None]


def shipped_units() -> dict[str, str]:
    """Return the unit files that came with captchad."""
    folder = package_files("captchad.deployment") / "files" / "systemd"
    return {file.name: file.read_text(encoding="utf-8") for file in folder.iterdir()}


def shipped_rights() -> str:
    """Return the rights in Redis that captchad needs, in the words of the example that came with it."""
    found = re.search(r"^user \w+ on >\S+ (.+)$", EXAMPLES["redis-acl"].read(), re.MULTILINE)
    assert found is not None
    return found[1]


def find_network(address: str) -> str:
    """Return the network that an address of this host is in; DeploymentFailed where it has no such address."""
    # Imported late: commands that only look at services come without any extra.
    import psutil  # noqa: PLC0415

    own = {one.address: one for addresses in psutil.net_if_addrs().values() for one in addresses if one.netmask}
    if address not in own:
        there = ", ".join(sorted(own, key=lambda one: (":" in one, one))[:ADDRESSES_SHOWN])
        raise DeploymentFailed(f"this host has no address {address!r} to listen on; it has {there}")
    mask = ip_address(str(own[address].netmask))
    return str(ip_network(f"{address}/{int(mask).bit_count()}", strict=False))


def look() -> Found:
    """Return the host as it is."""
    units = systemctl.read_units()
    return Found(
        files=_find_files(),
        links=_find_links((layout.CURRENT, layout.PREVIOUS, layout.COMMAND, layout.REDIS_PROGRAM)),
        installed=find_installed(),
        needs_reload=any(unit.needs_reload for unit in units.values()),
        enabled=frozenset(name for name, unit in units.items() if unit.is_enabled),
        active=frozenset(name for name, unit in units.items() if unit.is_up),
    )


def perform(step: Step, origin: Origin | None, clock: Clock, progress: Progress) -> None:
    """Do one step; DeploymentFailed says in one line why it can't be done."""
    match step:
        case Install(release, digest):
            install(release, digest, origin)
        case BackUp():
            back_up()
        case Check(release, by):
            check_release(release, by)
        case HandOver(release):
            hand_over(release)
        case Link(path, target):
            files.link(Path(path), target)
        case WriteFile(path, text, mode, _):
            files.write(Path(path), text, mode)
        case RemovePath(path):
            files.remove(Path(path))
        case RemoveAllBut(path, kept):
            files.remove_all_but(Path(path), kept)
        case WaitHealthy(units):
            wait_until_ready(units, clock, progress, SETTLED_SECONDS)
        case _:
            _tell_systemd(step)


def hand_over(release: str) -> NoReturn:
    """Go on as the deploy of another release, in this very process: whoever ends it ends that one."""
    program = layout.program_path(release)
    sys.stdout.flush()
    try:
        os.execv(program, [program, "deploy"])  # noqa: S606 - a program that was installed as root
    except OSError as error:
        raise DeploymentFailed(f"{program} can't be run: {error.strerror}") from error


def _tell_systemd(step: ReloadUnits | Enable | Disable | Start | Restart | Reload | Stop) -> None:
    match step:
        case ReloadUnits():
            systemctl.reload_units()
        case Enable(units):
            systemctl.act("enable", units)
        case Disable(units):
            systemctl.act("disable", units)
        case Start(units):
            systemctl.act("start", units, waits=False)
        case Restart(unit):
            systemctl.act("restart", (unit,))
        case Reload(unit):
            # One that is on its way up, or ends and is started again, has nobody yet who would hear of a reload.
            is_active = systemctl.read_units((unit,))[unit].is_active
            systemctl.act("reload" if is_active else "restart", (unit,))
        case Stop(units):
            systemctl.act("stop", units)


def wait_until_ready(units: tuple[str, ...], clock: Clock, progress: Progress, settled_seconds: float = 0.0) -> None:
    """Return once every unit is active, by its own notice; DeploymentFailed has the last lines of one that fails."""
    import asyncio  # noqa: PLC0415

    before = {name: unit.restarts for name, unit in systemctl.read_units(units).items()}
    deadline = clock.monotonic_seconds() + READY_LIMIT_SECONDS
    while True:
        states = systemctl.read_units(units)
        now = clock.monotonic_seconds()
        ready = sum(
            state.is_active and now - state.active_since_seconds >= settled_seconds for state in states.values()
        )
        progress(ready, len(units))
        if ready == len(units):
            return
        for name, state in states.items():
            is_hopeless = state.active == "failed" or state.restarts - before.get(name, 0) >= RESTARTS_ALLOWED
            if is_hopeless or (not state.is_active and now > deadline):
                raise DeploymentFailed(systemctl.describe_failure(name))
        missing = [unit for unit in units if unit not in states]
        if missing:
            raise DeploymentFailed(f"systemd knows no {missing[0]}")
        asyncio.run(clock.sleep(POLL_SECONDS))


def _find_files() -> dict[str, FoundFile]:
    units = Path(layout.UNIT_FOLDER)
    stamps = Path(layout.STAMP_FOLDER)
    kept = (*layout.OWN_FILES, layout.ENVIRONMENT_FILE, layout.SWITCH)
    paths = [Path(path) for path in kept]
    if units.is_dir():
        paths += [path for path in units.glob("captchad*") if path.is_file() and not path.is_symlink()]
        paths += units.glob(f"captchad*.d/{layout.DROP_IN}")
    paths += stamps.iterdir() if stamps.is_dir() else ()
    read = ((str(path), files.read(path)) for path in paths)
    return {path: file for path, file in read if file is not None}


def _find_links(paths: Iterable[str]) -> dict[str, str]:
    return {path: str(Path(path).readlink()) for path in paths if Path(path).is_symlink()}


def check_rights() -> None:
    """Raise DeploymentFailed, in one line, where this process can't change the host."""
    if not systemctl.is_running():
        raise DeploymentFailed("this host is not run by systemd; `captchad up` runs everything without it")
    if os.geteuid() != 0:
        raise DeploymentFailed("only root may change units of systemd: run it again with sudo")


def find_named(service: str, names: Iterable[str]) -> tuple[str, ...]:
    """Return the units of a service's name, among these of captchad's and those that are the host's own."""
    elsewhere = systemctl.read_units([ELSEWHERE[service]]) if service in ELSEWHERE else ()
    return find_units(service, (*names, *elsewhere))
