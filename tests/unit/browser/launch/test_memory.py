"""What a tree of processes is measured by, and which of a browser's processes end when it takes too much."""

import subprocess
import sys

from captchad.browser.launch.memory import end_largest_renderers, measure_rss_bytes

NOBODY = 2**22 + 1
HOLD = "import sys; held = bytearray(%d); print(flush=True); sys.stdin.read()"
HELD_BYTES = 64 << 20
FAMILY = (
    "import subprocess, sys; children = [subprocess.Popen([sys.executable, '-c', 'import sys; print(flush=True);"
    " sys.stdin.read()'], stdout=-1) for _ in range(4)]; [child.stdout.readline() for child in children];"
    " print(flush=True); sys.stdin.read()"
)
PAGE = """
import sys
held = bytearray(int(sys.argv[1]))
print(flush=True)
for line in sys.stdin:
    print(line, flush=True)
"""
BROWSER = f"""
import contextlib, subprocess, sys
children = [
    subprocess.Popen([sys.executable, "-c", {PAGE!r}, str(size), *role], stdin=-1, stdout=-1, bufsize=0)
    for size, *role in ((256 << 20,), (128 << 20, "--type=renderer"), (1, "--type=renderer"))
]
for child in children:
    child.stdout.readline()
print(flush=True)
for line in sys.stdin:
    for child in children:
        with contextlib.suppress(BrokenPipeError):
            child.stdin.write(b"?\\n")
        print(child.stdout.readline(), flush=True)
"""
"""A browser with a large process of its own, a large page and a small one; says of each whether it answers."""


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


def end_pages_of_browser(limit_bytes: int) -> tuple[int, list[bool]]:
    """Return what `end_largest_renderers` returns, and which of the three processes under the browser still answer."""
    with subprocess.Popen([sys.executable, "-c", BROWSER], stdin=-1, stdout=-1, text=True) as browser:
        assert browser.stdin is not None
        assert browser.stdout is not None
        browser.stdout.readline()
        left_bytes = end_largest_renderers(browser.pid, limit_bytes)
        browser.stdin.write("\n")
        browser.stdin.flush()
        answers = ["?" in browser.stdout.readline() for _ in range(3)]
        browser.communicate()
    return left_bytes, answers


def test_the_largest_page_alone_ends_where_that_is_enough() -> None:
    left_bytes, answers = end_pages_of_browser(360 << 20)
    assert 256 << 20 < left_bytes < 360 << 20
    assert answers == [True, False, True]


def test_no_page_ends_where_the_browser_takes_little_or_where_pages_are_not_the_reason() -> None:
    for limit_bytes in (1 << 30, 128 << 20):
        _, answers = end_pages_of_browser(limit_bytes)
        assert answers == [True] * 3
