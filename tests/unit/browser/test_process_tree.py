"""What a tree of processes is measured by."""

import subprocess
import sys

from captchad.browser.process_tree import measure_rss_bytes

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
