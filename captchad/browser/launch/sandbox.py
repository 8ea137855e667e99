"""Decides which user the browser runs as and whether its sandbox is on, and explains where it is not."""

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

PROBE_SECONDS = 10
DROP_COMMAND = "setpriv"
SANDBOX_SIGNS = ("No usable sandbox", "sandboxing failed", "setuid sandbox", "Failed to move to new namespace")
"""Messages of Chromium, or of the driver, where the sandbox does not work on this system."""

_NAMESPACE_LIMITS = (
    ("/proc/sys/user/max_user_namespaces", "0", "user.max_user_namespaces is 0; set it to some thousands with sysctl"),
    (
        "/proc/sys/kernel/unprivileged_userns_clone",
        "0",
        "kernel.unprivileged_userns_clone is 0; set it to 1 with sysctl",
    ),
    (
        "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
        "1",
        "AppArmor keeps user namespaces from programs without a profile; give the browser one, or set "
        "kernel.apparmor_restrict_unprivileged_userns to 0 with sysctl",
    ),
)


@dataclass(frozen=True, slots=True)
class BrowserUser:
    """An account without privileges."""

    name: str
    user_id: int
    group_id: int

    def drop_command(self) -> list[str]:
        """Return the command that runs what follows as this user, with no way to regain privileges."""
        return [
            DROP_COMMAND,
            f"--reuid={self.user_id}",
            f"--regid={self.group_id}",
            "--clear-groups",
            "--inh-caps=-all",
            # Without a bounding set and with no-new-privs, no setuid program gives anything back.
            "--bounding-set=-all",
            "--no-new-privs",
            "--",
        ]


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A browser's sandbox: `user` is None where it runs as captchad does, `problem` says why it has no sandbox."""

    user: BrowserUser | None = None
    has_sandbox: bool = True
    problem: str = ""

    def without_sandbox(self, problem: str) -> "Sandbox":
        """Return the same with the sandbox off."""
        return replace(self, has_sandbox=False, problem=problem)

    def describe(self) -> str:
        """Describe it in a few words."""
        sandbox = "on" if self.has_sandbox else "off"
        return f"{sandbox}, as {self.user.name}" if self.user is not None else sandbox


def plan_sandbox(user_name: str, executable: str, folder: Path, *, is_root: bool) -> Sandbox:
    """Decide how `executable` runs with its files in `folder`.

    Chromium refuses its sandbox to root, so root's browser runs as `user_name`; where that is impossible, it runs
    as root without its sandbox, and the problem is named.
    """
    if not is_root:
        return Sandbox()
    found = _find_user(user_name)
    if isinstance(found, str):
        return Sandbox(has_sandbox=False, problem=found)
    obstacle = _find_obstacle(found, executable, folder)
    return Sandbox(has_sandbox=False, problem=obstacle) if obstacle else Sandbox(found)


def is_sandbox_failure(message: str) -> bool:
    """Whether a browser that did not start says that its sandbox is the reason."""
    return any(sign in message for sign in SANDBOX_SIGNS)


def explain_missing_namespaces() -> str:
    """Say why Chromium can't make the namespaces its sandbox consists of, and how to fix it."""
    for path, barring, reason in _NAMESPACE_LIMITS:
        if _read(path) == barring:
            return f"Chromium's sandbox can't work here: {reason}"
    return (
        "Chromium's sandbox can't work here: it may not make user namespaces, which a container's seccomp profile or a "
        "unit's RestrictNamespaces forbids; permit unshare and clone with CLONE_NEWUSER, CLONE_NEWPID and CLONE_NEWNET"
    )


def _find_user(name: str) -> BrowserUser | str:
    try:
        account = pwd.getpwnam(name)
    except KeyError:
        return f"there is no user {name}; name an account without privileges in browser.user"
    if account.pw_uid == 0:
        return f"browser.user is {name}, which is root; name an account without privileges"
    if shutil.which(DROP_COMMAND) is None:
        return f"{DROP_COMMAND}, which would run the browser as {name}, is missing; install util-linux"
    return BrowserUser(name, account.pw_uid, account.pw_gid)


def _find_obstacle(user: BrowserUser, executable: str, folder: Path) -> str:
    """Try it as that user, since only the kernel knows everything that may forbid it; empty where nothing does."""
    for path in (executable, str(folder.parent)):
        test = ["/bin/sh", "-c", 'test -x "$1"', "sh", path]
        try:
            asked = subprocess.run(  # noqa: S603 - fixed programs; the path is an argument
                [*user.drop_command(), *test], capture_output=True, text=True, timeout=PROBE_SECONDS, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return f"nothing can be run as {user.name}: {error}"
        if asked.stderr.strip():
            return f"nothing can be run as {user.name}: {asked.stderr.strip().splitlines()[0]}"
        if asked.returncode != 0:
            return (
                f"the user {user.name} may not pass to {path}; let it, install a browser for everybody "
                "(PLAYWRIGHT_BROWSERS_PATH=/opt/captchad/browsers playwright install chromium-headless-shell), "
                "or name another user in browser.user"
            )
    return ""


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="ascii").strip()
    except OSError:
        return ""


def is_root() -> bool:
    """Whether this process is root's."""
    return os.geteuid() == 0
