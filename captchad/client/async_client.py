"""The client for programs on asyncio."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable
from functools import partial
from typing import TypeVar, Unpack

from captchad.client.calls import DEFAULT_TIMEOUT_SECONDS, EvidencePart
from captchad.client.options import PageOrPicture, TaskOptions
from captchad.client.results import Progress, Report, Solution, Stats, Task
from captchad.client.steps import Steps, run_steps_async
from captchad.client.transport import exchange_async
from captchad.client.typed_calls import SOLVE_SECONDS, BatchItem, TaskOrId, TypedCalls, list_ids

PLACES = 32
"""How many tasks are waited for at once."""
TURN_SECONDS = 5.0

T = TypeVar("T")


class AsyncCaptchad:
    """A client of one gateway, method by method as Captchad; it has no connection to close."""

    def __init__(
        self,
        url: str | None = None,
        api_key: str | None = None,
        *,
        target: str | None = None,
        timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS,
        ca_file: str | None = None,
    ) -> None:
        self._calls = TypedCalls(url, api_key, target, timeout_seconds, ca_file)
        self._send = partial(exchange_async, self._calls.address)

    @property
    def url(self) -> str:
        """The gateway's address."""
        return self._calls.address.base_url

    async def solve(
        self,
        page_or_picture: PageOrPicture,
        *,
        wait_seconds: float = SOLVE_SECONDS,
        **options: Unpack[TaskOptions],
    ) -> Solution:
        """Submit a page or a picture and return its answer; TaskFailed or TaskUnfinished where there is none."""
        return await self._run(self._calls.solve(page_or_picture, wait_seconds, options))

    async def submit(
        self, page_or_picture: PageOrPicture, *, idempotency_key: str | None = None, **options: Unpack[TaskOptions]
    ) -> Task:
        """Submit a page or a picture and return its task at once."""
        return await self._run(self._calls.submit(page_or_picture, idempotency_key, options))

    async def batch(self, items: Iterable[BatchItem], **options: Unpack[TaskOptions]) -> list[Task]:
        """Submit many tasks with the same options, a hundred in a call; each hundred is stored whole or not at all."""
        return await self._run(self._calls.batch(items, options))

    async def wait(self, task: TaskOrId, wait_seconds: float | None = None) -> Task:
        """Return a task once it has ended, whatever its end; TaskUnfinished after `wait_seconds`."""
        return await self._run(self._calls.wait(task, wait_seconds))

    async def as_completed(
        self, tasks: Iterable[TaskOrId], on_progress: Callable[[Progress], object] | None = None
    ) -> AsyncGenerator[Task]:
        """Yield each task as it ends; `on_progress` is called beforehand."""
        ids = list_ids(tasks)
        places = asyncio.Semaphore(PLACES)
        turn_seconds = None if len(ids) <= PLACES else TURN_SECONDS

        async def wait_in_turns(task_id: str) -> Task:
            while True:
                # One that takes long must not keep its place while others, which nobody asks for, have ended.
                async with places:
                    task = await self._run(self._calls.look(task_id, turn_seconds))
                if task.is_final:
                    return task

        waits = [asyncio.create_task(wait_in_turns(one)) for one in ids]  # noqa: TID251 - the client stands alone
        try:
            for ended, next_wait in enumerate(asyncio.as_completed(waits), start=1):
                task = await next_wait
                if on_progress is not None:
                    on_progress(Progress(ended, len(ids), task))
                yield task
        finally:
            for one in waits:
                one.cancel()
            await asyncio.gather(*waits, return_exceptions=True)

    async def status(self, task: TaskOrId) -> Task:
        """Return a task as it is."""
        return await self._run(self._calls.status(task))

    async def cancel(self, task: TaskOrId) -> Task:
        """End a task, waiting or being worked on, and return it."""
        return await self._run(self._calls.cancel(task))

    async def report(self, task: TaskOrId | Solution, *, right: bool, text: str | None = None) -> Report:
        """Say whether an answer was right, and what the picture shows; where labels are collected it becomes one."""
        return await self._run(self._calls.report(task, right=right, text=text))

    async def evidence(self, task: TaskOrId | Solution, part: EvidencePart = "image") -> bytes:
        """Return the captcha's picture or the page's screenshot of a task submitted with `evidence`."""
        return await self._run(self._calls.evidence(task, part))

    async def stats(self) -> Stats:
        """Return the fleet's totals."""
        return await self._run(self._calls.stats())

    async def _run(self, steps: Steps[T]) -> T:
        return await run_steps_async(steps, self._send, asyncio.sleep)
