"""Sends raw requests to a gateway, several at a time, and holds what comes back against what may."""

import asyncio
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.system.api_proof.raw_requests import RawRequest, describe

SIDE_BY_SIDE = 16
ANSWER_SECONDS = 60.0
"""In which each connection is answered or closed: a request's own limits are shorter, a shared machine is slow."""
BUSY = 503
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] (\d{3}) [^\r\n]*\r\n")


@dataclass
class Outcome:
    """What came back: how often each status, and what should not have."""

    sent: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)


async def send_all(port: int, requests: Iterable[RawRequest]) -> Outcome:
    """Send every request over a connection of its own."""
    outcome, slots = Outcome(), asyncio.Semaphore(SIDE_BY_SIDE)

    async def send(request: RawRequest) -> None:
        try:
            statuses = await exchange(port, request)
        except TimeoutError:
            outcome.faults.append(f"neither answered nor closed: {describe(request)}")
        else:
            outcome.statuses.update(statuses)
            fault = find_fault(request, statuses)
            if fault is not None:
                outcome.faults.append(f"{fault}: {describe(request)}")
        finally:
            outcome.sent += 1
            slots.release()

    async with asyncio.TaskGroup() as group:
        for request in requests:
            await slots.acquire()
            group.create_task(send(request))
    return outcome


async def exchange(port: int, request: RawRequest) -> list[int]:
    """Send a request as it is; return the statuses of all answers, until the connection is closed."""
    async with asyncio.timeout(ANSWER_SECONDS):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        received = b""
        try:
            writer.write(request.content)
            if request.is_ended:
                writer.write_eof()
            while piece := await reader.read(65_536):
                received += piece
        except ConnectionError:
            pass  # closed before all was sent
        finally:
            writer.close()
    return [int(status) for status in _STATUS_LINE.findall(received)]


def find_fault(request: RawRequest, statuses: list[int]) -> str | None:
    """Return what is wrong with the answers to a request, None where nothing is."""
    if any(status >= 500 and status != BUSY for status in statuses):
        return f"answered {statuses}"
    if not request.least <= len(statuses) <= request.most:
        return f"{len(statuses)} answers, {statuses}"
    if request.statuses is not None and not set(statuses) <= request.statuses | {BUSY}:
        return f"answered {statuses}"
    return None
