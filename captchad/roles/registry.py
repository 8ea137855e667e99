"""Starts a role by its name; only the chosen role's code is loaded."""

import importlib
from collections.abc import Sequence

import uvloop

from captchad.domain.node import Role
from captchad.roles.process import RoleOptions, RoleProcess
from captchad.runtime.service import Service

__all__ = ["RoleOptions", "run_role"]


def run_role(role: Role, options: RoleOptions) -> int:
    """Run a role in the foreground until a signal or a failure; give the process's exit code.

    Raises ConfigurationError, or the failure that ended the role where it is one of ours.
    """
    return uvloop.run(_run(role, options))


async def _run(role: Role, options: RoleOptions) -> int:
    process = RoleProcess(role, options)
    module = importlib.import_module(f"captchad.roles.{role}")
    services: Sequence[Service] = module.compose(process)
    return await process.run(services)
