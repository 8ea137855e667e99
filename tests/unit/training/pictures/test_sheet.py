import subprocess
import sys
from pathlib import Path

from PIL import Image


def test_the_command_draws_a_sheet(tmp_path: Path) -> None:
    out = tmp_path / "sheet.png"
    command = [sys.executable, "-m", "captchad.training.pictures", "--out", str(out), "--count", "3"]
    done = subprocess.run([*command, "--family", "synthetic"], capture_output=True, text=True, check=True)
    assert "synthetic:" in done.stdout
    with Image.open(out) as sheet:
        assert sheet.width > 500
