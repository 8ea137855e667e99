"""What a host must have before anything is changed on it, and what it should have."""

import os
import shutil
import sys
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

import psutil

from captchad.cli.doctor.browser import check_browser
from captchad.cli.doctor.finding import CheckStatus
from captchad.cli.doctor.machine import check_fonts, check_shared_memory
from captchad.config.browser_choice import choose_browser
from captchad.config.settings import Configuration
from captchad.deployment.free_ports import is_free
from captchad.deployment.systemd import host, layout, systemctl
from captchad.deployment.systemd.configuration_files import read_request
from captchad.deployment.systemd.installation import check_copyable
from captchad.deployment.systemd.steps import Install, Step
from captchad.deployment.systemd.wanted import Found, Listening
from captchad.domain.errors import DeploymentFailed
from captchad.domain.node import Role
from captchad.domain.ports import LOOPBACK_HOST, REDIS_PORT, ROLE_PORTS
from captchad.runtime.port_holder import describe_holder

GIBIBYTE = 1024**3
MEMORY_WANTED_GIB = 8
MEMORY_TOLERANCE_GIB = 0.5
"""What firmware and kernel keep of the memory that a host is sold with."""
PROCESSORS_WANTED = 4
DISK_WANTED_GIB = 20
DISK_NEEDED_GIB = 1.5
BROWSERS_VARIABLE = "PLAYWRIGHT_BROWSERS_PATH"


def check_host(*, is_copying: bool) -> None:
    """Raise DeploymentFailed where this host can't be deployed to; `is_copying` the environment that runs this."""
    host.check_rights()
    problem = check_copyable() if is_copying and not sys.prefix.startswith(layout.PROGRAM_FOLDER) else ""
    if problem:
        raise DeploymentFailed(problem)


def check_ports(roles: Collection[Role], found: Found, listening: Listening | None = None) -> None:
    """Raise DeploymentFailed where somebody else has a port of the roles, or of a Redis that is to listen."""
    for message in _find_taken_ports(roles):
        raise DeploymentFailed(message)
    is_new = listening is not None and read_request(found).get("listen") != listening.address
    if listening is not None and is_new and not is_free(listening.address, REDIS_PORT):
        holder = describe_holder(REDIS_PORT)
        raise DeploymentFailed(f"port {REDIS_PORT}, Redis's, is taken by {holder}; stop that one first")


def check_room(steps: Iterable[Step]) -> None:
    """Raise DeploymentFailed where steps would install more than the disk has room for."""
    free_gib = _free_gib()
    if free_gib < DISK_NEEDED_GIB and any(isinstance(step, Install) for step in steps):
        raise DeploymentFailed(
            f"the disk of {layout.PROGRAM_FOLDER} has {free_gib:.1f} GiB free; {DISK_NEEDED_GIB} are needed"
        )


def examine_browser(configuration: Configuration) -> Iterator[str]:
    """Return what `doctor` doubts of the browsers on this host; DeploymentFailed where a worker would not come up."""
    # Where the units look for one that was downloaded.
    os.environ[BROWSERS_VARIABLE] = layout.BROWSERS_FOLDER
    for finding in (check_shared_memory(), check_fonts(), *check_browser(configuration)):
        line = f"{finding.subject}: {finding.found}; {finding.fix}"
        # A browser elsewhere may come later, and the units run as another user than this process's trial.
        is_certain = finding.subject == "browser" and choose_browser(configuration).backend == "launch"
        if finding.status is CheckStatus.FAIL and is_certain:
            raise DeploymentFailed(line)
        if finding.status is not CheckStatus.OK:
            yield line


def find_warnings() -> Iterator[str]:
    """Return what is less than a host of captchad's should have."""
    memory_gib = psutil.virtual_memory().total / GIBIBYTE
    if memory_gib < MEMORY_WANTED_GIB - MEMORY_TOLERANCE_GIB:
        yield f"{memory_gib:.1f} GiB of memory; {MEMORY_WANTED_GIB} are recommended"
    processors = os.cpu_count() or 1
    if processors < PROCESSORS_WANTED:
        yield f"{processors} processors; {PROCESSORS_WANTED} are recommended"
    if _free_gib() < DISK_WANTED_GIB:
        yield f"{_free_gib():.1f} GiB of disk free; {DISK_WANTED_GIB} are recommended"


def _free_gib() -> float:
    folder = Path(layout.PROGRAM_FOLDER)
    return shutil.disk_usage(folder if folder.exists() else folder.parent).free / GIBIBYTE


def _find_taken_ports(roles: Collection[Role]) -> Iterator[str]:
    states = systemctl.read_units()
    for role, port in ROLE_PORTS.items():
        # Workers take the next free port.
        if role is Role.WORKER or role not in roles or is_free(LOOPBACK_HOST, port):
            continue
        ours = (layout.role_unit(role), layout.SOCKETS.get(role, ""))
        if not any(states[unit].is_up for unit in ours if unit in states):
            yield f"port {port}, the {role}'s, is taken by {describe_holder(port)}; stop that one first"
