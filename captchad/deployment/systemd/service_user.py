"""Runs a command to its end as the services run: their user, state folder, secrets and environment."""

import subprocess
from pathlib import Path
from typing import Any

from captchad.deployment.systemd import files, layout, systemctl
from captchad.deployment.systemd.configuration_files import read_request
from captchad.deployment.systemd.wanted import Found


def run_as_service(command: list[str], limit_seconds: int) -> "subprocess.CompletedProcess[str]":
    """Run a command; its exit code and what it printed come back, whatever they are."""
    request = read_host_request()
    properties = (
        "DynamicUser=yes",
        "User=captchad",
        "StateDirectory=captchad",
        "StateDirectoryMode=0700",
        "UMask=0077",
        f"Slice={layout.SLICE}",
        f"LoadCredential=secrets.json:{layout.SECRETS}",
        f"EnvironmentFile=-{layout.ENVIRONMENT_FILE}",
        f"Environment=HOME={layout.STATE_LINKS[0]} PLAYWRIGHT_BROWSERS_PATH={layout.BROWSERS_FOLDER}",
        f"Environment=ENVIRONMENT={request.get('environment', 'dev')} DEPLOYMENT_MODE={request.get('mode', 'single')}",
        "LimitNOFILE=65536",
    )
    return systemctl.run_as_unit(command, properties, limit_seconds)


def read_host_request() -> dict[str, Any]:
    """Return what was asked for last on this host."""
    file = files.read(Path(layout.DEPLOYMENT))
    return read_request(Found({layout.DEPLOYMENT: file} if file is not None else {}))
