"""What an operator does at the command line, with its entry in the audit log."""

import getpass
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from captchad.broker.audit_log import AuditLog
from captchad.broker.connection import Broker
from captchad.config.settings import Configuration
from captchad.domain.audit import DONE, Act
from captchad.domain.errors import CaptchadError


@dataclass(slots=True)
class OpenAct:
    """An act that is under way; what becomes known of it meanwhile is added to `object`."""

    object: dict[str, Any] = field(default_factory=dict)


@asynccontextmanager
async def audited(broker: Broker, configuration: Configuration, action: str, **object_: Any) -> AsyncIterator[OpenAct]:
    """Do something, and write down that it was done, or which error refused it."""
    act, log = OpenAct(object_), AuditLog(broker, configuration.security.audit_log)
    try:
        yield act
    except Exception as error:
        code = error.code if isinstance(error, CaptchadError) else CaptchadError.code
        await log.append([_make(action, code, act).encode()])
        raise
    await log.append([_make(action, DONE, act).encode()])


def _make(action: str, outcome: str, act: OpenAct) -> Act:
    return Act(action, outcome, actor=name_operator(), object=act.object)


def name_operator() -> str:
    """Return who runs this process, by name and host."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        # A container may run under a number that has no name.
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"
