"""The client for programs without asyncio."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar, Unpack

from captchad.client.async_client import AsyncCaptchad
from captchad.client.calls import DEFAULT_TIMEOUT_SECONDS, EvidencePart
from captchad.client.options import PageOrPicture, TaskOptions
from captchad.client.results import Progress, Report, Solution, Stats, Task
from captchad.client.steps import Steps, run_steps
from captchad.client.transport import exchange
from captchad.client.typed_calls import SOLVE_SECONDS, BatchItem, TaskOrId, TypedCalls

T = TypeVar("T")


class Captchad:
    """A client of one gateway; without arguments that of CAPTCHAD_GATEWAY_URL, or of this machine.

    Refusals that pass (a rate limit, a full queue, a gateway or Redis that starts again) are waited out, as the
    gateway says in Retry-After, for up to `timeout_seconds`. Every submit has an Idempotency-Key, so that one whose
    answer was lost never becomes two tasks. `target` is the host that pictures come from where a call names none, and
    `ca_file` (else CAPTCHAD_CA_FILE) has the authorities that vouch for an https gateway. Any thread may use it.
    """

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
        self._send = partial(exchange, self._calls.address)
        self._twin = AsyncCaptchad(url, api_key, target=target, timeout_seconds=timeout_seconds, ca_file=ca_file)

    @property
    def url(self) -> str:
        """The gateway's address."""
        return self._calls.address.base_url

    def solve(
        self,
        page_or_picture: PageOrPicture,
        *,
        wait_seconds: float = SOLVE_SECONDS,
        **options: Unpack[TaskOptions],
    ) -> Solution:
        """Submit a page or a picture and return its answer; TaskFailed or TaskUnfinished where there is none."""
        return self._run(self._calls.solve(page_or_picture, wait_seconds, options))

    def submit(
        self, page_or_picture: PageOrPicture, *, idempotency_key: str | None = None, **options: Unpack[TaskOptions]
    ) -> Task:
        """Submit a page or a picture and return its task at once."""
        return self._run(self._calls.submit(page_or_picture, idempotency_key, options))

    def batch(self, items: Iterable[BatchItem], **options: Unpack[TaskOptions]) -> list[Task]:
        """Submit many tasks with the same options, a hundred in a call; each hundred is stored whole or not at all."""
        return self._run(self._calls.batch(items, options))

    def wait(self, task: TaskOrId, wait_seconds: float | None = None) -> Task:
        """Return a task once it has ended, whatever its end; TaskUnfinished after `wait_seconds`."""
        return self._run(self._calls.wait(task, wait_seconds))

    def as_completed(
        self, tasks: Iterable[TaskOrId], on_progress: Callable[[Progress], object] | None = None
    ) -> Generator[Task]:
        """Yield each task as it ends; `on_progress` is called beforehand."""
        return _iterate(self._twin.as_completed(tasks, on_progress))

    def status(self, task: TaskOrId) -> Task:
        """Return a task as it is."""
        return self._run(self._calls.status(task))

    def cancel(self, task: TaskOrId) -> Task:
        """End a task, waiting or being worked on, and return it."""
        return self._run(self._calls.cancel(task))

    def report(self, task: TaskOrId | Solution, *, right: bool, text: str | None = None) -> Report:
        """Say whether an answer was right, and what the picture shows; where labels are collected it becomes one."""
        return self._run(self._calls.report(task, right=right, text=text))

    def evidence(self, task: TaskOrId | Solution, part: EvidencePart = "image") -> bytes:
        """Return the captcha's picture or the page's screenshot of a task submitted with `evidence`."""
        return self._run(self._calls.evidence(task, part))

    def stats(self) -> Stats:
        """Return the fleet's totals."""
        return self._run(self._calls.stats())

    def _run(self, steps: Steps[T]) -> T:
        return run_steps(steps, self._send, time.sleep)


def _iterate(items: AsyncGenerator[T]) -> Generator[T]:
    """Yield the items of an asynchronous generator, which runs on an event loop in a thread of its own."""
    taking: list[asyncio.Task[T]] = []

    async def take() -> T:
        taking[:] = filter(None, [asyncio.current_task()])
        return await anext(items)

    # Not in this thread, which may have a running loop already: Playwright's synchronous API does.
    with ThreadPoolExecutor(1, thread_name_prefix="captchad") as thread:
        runner = asyncio.Runner()
        try:
            while True:
                try:
                    item = thread.submit(runner.run, take()).result()
                except StopAsyncIteration:
                    return
                yield item
        finally:
            # After a Ctrl-C the thread still waits.
            for one in taking:
                one.get_loop().call_soon_threadsafe(one.cancel)
            thread.submit(runner.run, items.aclose()).result()
            thread.submit(runner.close).result()
