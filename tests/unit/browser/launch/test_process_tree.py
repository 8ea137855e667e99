"""What a tree of processes is measured by, and that nothing of it outlives its end."""

import subprocess
import sys

import psutil

from captchad.browser.launch.process_tree import await_ends, kill_tree, list_tree, measure_rss_bytes
from tests.patience import PATIENCE_SECONDS
from tests.processes import is_alive

GRANDCHILD = "import subprocess, sys; print(subprocess.Popen(['sleep', '60']).pid, flush=True); sys.stdin.read()"
NOBODY = 2**22 + 1
HOLD = "import sys; held = bytearray(%d); print(flush=True); sys.stdin.read()"
HELD_BYTES = 64 << 20
FAMILY = (
    "import subprocess, sys; children = [subprocess.Popen([sys.executable, '-c', 'import sys; print(flush=True);"
    " sys.stdin.read()'], stdout=-1) for _ in range(4)]; [child.stdout.readline() for child in children];"
    " print(flush=True); sys.stdin.read()"
)


def measure(program: str) -> int:
    with subprocess.Popen([sys.executable, "-c", program], stdin=-1, stdout=-1) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            return measure_rss_bytes(process.pid)
        finally:
            process.communicate()


def test_memory_that_a_process_fills_is_counted() -> None:
    more_bytes = measure(HOLD % HELD_BYTES) - measure(HOLD % 1)
    assert HELD_BYTES * 0.9 < more_bytes < HELD_BYTES * 1.2


def test_a_program_that_five_processes_run_is_counted_once() -> None:
    assert measure(FAMILY) < measure(HOLD % 1) * 4


def test_what_is_gone_takes_nothing() -> None:
    assert measure_rss_bytes(NOBODY) == 0


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
