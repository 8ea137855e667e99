"""What can be had of the room without the extra `train`."""

import subprocess
import sys

MODULES = ("captchad.training", "captchad.training.recipe", "captchad.training.pretraining.feed")


def test_recipes_and_batches_need_no_torch() -> None:
    program = f"import sys, {', '.join(MODULES)}; print('torch' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "False"
