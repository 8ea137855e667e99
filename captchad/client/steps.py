"""How calls are made of steps: what to send and when to pause is decided once, for both kinds of callers."""

from collections.abc import Awaitable, Callable, Generator
from dataclasses import dataclass
from typing import TypeVar

from captchad.client.wire import Answer, Request
from captchad.domain.errors import GatewayUnreachable

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Exchange:
    """The step that sends a request; its answer is sent back, or GatewayUnreachable thrown in."""

    request: Request
    timeout_seconds: float


@dataclass(frozen=True, slots=True)
class Pause:
    """The step that waits; nothing is sent back."""

    seconds: float


Steps = Generator[Exchange | Pause, Answer | None, T]


def run_steps(steps: Steps[T], send: Callable[[Request, float], Answer], sleep: Callable[[float], object]) -> T:
    """Take the steps one after the other, blocking; return what they come to."""
    try:
        step = next(steps)
        while True:
            if isinstance(step, Pause):
                sleep(step.seconds)
                step = steps.send(None)
                continue
            try:
                answer = send(step.request, step.timeout_seconds)
            except GatewayUnreachable as error:
                step = steps.throw(error)
            else:
                step = steps.send(answer)
    except StopIteration as end:
        result: T = end.value
        return result


async def run_steps_async(
    steps: Steps[T],
    send: Callable[[Request, float], Awaitable[Answer]],
    sleep: Callable[[float], Awaitable[object]],
) -> T:
    """Do the same without blocking the event loop."""
    try:
        step = next(steps)
        while True:
            if isinstance(step, Pause):
                await sleep(step.seconds)
                step = steps.send(None)
                continue
            try:
                answer = await send(step.request, step.timeout_seconds)
            except GatewayUnreachable as error:
                step = steps.throw(error)
            else:
                step = steps.send(answer)
    except StopIteration as end:
        result: T = end.value
        return result
