"""The short variant of `make prove-operations`, in a systemd that is booted for it where one can be had."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
BOOT = ROOT / "scripts/testing/boot_systemd.sh"
NO_BOOT = int(re.findall(r"^EXIT_NO_BOOT=(\d+)$", BOOT.read_text(), re.MULTILINE)[0])


def test_a_host_is_deployed_to_and_operated() -> None:
    done = subprocess.run(
        ["bash", "scripts/testing/try_operations.sh"],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode == NO_BOOT:
        # Told in the run's summary, and counted in its last line.
        pytest.skip(done.stdout.strip().splitlines()[-1])
    assert done.returncode == 0, done.stdout
    assert "operations are as promised, in short" in done.stdout


def test_where_no_systemd_can_be_booted_the_reason_is_said() -> None:
    script = f"source {BOOT}; type() {{ false; }}; id() {{ echo 0; }}; check_boot"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)
    reason = "no systemd can be booted here: there is no systemd-nspawn: apt-get install systemd-container\n"
    assert (done.returncode, done.stderr) == (NO_BOOT, reason)
