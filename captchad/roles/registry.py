"""Starts a role by its name; only the chosen role's code is loaded."""

import importlib
from collections.abc import Sequence

import uvloop

from captchad.domain.node import Role
from captchad.roles.process import RoleOptions, RoleProcess
from captchad.runtime.service import Service

__all__ = ["RoleOptions", "check_browser_node", "run_browser_node", "run_role"]

BROWSER_NODE_MODULE = "captchad.roles.browser_node"


def run_role(role: Role, options: RoleOptions) -> int:
    """Run a role in the foreground until a signal or a failure; return the process's exit code.

    Raises ConfigurationError, or the failure that ended the role where it is one of ours.
    """
    return uvloop.run(_run(role, options))


async def _run(role: Role, options: RoleOptions) -> int:
    process = RoleProcess(role, options)
    # By name, so that a gateway never loads the browser's driver or the recogniser.
    module = importlib.import_module(f"captchad.roles.{role}")
    services: Sequence[Service] = module.compose(process)
    return await process.run(services)


def run_browser_node(config_path: str | None, host: str, port: int) -> int:
    """Run a node of browsers in the foreground, as `run_role` does a role."""
    code: int = uvloop.run(importlib.import_module(BROWSER_NODE_MODULE).run_node(config_path, host, port))
    return code


def check_browser_node(config_path: str | None, host: str, port: int) -> str:
    """Return the version of the Chromium that the node at this port serves; DependencyMissing where it does not."""
    version: str = uvloop.run(importlib.import_module(BROWSER_NODE_MODULE).check_node(config_path, host, port))
    return version
