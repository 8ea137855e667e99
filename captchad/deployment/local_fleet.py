"""All roles on this machine, and the embedded Redis where none is configured: started, watched and stopped in order."""

import asyncio
from collections.abc import Callable, Sequence
from typing import NoReturn

from captchad.deployment.child import Child
from captchad.deployment.events import Listener
from captchad.deployment.watch import ChildGaveUp, Watch
from captchad.runtime.clock import Clock
from captchad.runtime.spawn import TaskSet

Stage = Sequence[Child]


class LocalFleet:
    """Runs children in stages: the foundation starts before all others and stops last.

    The others start together, and stop stage by stage in the order given. `read_configuration` says whether a changed
    configuration can be used.
    """

    def __init__(
        self,
        foundation: Stage,
        stages: Sequence[Stage],
        read_configuration: Callable[[], bool],
        listener: Listener,
        clock: Clock,
    ) -> None:
        self._read_configuration = read_configuration
        self._foundation = [Watch(child, listener, clock) for child in foundation]
        self._stages = [[Watch(child, listener, clock) for child in stage] for stage in stages]
        self._work = TaskSet("fleet")
        self._started: list[Watch] = []
        self._failed = asyncio.Event()
        self._failure: BaseException | None = None

    async def start(self) -> None:
        """Start everything and return once it is ready; raises ChildGaveUp where a child does not start."""
        await self._start_and_wait(self._foundation)
        await self._start_and_wait([watch for stage in self._stages for watch in stage])

    async def wait_for_failure(self) -> NoReturn:
        """Wait for a child that gave up, and raise its error; never returns."""
        await self._failed.wait()
        assert self._failure is not None
        raise self._failure

    async def stop(self) -> None:
        """Stop everything: the stages in their order, and the foundation last."""
        # Gateways first, Redis last: no new task arrives, and every role can still write its outcomes.
        for stage in (*self._stages, self._foundation):
            stops = [self._work.spawn(watch.stop(), "stop") for watch in stage if watch in self._started]
            await asyncio.gather(*stops)
        await self._work.cancel_all()

    def stop_at_once(self) -> None:
        """Speed up a stop: everything but the foundation is killed."""
        for watch in self._started:
            watch.kill()

    def reload(self) -> None:
        """Ask every role to reload its configuration, where that can be used."""
        if not self._read_configuration():
            return
        for watch in self._started:
            watch.child.reload()

    async def _start_and_wait(self, watches: Sequence[Watch]) -> None:
        for watch in watches:
            # Before it runs: a stop in the middle of the start must end it too.
            self._started.append(watch)
            self._work.spawn(self._run(watch), watch.child.name)
        for watch in watches:
            await self._wait_until_ready(watch)

    async def _run(self, watch: Watch) -> None:
        try:
            await watch.run()
        except ChildGaveUp as error:
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        if self._failure is None:
            self._failure = error
        self._failed.set()

    async def _wait_until_ready(self, watch: Watch) -> None:
        waiting = {
            self._work.spawn(watch.ready.wait(), "ready"),
            self._work.spawn(self._failed.wait(), "failed"),
        }
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()
        if self._failure is not None:
            raise self._failure
