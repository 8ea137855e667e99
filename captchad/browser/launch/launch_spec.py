"""Prepares how a browser is started here: as whom, in what environment, in which folder, with or without sandbox."""

import asyncio
import logging
import os
from dataclasses import dataclass, field
from pathlib import Path

from captchad.browser.launch.launcher import Launch, browser_environment, write_launcher
from captchad.browser.launch.profile_folder import Workspace
from captchad.browser.launch.sandbox import Confinement, explain_missing_namespaces, is_root, plan_confinement
from captchad.domain.errors import DependencyMissing

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class HeldProgram:
    """What to start in the browser's place, and how; `path` is what becomes `executable`."""

    executable: str
    path: str
    has_sandbox: bool
    environment: dict[str, str] = field(repr=False)


class BrowserHold:
    """Decides once how browsers of this process are held, and is loud where that is less than it should be.

    No process of a browser gets more than `process_bytes` of memory for its data.
    """

    def __init__(self, user_name: str, process_bytes: int, *, must_have_sandbox: bool) -> None:
        self._user_name = user_name
        self._process_bytes = process_bytes
        self._must_have_sandbox = must_have_sandbox
        self._workspace: Workspace | None = None
        self.confinement: Confinement | None = None

    @property
    def folder(self) -> Path:
        """Where the driver and its browsers keep their files."""
        self._workspace = self._workspace or Workspace()
        return self._workspace.path

    async def prepare(self, executable: str) -> HeldProgram:
        """Give what starts `executable`; DependencyMissing where production can't be given a sandbox."""
        if self.confinement is None:
            plan, is_ours = plan_confinement, is_root()
            self._take_over(await asyncio.to_thread(plan, self._user_name, executable, self.folder, is_root=is_ours))
        workspace = self._workspace = self._workspace or Workspace()
        confinement = self.confinement or Confinement()
        environment = browser_environment(os.environ, workspace.home, workspace.temporary)
        if confinement.user is not None:
            workspace.give_to(confinement.user.user_id, confinement.user.group_id)
        launch = Launch(executable, confinement.user, self._process_bytes)
        launcher = write_launcher(workspace.path, launch, workspace.home)
        return HeldProgram(executable, launcher, confinement.has_sandbox, environment)

    def give_up_sandbox(self) -> None:
        """Do without the sandbox from now on, as the system keeps it from working; DependencyMissing in production."""
        self._take_over((self.confinement or Confinement()).without_sandbox(explain_missing_namespaces()))

    async def remove_files(self) -> None:
        """Remove the folder; a later start makes another."""
        workspace, self._workspace = self._workspace, None
        if workspace is not None:
            await asyncio.to_thread(workspace.remove)

    def _take_over(self, confinement: Confinement) -> None:
        if not confinement.has_sandbox:
            if self._must_have_sandbox:
                raise DependencyMissing(f"production does not run a browser without its sandbox: {confinement.problem}")
            _logger.warning("pages run WITHOUT Chromium's sandbox: %s", confinement.problem)
        self.confinement = confinement
