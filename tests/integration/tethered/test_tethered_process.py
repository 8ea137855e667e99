"""A tethered process takes its tree along, however its parent goes."""

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import psutil

from captchad.runtime.tethered_process import TetheredProcess
from tests.patience import PATIENCE_SECONDS
from tests.processes import await_ends, list_descendants

ENVIRONMENT = dict(os.environ)
ESCAPEE = "import os, time; os.setsid(); print(os.getpid(), flush=True); time.sleep(600)"
FAMILY = f"""
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", {ESCAPEE!r}], stdout=subprocess.PIPE, text=True)
print(child.stdout.readline(), end="", flush=True)
time.sleep(600)
"""


async def start_family(script: str = FAMILY) -> tuple[TetheredProcess, int]:
    process = TetheredProcess([sys.executable, "-c", script], ENVIRONMENT, asyncio.subprocess.PIPE)
    await process.start()
    assert process.stdout is not None
    return process, int(await process.stdout.readline())


async def test_exit_code_of_the_command_is_given() -> None:
    process = TetheredProcess([sys.executable, "-c", "raise SystemExit(7)"], ENVIRONMENT, asyncio.subprocess.DEVNULL)
    await process.start()
    assert await process.wait() == 7
    assert not process.is_running


async def test_command_that_does_not_exist_ends_with_127() -> None:
    process = TetheredProcess(["/no/such/command"], ENVIRONMENT, asyncio.subprocess.PIPE)
    await process.start()
    assert await process.wait() == 127
    assert process.stdout is not None
    assert b"No such file" in await process.stdout.read()


async def test_kill_ends_also_a_grandchild_in_a_session_of_its_own() -> None:
    process, grandchild = await start_family()
    process.kill()
    assert await process.wait() == 128 + signal.SIGKILL
    assert not psutil.pid_exists(grandchild)


async def test_what_a_dead_command_left_behind_ends_with_it() -> None:
    process, grandchild = await start_family(FAMILY.replace("\ntime.sleep(600)", "\nraise SystemExit(3)"))
    assert await process.wait() == 3
    assert not psutil.pid_exists(grandchild)


async def test_command_that_ignores_the_request_is_killed_after_its_grace() -> None:
    script = "import signal, time; signal.signal(15, signal.SIG_IGN); print(0, flush=True); time.sleep(600)"
    process, _ = await start_family(script)
    assert await process.stop(grace_seconds=0.2) == 128 + signal.SIGKILL


async def test_termination_reaches_the_command_alone() -> None:
    script = textwrap.dedent("""
        import signal, subprocess, sys
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        signal.signal(15, lambda *_: (print("alive" if child.poll() is None else "gone", flush=True), sys.exit(0)))
        print(0, flush=True)
        signal.pause()
    """)
    process, _ = await start_family(script)
    assert await process.stop(grace_seconds=PATIENCE_SECONDS) == 0
    assert process.stdout is not None
    assert (await process.stdout.read()).strip() == b"alive"


def test_no_descendant_outlives_a_parent_that_was_killed(tmp_path: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", _PARENT, FAMILY], stdout=subprocess.PIPE, cwd=tmp_path, env=ENVIRONMENT, text=True
    )
    assert parent.stdout is not None
    grandchild = int(parent.stdout.readline())
    descendants = list_descendants(parent.pid)
    assert grandchild in {process.pid for process in descendants}
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert await_ends(descendants) == []


_PARENT = """
import asyncio, os, sys
from captchad.runtime.tethered_process import TetheredProcess
async def main():
    process = TetheredProcess([sys.executable, "-c", sys.argv[1]], os.environ, 1)
    await process.start()
    await process.wait()
asyncio.run(main())
"""
