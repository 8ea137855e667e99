"""GET /events: changes of tasks and nodes as Server-Sent Events.

Each event is named `task`, `node`, `target` (its captcha or its model has changed, or `fill` was closed or reopened) or
`reconnected` (some may have been missed: read the state again) and carries one JSON object. A comment is sent when
nothing happened for a while, so that both ends notice a dead connection.
"""

import asyncio
from collections.abc import AsyncIterator

import orjson
from aiohttp import web

from captchad.broker.events import EventFeed, FleetEvent
from captchad.domain.api_key import ApiKey, Scope
from captchad.intake.admission import Ownership, may_reach
from captchad.runtime.spawn import TaskSet
from captchad.web.middleware.access import caller_of
from captchad.web.routes import Route

HEARTBEAT_SECONDS = 15.0
RETRY_MS = 2000
EVENT_STREAM_TYPE = "text/event-stream"


class EventRoutes:
    """Handler of the event stream; `heartbeat_seconds` of silence bring a comment."""

    def __init__(self, feed: EventFeed, heartbeat_seconds: float = HEARTBEAT_SECONDS) -> None:
        self._feed = feed
        self._heartbeat_seconds = heartbeat_seconds
        self._is_ending = asyncio.Event()
        self._work = TaskSet("events")

    def routes(self) -> tuple[Route, ...]:
        """Return the entries of the route table."""
        return (
            Route(
                "GET",
                "/events",
                self.stream,
                Scope.READ,
                "Changes of tasks and workers, as they happen",
                is_stream=True,
                query=(),
                answers={200: EVENT_STREAM_TYPE},
                headers=("X-Accel-Buffering",),
            ),
        )

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """Send changes until the caller goes or the role ends."""
        # Without X-Accel-Buffering, nginx would hold events back until its buffer is full.
        response = web.StreamResponse(headers={"Content-Type": EVENT_STREAM_TYPE, "X-Accel-Buffering": "no"})
        async with self._feed.subscription() as events:
            await response.prepare(request)
            try:
                await response.write(b"retry: %d\n\n" % RETRY_MS)
                await self._forward(response, _select(events, caller_of(request)))
            except ConnectionError:
                # The caller went; that is how these streams usually end.
                return response
        return response

    async def end_streams(self, application: web.Application) -> None:
        """End every stream; the callers come back to another gateway."""
        self._is_ending.set()

    async def _forward(self, response: web.StreamResponse, events: AsyncIterator[FleetEvent]) -> None:
        ending = self._work.spawn(self._is_ending.wait(), "ending")
        upcoming = self._work.spawn(_take(events), "next")
        try:
            while not self._is_ending.is_set():
                done, _ = await asyncio.wait(
                    {ending, upcoming}, timeout=self._heartbeat_seconds, return_when=asyncio.FIRST_COMPLETED
                )
                if upcoming in done:
                    await response.write(encode_event(upcoming.result()))
                    upcoming = self._work.spawn(_take(events), "next")
                elif not done:
                    await response.write(b": nothing new\n\n")
        finally:
            ending.cancel()
            upcoming.cancel()


def encode_event(event: FleetEvent) -> bytes:
    """Return one event as the stream spells it."""
    shown = {name: value for name, value in event.payload.items() if name != "key_id"}
    return b"event: " + event.kind.encode() + b"\ndata: " + orjson.dumps(shown) + b"\n\n"


def may_hear(event: FleetEvent, key: ApiKey | None) -> bool:
    """Whether a listener may hear an event: of tasks and targets, of those alone that its key may see or use."""
    if event.kind not in {"task", "target"}:
        return True
    target = event.payload.get("target") or ""
    if event.kind == "target":
        return key is None or key.may_use(target, target)
    # An event does not say which host of a wildcard's target it is about, so that a key for one of them goes without.
    return may_reach(key, Ownership(event.payload.get("key_id"), target, target), Scope.READ_ALL)


async def _select(events: AsyncIterator[FleetEvent], key: ApiKey | None) -> AsyncIterator[FleetEvent]:
    async for event in events:
        if may_hear(event, key):
            yield event


async def _take(events: AsyncIterator[FleetEvent]) -> FleetEvent:
    return await anext(events)
