"""Runs `captchad up` as a person would, and reads what it says."""

import json
import os
import select
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import psutil

from tests.patience import PATIENCE_SECONDS, wait_until
from tests.ports import find_free_port
from tests.processes import await_ends, list_descendants, read_command, signal_all

ROLES_WITH_PORTS = ("gateway", "scheduler", "monitor")

GONE_SECONDS = 20.0
"""How soon what a dead process had started must have ended: ten times the two seconds it may take when all is quiet."""


class UpProcess:
    """One `captchad up --json` with a state folder of its own; `events` has all lines read so far.

    `terminal` is a descriptor of the terminal that it reads from, `launcher` a command that it is started with.
    """

    def __init__(
        self,
        state: Path,
        *arguments: str,
        ports: tuple[str, ...] = (),
        variables: dict[str, str] | None = None,
        terminal: int | None = None,
        launcher: Sequence[str] = (),
    ) -> None:
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("CAPTCHAD_", "REDIS_"))
        } | {"CAPTCHAD_STATE_DIRECTORY": str(state), **(variables or {})}
        # A port that `up` picks itself may be taken by somebody's outgoing connection before its role listens.
        ports = ports or tuple(f"--{role}-port={find_free_port()}" for role in ROLES_WITH_PORTS)
        self.events: list[dict[str, Any]] = []
        self._process = subprocess.Popen(
            [*launcher, sys.executable, "-m", "captchad", "up", "--json", "--workers=1", *ports, *arguments],
            stdin=subprocess.DEVNULL if terminal is None else terminal,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=state.parent,
            env=environment,
        )
        self._rest = b""

    @property
    def pid(self) -> int:
        return self._process.pid

    def wait_until_up(self) -> dict[str, Any]:
        """Return the summary with all URLs."""
        return self.wait_for("up")

    def wait_for(self, event: str, name: str | None = None, seconds: float = PATIENCE_SECONDS) -> dict[str, Any]:
        """Read on until an event of this kind (and name) comes; give it."""
        deadline = time.monotonic() + seconds
        while True:
            found = self._read_event(deadline)
            assert found is not None, f"no {event} {name or ''} came: {self.events} {self.describe_end()}"
            if found["event"] == event and name in (None, found.get("name")):
                return found

    def read_to_the_end(self, seconds: float = PATIENCE_SECONDS) -> int:
        """Read everything until it has ended; return the exit code."""
        deadline = time.monotonic() + seconds
        while self._read_event(deadline) is not None:
            pass
        return self._process.wait(max(1.0, deadline - time.monotonic()))

    def stop_reading(self) -> None:
        """Fill the pipe of its standard output up to the last byte, so that nobody takes what it prints."""
        assert self._process.stdout is not None
        with Path(f"/proc/self/fd/{self._process.stdout.fileno()}").open("wb", buffering=0) as pipe:
            os.set_blocking(pipe.fileno(), False)
            for size in (65_536, 1):
                while pipe.write(b" " * size):
                    continue

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def descendants(self) -> list[psutil.Process]:
        """Return all processes below, browsers too."""
        return list_descendants(self.pid)

    def find_role(self, role: str) -> psutil.Process:
        """Return the process of a role, which is not its tether."""
        return next(one for one in self.descendants() if f"--role={role}" in read_command(one))

    def describe_end(self) -> str:
        """Return what it said on stderr, once it has ended."""
        if self._process.poll() is None or self._process.stderr is None:
            return ""
        return self._process.stderr.read().decode()

    def end(self) -> None:
        """End everything, whatever the test left running."""
        descendants = self.descendants()
        self._process.kill()
        self._process.wait()
        signal_all(descendants)
        await_ends(descendants)
        for stream in (self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()

    def _read_event(self, deadline: float) -> dict[str, Any] | None:
        assert self._process.stdout is not None
        while b"\n" not in self._rest:
            readable, _, _ = select.select([self._process.stdout], [], [], max(0.0, deadline - time.monotonic()))
            part = os.read(self._process.stdout.fileno(), 65_536) if readable else b""
            if not part:
                return None
            self._rest += part
        line, _, self._rest = self._rest.partition(b"\n")
        event: dict[str, Any] = json.loads(line)
        self.events.append(event)
        return event


StartUp = Callable[..., UpProcess]


def fetch_status(url: str) -> int:
    """Return the status of a GET; 0 where nobody answers."""
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE_SECONDS) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code
    except OSError:
        return 0


def wait_for_status(url: str, status: int) -> None:
    wait_until(lambda: fetch_status(url) == status, f"{url} to answer {status}")
