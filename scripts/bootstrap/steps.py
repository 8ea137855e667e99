"""Runs the set-up's commands, showing that something goes on and, where one fails, what it said."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence

LAST_LINES = 25
TICK_SECONDS = 1.0
GRACE_SECONDS = 5.0


class SetupFailed(Exception):
    """The set-up can't go on; the message says what to do."""


def say(text: str) -> None:
    """Print a line of progress."""
    print(text, flush=True)


def run(title: str, command: Sequence[str], timeout_seconds: float, environment: dict[str, str] | None = None) -> None:
    """Run one command with its output kept aside; raises SetupFailed with the last lines where it fails."""
    started = time.monotonic()
    if not sys.stdout.isatty():
        say(f"  {title} ...")
    with tempfile.TemporaryFile("w+", errors="replace") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(environment or {})},
        )
        is_in_time = _wait(process, title, started, timeout_seconds)
        output.seek(0)
        lines = output.read().splitlines()[-LAST_LINES:]
    seconds = time.monotonic() - started
    if is_in_time and process.returncode == 0:
        _rewrite(f"  {title}: done in {seconds:.0f} s")
        return
    reason = f"ended with {process.returncode}" if is_in_time else f"took longer than {timeout_seconds:.0f} s"
    _rewrite(f"  {title}: {reason}")
    raise SetupFailed("\n".join([f"{title} {reason}. The command was: {_shorten(command)}", *lines]))


def _wait(process: "subprocess.Popen[bytes]", title: str, started: float, timeout_seconds: float) -> bool:
    while True:
        try:
            process.wait(TICK_SECONDS)
        except subprocess.TimeoutExpired:
            seconds = time.monotonic() - started
            if seconds > timeout_seconds:
                _end(process)
                return False
            if sys.stdout.isatty():
                print(f"\r  {title} ... {seconds:.0f} s", end="", flush=True)
        else:
            return True


def _shorten(command: Sequence[str]) -> str:
    """Return the command without the parts that are scripts."""
    return " ".join(part for part in command if "\n" not in part)


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _rewrite(line: str) -> None:
    say(f"\r\033[K{line}" if sys.stdout.isatty() else line)
