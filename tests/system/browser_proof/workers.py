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

from tests.system.browser_proof.worker import PAGE_SECONDS_VARIABLE

ROOT = Path(__file__).resolve().parents[3]
LINE_SECONDS = 90.0
STOP_SECONDS = 30.0
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
        victims = []
        for process in self.process.children(recursive=True):
            with contextlib.suppress(psutil.Error):
                # The driver is no browser; stopped, it would only be waited for longer.
                if number is signal.SIGKILL or "run-driver" not in process.cmdline():
                    victims.append(process)
        with contextlib.suppress(psutil.Error, IndexError):
            victim = chance.choice(victims)
            name = _name_kind(victim)
            victim.send_signal(number)
            return name
        return ""

    def kill(self) -> list[psutil.Process]:
        """Kill the worker alone, without a warning; return what was below it."""
        below = self.process.children(recursive=True)
        self._process.kill()
        self._end()
        return below

    def stop(self) -> int:
        """Ask it to end, and give its exit code."""
        self._process.terminate()
        assert self._process.stdout is not None
        deadline = time.monotonic() + STOP_SECONDS
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
        deadline = time.monotonic() + LINE_SECONDS
        while b"\n" not in self._rest:
            if not self._read_more(deadline):
                log = self._log_path.read_text(errors="replace")[-2000:]
                raise AssertionError(f"the worker said nothing for {LINE_SECONDS:g} s, or has ended: {log}")
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
    for argument in process.cmdline():
        if argument.startswith("--type="):
            return argument.removeprefix("--type=")
        if "run-driver" in argument:
            return "driver"
    return "browser"
