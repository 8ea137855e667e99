"""Keeps one child running."""

import asyncio
from signal import Signals

from captchad.deployment.child import Child
from captchad.deployment.events import Listener, ServiceEvent, ServiceEventKind
from captchad.deployment.restarts import Ending, GiveUp, History
from captchad.domain.errors import CaptchadError, DependencyMissing
from captchad.runtime.clock import Clock
from captchad.runtime.spawn import TaskSet
from captchad.runtime.tether import EXIT_NOT_STARTED, SIGNAL_EXIT_BASE

LAST_LINES = 5
PROGRAM_PREFIX = "captchad: "


class ChildGaveUp(CaptchadError):
    """A child does not start; the message has the last lines it wrote."""

    code = "internal_error"


class Watch:
    """Starts a child, and restarts it whenever it ends by itself, until it is stopped or gives up."""

    def __init__(self, child: Child, listener: Listener, clock: Clock) -> None:
        self.child = child
        self.ready = asyncio.Event()
        self._listener = listener
        self._clock = clock
        self._stopping = asyncio.Event()
        self._ended = asyncio.Event()
        self._work = TaskSet(child.name)
        self._failure = ""

    async def run(self) -> None:
        """Keep the child running until it is stopped; ChildGaveUp where it has never worked."""
        history = History()
        try:
            while not self._stopping.is_set():
                ending = await self._run_once()
                if self._stopping.is_set():
                    break
                history, decision = history.judge(ending)
                if isinstance(decision, GiveUp):
                    raise ChildGaveUp(f"{self.child.name} does not start: {self._describe_last_words(ending)}")
                self._report_end(ending, decision.delay_seconds)
                await self._pause(decision.delay_seconds)
        finally:
            self._ended.set()

    async def stop(self) -> None:
        """End the child for good, and return once it has ended."""
        self._stopping.set()
        await self.child.stop()
        await self._ended.wait()
        self._listener(ServiceEvent(ServiceEventKind.STOPPED, self.child.name, "stopped"))

    def kill(self) -> None:
        """End the child for good and at once."""
        self._stopping.set()
        self.child.kill()

    async def _run_once(self) -> Ending:
        """Run the child once, from start to end."""
        self._failure = ""
        started_seconds = self._clock.monotonic_seconds()
        try:
            await self.child.start()
        except CaptchadError as error:
            self._failure = error.message
            return Ending(EXIT_NOT_STARTED, None, is_hopeless=isinstance(error, DependencyMissing))
        if self._stopping.is_set():
            await self.child.stop()
        # Both at once: a child may end before it is ever ready.
        ended = self._work.spawn(self.child.wait(), "wait")
        readied = self._work.spawn(self.child.wait_until_ready(), "ready")
        await asyncio.wait({ended, readied}, return_when=asyncio.FIRST_COMPLETED)
        ready_since_seconds = None
        if readied.done() and not ended.done():
            ready_since_seconds = self._clock.monotonic_seconds()
            self.ready.set()
            took_seconds = ready_since_seconds - started_seconds
            self._listener(ServiceEvent(ServiceEventKind.READY, self.child.name, f"ready after {took_seconds:.1f} s"))
        readied.cancel()
        code = await ended
        self.ready.clear()
        if ready_since_seconds is None:
            return Ending(code, None)
        return Ending(code, self._clock.monotonic_seconds() - ready_since_seconds)

    async def _pause(self, seconds: float) -> None:
        if seconds > 0:
            waiting = {
                self._work.spawn(self._clock.sleep(seconds), "pause"),
                self._work.spawn(self._stopping.wait(), "stopping"),
            }
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            await self._work.cancel_all()

    def _report_end(self, ending: Ending, delay_seconds: float) -> None:
        again = "starting it again" if delay_seconds == 0 else f"starting it again in {delay_seconds:g} s"
        how = self._failure or describe_exit(ending.exit_code)
        self._listener(ServiceEvent(ServiceEventKind.ENDED, self.child.name, f"{how}; {again}", "warning"))

    def _describe_last_words(self, ending: Ending) -> str:
        if self._failure:
            return self._failure
        last = (line.removeprefix(PROGRAM_PREFIX) for line in self.child.read_last_words(LAST_LINES))
        return " / ".join(filter(str.strip, last)) or describe_exit(ending.exit_code)


def describe_exit(code: int) -> str:
    """Say how a process ended."""
    number = code - SIGNAL_EXIT_BASE
    if number in set(Signals):
        return f"killed by {Signals(number).name}"
    return f"ended with exit code {code}"
