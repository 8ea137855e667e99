"""The runtime of the models reports to nobody."""

import os
import subprocess
import sys
from pathlib import Path

_LOAD = "from captchad.recognition.model import load_model; load_model()"
_SILENCERS = ("CI", "ORT_DISABLE_TELEMETRY", "ORT_RUNNING_UNIT_TESTS")


def test_loading_a_model_starts_no_reporting(tmp_path: Path) -> None:
    # The reporter keeps its session and what it has not sent yet in the folder of temporary files.
    environment = {name: value for name, value in os.environ.items() if name not in _SILENCERS}
    subprocess.run([sys.executable, "-c", _LOAD], env={**environment, "TMPDIR": str(tmp_path)}, check=True)
    assert list(tmp_path.iterdir()) == []
