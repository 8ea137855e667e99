"""The script that proves the deployment guide: it finds in the document what it runs."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parents[3] / "scripts" / "testing"


def run(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SCRIPTS / script), *arguments], capture_output=True, text=True, check=False
    )


def test_the_guide_becomes_a_script_that_a_shell_can_read() -> None:
    made = run("guide_commands.py")
    assert made.returncode == 0, made.stderr
    checked = subprocess.run(["bash", "-n"], input=made.stdout, capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")
    assert "captchad restore ./backup/captchad.backup --replace\n" in made.stdout
    # Nothing of what is replaced is left in what runs.
    what_runs = re.sub(r"^cat <<'SHOWN'$.*?^SHOWN$", "", made.stdout, flags=re.MULTILINE | re.DOTALL)
    assert not re.findall(r"^(?:apt-get|git|vim) .*$", what_runs, re.MULTILINE)


@pytest.mark.parametrize("verb", ["start", "stop", "restart", "scale", "logs", "backup", "restore"])
def test_the_script_of_the_guide_has_the_verbs_of_the_specification(verb: str) -> None:
    assert f"\ncaptchad {verb}" in run("guide_commands.py").stdout.replace(
        "CAPTCHAD_STATE_DIRECTORY=/var/lib/captchad ", ""
    )
