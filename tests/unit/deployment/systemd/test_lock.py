import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from captchad.deployment.systemd import lock
from captchad.domain.errors import DeploymentFailed

HOLDS_AFTER_EXEC = """
import os, sys
from pathlib import Path
from captchad.deployment.systemd import lock
lock.LOCK = Path(sys.argv[1])
lock.lock_host()
if len(sys.argv) == 2:
    os.execv(sys.executable, [sys.executable, "-c", os.environ["PROGRAM"], sys.argv[1], "again"])
print("holds", flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def _own_lock(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(lock, "LOCK", tmp_path / "lock")
    monkeypatch.setenv(lock.HELD, "")
    monkeypatch.delenv(lock.HELD)


def test_a_second_change_of_the_host_is_refused_until_the_first_has_ended() -> None:
    with lock.LOCK.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(DeploymentFailed, match="another captchad is changing this host"):
            lock.lock_host()
    lock.lock_host()
    os.close(int(os.environ[lock.HELD]))


def test_a_release_that_goes_on_in_the_same_process_holds_the_host_still() -> None:
    program = [sys.executable, "-c", HOLDS_AFTER_EXEC, str(lock.LOCK)]
    with subprocess.Popen(
        program, env=os.environ | {"PROGRAM": HOLDS_AFTER_EXEC}, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"holds\n"
        with pytest.raises(DeploymentFailed, match="another captchad"):
            lock.lock_host()
        child.kill()
    lock.lock_host()
    os.close(int(os.environ[lock.HELD]))


def test_a_place_that_cant_be_locked_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(lock, "LOCK", tmp_path / "absent/lock")
    with pytest.raises(DeploymentFailed, match=r"absent/lock can't be locked: No such file or directory"):
        lock.lock_host()
