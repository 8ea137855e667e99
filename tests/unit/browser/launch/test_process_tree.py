"""Nothing of a tree of processes outlives its end."""

import subprocess
import sys

import psutil

from captchad.browser.launch.process_tree import await_ends, kill_tree, list_tree
from tests.patience import PATIENCE_SECONDS
from tests.processes import is_alive

GRANDCHILD = "import subprocess, sys; print(subprocess.Popen(['sleep', '60']).pid, flush=True); sys.stdin.read()"


def test_what_a_killed_script_has_started_is_found_by_its_group() -> None:
    command = [sys.executable, "-c", GRANDCHILD]
    with subprocess.Popen(command, stdin=-1, stdout=-1, start_new_session=True) as leader:
        assert leader.stdout is not None
        orphan = psutil.Process(int(leader.stdout.readline()))
        leader.kill()
    tree = list_tree(leader.pid)
    assert tree == [orphan]
    kill_tree(leader.pid)
    await_ends(tree, PATIENCE_SECONDS)
    assert not is_alive(orphan)
