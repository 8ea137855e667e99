"""Lets one process at a time change this host."""

import fcntl
import os
from pathlib import Path

from captchad.domain.errors import DeploymentFailed

LOCK = Path("/run/captchad-deploy.lock")
HELD = "CAPTCHAD_DEPLOY_LOCK"
"""Names the descriptor to the release that goes on in this process."""


def lock_host() -> None:
    """Hold this host until the process ends, or whoever goes on in it; DeploymentFailed where somebody else does."""
    if HELD in os.environ:
        return
    try:
        descriptor = os.open(LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise DeploymentFailed("another captchad is changing this host; wait until it has ended") from None
    except OSError as error:
        raise DeploymentFailed(f"{LOCK} can't be locked: {error.strerror}") from error
    os.set_inheritable(descriptor, True)
    os.environ[HELD] = str(descriptor)
