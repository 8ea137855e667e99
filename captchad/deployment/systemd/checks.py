"""What an upgrade has releases do before it: the one that runs makes a backup, the other judges this host."""

import json
import subprocess

from captchad.deployment.systemd import layout
from captchad.deployment.systemd.service_user import read_host_request, run_as_service
from captchad.deployment.systemd.steps import By
from captchad.domain.errors import DeploymentFailed
from captchad.domain.node import Role

CHECK_LIMIT_SECONDS = 120
BACKUP_LIMIT_SECONDS = 3600
OF_WORKERS = frozenset({"browser", "sandbox"})
"""The subjects of `doctor` that do not matter on a host without workers."""


def back_up() -> None:
    """Have the release that runs make a backup into the state folder."""
    done = run_as_service([f"{layout.CURRENT}/bin/captchad", "backup", "--json"], BACKUP_LIMIT_SECONDS)
    if done.returncode:
        reason = last_line(done.stderr).removeprefix("captchad: ")
        raise DeploymentFailed(f"no backup could be made, and nothing was changed: {reason}")


def check_release(release: str, by: By) -> None:
    """Raise DeploymentFailed, in one line, where a release finds something wrong."""
    program = layout.program_path(release)
    if by == "deploy --dry-run":
        _check_plan(program)
        return
    options = ["--json", layout.CONFIGURATION] if by == "config check" else ["--json", "--config", layout.CONFIGURATION]
    done = run_as_service([program, *by.split(), *options], CHECK_LIMIT_SECONDS)
    has_workers = Role.WORKER in read_host_request().get("roles", [Role.WORKER])
    faults = read_faults(by, done.stdout, done.stderr, has_workers=has_workers)
    if faults:
        said = "; ".join(faults)
        raise DeploymentFailed(f"captchad {release} would not do here, and nothing was changed: {by}: {said}")


def read_faults(by: By, output: str, complaints: str, *, has_workers: bool) -> list[str]:
    """Return what a release's check has found wrong, from its JSON; what is doubtful alone is not among it."""
    try:
        found = json.loads(output)
    except ValueError:
        return [last_line(complaints or output)]
    if by == "config check":
        return [f"{one['path']}: {one['message']}".removeprefix(": ") for one in found["problems"]]
    return [
        f"{one['subject']}: {one['found']} ({one['fix']})"
        for one in found
        if one["status"] == "fail" and (has_workers or one["subject"] not in OF_WORKERS)
    ]


def _check_plan(program: str) -> None:
    try:
        done = subprocess.run(  # noqa: S603 - a program that was installed as root
            [program, "deploy", "--dry-run"],
            capture_output=True,
            text=True,
            timeout=CHECK_LIMIT_SECONDS,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise DeploymentFailed(f"{program} can't be run: {error}") from error
    if done.returncode:
        reason = last_line(done.stderr).removeprefix("captchad: ")
        raise DeploymentFailed(f"{program} can't plan its deploy, and nothing was changed: {reason}")


def last_line(text: str) -> str:
    """Return the last line of what a command has printed."""
    return (text.strip() or "it says nothing").splitlines()[-1]
