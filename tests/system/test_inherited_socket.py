"""A role that systemd hands its socket to: where that listens decides what the role must have."""

import os
import socket
import subprocess
import sys
from pathlib import Path

# Descriptor 3 and LISTEN_PID, as systemd gives them.
HANDED_OVER = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ |= {"LISTEN_FDS": "1", "LISTEN_PID": str(os.getpid())}
os.execv(sys.executable, [sys.executable, "-m", "captchad", "--role=gateway"])
"""


def test_one_that_listens_beyond_this_machine_needs_api_keys(tmp_path: Path) -> None:
    with socket.create_server(("0.0.0.0", 0)) as held:
        done = subprocess.run(
            [sys.executable, "-c", HANDED_OVER, str(held.fileno())],
            env={**os.environ, "CAPTCHAD_STATE_DIRECTORY": str(tmp_path)},
            cwd=tmp_path,
            pass_fds=(held.fileno(),),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 1
    assert "the gateway does not listen on 0.0.0.0 without API keys" in done.stderr
