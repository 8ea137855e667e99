"""A worker's process of the proof, and what is done to it."""

import contextlib
import json
import os
import random
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

from tests.patience import PATIENCE_SECONDS
from tests.processes import list_descendants, read_command
from tests.system.browser_proof.worker import PAGE_SECONDS_VARIABLE

ROOT = Path(__file__).resolve().parents[3]
CONCURRENCY = 4


class ProofWorker:
    """One running worker; `read_page` gives what became of the next page."""

    def __init__(self, site: str, first_visit: int, reuse: str, page_seconds: float, log: Path) -> None:
        arguments = ("--site", site, "--first-visit", str(first_visit), "--concurrency", str(CONCURRENCY))
        self._log_path = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.system.browser_proof.worker", "--mode", reuse, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=output,
                cwd=ROOT,
                env=os.environ | {PAGE_SECONDS_VARIABLE: str(page_seconds)},
            )
        self._rest = b""
        self.process = psutil.Process(self._process.pid)
        self._read_line()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def read_page(self) -> str:
        """Wait for the next page; return its error, or nothing."""
        return str(self._read_line()["error"])

    def strike_browser(self, chance: random.Random, number: signal.Signals) -> str:
        """Send a signal to one of its browser's processes, at random; give which it was, or nothing."""
        # The driver is no browser; stopped, it would only be waited for longer.
        victims = [
            process
            for process in list_descendants(self.pid)
            if number is signal.SIGKILL or "run-driver" not in read_command(process)
        ]
        with contextlib.suppress(psutil.Error, IndexError):
            victim = chance.choice(victims)
            name = _name_kind(victim)
            victim.send_signal(number)
            return name
        return ""

    def kill(self) -> list[psutil.Process]:
        """Kill the worker alone, without a warning; return what was below it."""
        below = list_descendants(self.pid)
        self._process.kill()
        self._end()
        return below

    def stop(self) -> int:
        """Ask it to end, and give its exit code."""
        self._process.terminate()
        assert self._process.stdout is not None
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self._read_more(deadline):
            pass
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(1)
        if self._process.poll() is None:
            self._process.kill()
        return self._end()

    def _end(self) -> int:
        code = self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        return code

    def _read_line(self) -> dict[str, object]:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while b"\n" not in self._rest:
            if not self._read_more(deadline):
                log = self._log_path.read_text(errors="replace")[-2000:]
                raise AssertionError(f"the worker said nothing for {PATIENCE_SECONDS:g} s, or has ended: {log}")
        line, _, self._rest = self._rest.partition(b"\n")
        found: dict[str, object] = json.loads(line)
        return found

    def _read_more(self, deadline: float) -> bool:
        assert self._process.stdout is not None
        readable, _, _ = select.select([self._process.stdout], [], [], max(0.0, deadline - time.monotonic()))
        part = os.read(self._process.stdout.fileno(), 65_536) if readable else b""
        self._rest += part
        return bool(part)


def _name_kind(process: psutil.Process) -> str:
    """Return what a browser's process is for, as its command line says."""
    for argument in read_command(process):
        if argument.startswith("--type="):
            return argument.removeprefix("--type=")
        if "run-driver" in argument:
            return "driver"
    return "browser"
