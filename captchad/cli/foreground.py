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
    wind_down: Callable[[signal.Signals], Awaitable[Result | None]] | None = None,
) -> Result | None:
    """Start the fleet, do `work`, and stop the fleet, whatever happens; return the work's result.

    A signal ends the work early and gives None, or what `wind_down` comes to, which ends the work in order, while the
    fleet still serves. SIGHUP does so where the terminal was closed; else it has every role
    read its configuration again, with `reloads_on_hangup`.
    """
    # What fails here becomes the command's one line on stderr; it need not be logged as well.
    logging.getLogger("captchad").addHandler(logging.NullHandler())
    tasks = TaskSet("foreground")
    stop = _Stop()
    _catch_signals(fleet, stop, printer, reloads_on_hangup)

    async def start_and_work() -> Result:
        await fleet.start()
        return await work()

    working = tasks.spawn(start_and_work(), "work")
    waiting = tasks.spawn(stop.asked.wait(), "signal")
    try:
        await asyncio.wait({working, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return await working
        return await wind_down(stop.number) if wind_down is not None else None
    finally:
        await tasks.cancel_all()
        await fleet.stop()
        printer.flush()


class _Stop:
    """Whether the fleet was asked to stop, and by which signal."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.number = signal.SIGINT

    @property
    def is_asked(self) -> bool:
        return self.asked.is_set()


def _catch_signals(fleet: LocalFleet, stop: _Stop, printer: EventPrinter, reloads_on_hangup: bool) -> None:
    loop = asyncio.get_running_loop()
    # A command that never had a terminal (nohup, a unit of systemd) can't lose it.
    had_terminal = os.isatty(STANDARD_INPUT)

    def end(number: signal.Signals) -> None:
        if stop.is_asked:
            printer.say("stopping at once")
            fleet.stop_at_once()
            return
        printer.say("stopping; Ctrl-C again ends everything at once")
        stop.number = number
        stop.asked.set()

    def end_without_terminal() -> None:
        # Shell and kernel may both tell of one closed terminal, which is no second Ctrl-C.
        if had_terminal and not os.isatty(STANDARD_INPUT) and not stop.is_asked:
            end(signal.SIGHUP)

    def hang_up() -> None:
        if not reloads_on_hangup and not stop.is_asked:
            end(signal.SIGHUP)
        end_without_terminal()
        if stop.is_asked:
            return
        fleet.reload()
        # xterm sends the signal first and closes the terminal then.
        loop.call_later(CLOSING_SECONDS, end_without_terminal)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, end, number)
    loop.add_signal_handler(signal.SIGHUP, hang_up)
