"""Prepares how a local browser is started: its user, environment and folder, with or without sandbox."""

import asyncio
import os
from dataclasses import dataclass, field
from pathlib import Path

from captchad.browser.launch.launcher import Launch, browser_environment, write_launcher
from captchad.browser.launch.profile_folder import ProfileFolder
from captchad.browser.launch.sandbox import Sandbox, explain_missing_namespaces, is_root, plan_sandbox
from captchad.domain.errors import DependencyMissing
from captchad.telemetry.logs import shared_logger

_logger = shared_logger(__name__)


@dataclass(frozen=True, slots=True)
class LaunchSpec:
    """What the driver starts, and how; `path` is the launcher, which becomes `executable`."""

    executable: str
    path: str
    has_sandbox: bool
    environment: dict[str, str] = field(repr=False)


class SandboxPolicy:
    """Decides once how this process sandboxes its browsers, and warns where that is less than it should be.

    No browser process gets more than `process_bytes` of data memory.
    """

    def __init__(self, user_name: str, process_bytes: int, *, must_have_sandbox: bool) -> None:
        self._user_name = user_name
        self._process_bytes = process_bytes
        self._must_have_sandbox = must_have_sandbox
        self._folder: ProfileFolder | None = None
        self.sandbox: Sandbox | None = None

    @property
    def folder(self) -> Path:
        """Where the driver and its browsers keep their files."""
        self._folder = self._folder or ProfileFolder()
        return self._folder.path

    async def prepare(self, executable: str) -> LaunchSpec:
        """Return the spec that starts `executable`; DependencyMissing where production has no sandbox."""
        if self.sandbox is None:
            # In a thread: the plan runs programs as the other user.
            plan, is_ours = plan_sandbox, is_root()
            self._take_over(await asyncio.to_thread(plan, self._user_name, executable, self.folder, is_root=is_ours))
        folder = self._folder = self._folder or ProfileFolder()
        sandbox = self.sandbox or Sandbox()
        environment = browser_environment(os.environ, folder.home, folder.temporary)
        if sandbox.user is not None:
            # At every start: the folder may be a new one since the plan was made.
            folder.give_to(sandbox.user.user_id, sandbox.user.group_id)
        launch = Launch(executable, sandbox.user, self._process_bytes)
        launcher = write_launcher(folder.path, launch, folder.home)
        return LaunchSpec(executable, launcher, sandbox.has_sandbox, environment)

    def give_up_sandbox(self) -> None:
        """Go on without the sandbox, since it does not work on this system; DependencyMissing in production."""
        self._take_over((self.sandbox or Sandbox()).without_sandbox(explain_missing_namespaces()))

    async def remove_files(self) -> None:
        """Remove the folder; a later start creates another."""
        folder, self._folder = self._folder, None
        if folder is not None:
            await asyncio.to_thread(folder.remove)

    def _take_over(self, sandbox: Sandbox) -> None:
        if not sandbox.has_sandbox:
            if self._must_have_sandbox:
                raise DependencyMissing(f"production does not run a browser without its sandbox: {sandbox.problem}")
            _logger.warning("pages run WITHOUT Chromium's sandbox: %s", sandbox.problem)
        self.sandbox = sandbox
