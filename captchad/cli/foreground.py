"""Runs a local fleet in the foreground: one Ctrl-C stops it in order, a second one at once."""

import asyncio
import logging
import os
import signal
from collections.abc import Awaitable, Callable
from typing import TypeVar

from captchad.cli.event_printer import EventPrinter
from captchad.deployment.local_fleet import LocalFleet
from captchad.runtime.spawn import TaskSet

Result = TypeVar("Result")

STANDARD_INPUT = 0
CLOSING_SECONDS = 2.0
"""How long a program that shows a terminal may take from telling that it closes to closing it."""


async def run_until_signal(
    fleet: LocalFleet,
    work: Callable[[], Awaitable[Result]],
    printer: EventPrinter,
    reloads_on_hangup: bool = False,
) -> Result | None:
    """Start the fleet, do `work`, and stop the fleet, whatever happens; return the work's result.

    A signal ends the work early and gives None. SIGHUP does so where the terminal was closed; else it has every role
    read its configuration again, with `reloads_on_hangup`.
    """
    # What fails here becomes the command's one line on stderr; it need not be logged as well.
    logging.getLogger("captchad").addHandler(logging.NullHandler())
    tasks = TaskSet("foreground")
    stopped = asyncio.Event()
    _catch_signals(fleet, stopped, printer, reloads_on_hangup)

    async def start_and_work() -> Result:
        await fleet.start()
        return await work()

    working = tasks.spawn(start_and_work(), "work")
    waiting = tasks.spawn(stopped.wait(), "signal")
    try:
        await asyncio.wait({working, waiting}, return_when=asyncio.FIRST_COMPLETED)
        return await working if working.done() else None
    finally:
        await tasks.cancel_all()
        await fleet.stop()
        printer.flush()


def _catch_signals(fleet: LocalFleet, stopped: asyncio.Event, printer: EventPrinter, reloads_on_hangup: bool) -> None:
    loop = asyncio.get_running_loop()
    # A command that never had a terminal (nohup, a unit of systemd) can't lose it.
    had_terminal = os.isatty(STANDARD_INPUT)

    def stop() -> None:
        if stopped.is_set():
            printer.say("stopping at once")
            fleet.stop_at_once()
            return
        printer.say("stopping; Ctrl-C again ends everything at once")
        stopped.set()

    def stop_without_terminal() -> None:
        # Shell and kernel may both tell of one closed terminal, which is no second Ctrl-C.
        if had_terminal and not os.isatty(STANDARD_INPUT) and not stopped.is_set():
            stop()

    def hang_up() -> None:
        if not reloads_on_hangup and not stopped.is_set():
            stop()
        stop_without_terminal()
        if stopped.is_set():
            return
        fleet.reload()
        # xterm sends the signal first and closes the terminal then.
        loop.call_later(CLOSING_SECONDS, stop_without_terminal)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    loop.add_signal_handler(signal.SIGHUP, hang_up)
