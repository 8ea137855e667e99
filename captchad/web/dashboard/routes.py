"""Routes of the monitor's page: the page itself, its files, one snapshot, and the stream of snapshots."""

from contextlib import suppress
from dataclasses import replace
from http import HTTPStatus

import orjson
from aiohttp import web

from captchad.domain.api_key import ApiKey, Scope
from captchad.intake.admission import find_ownership, may_reach
from captchad.monitoring.fleet_monitor import FleetMonitor, FleetView
from captchad.web.dashboard.representation import represent_view
from captchad.web.dashboard.static_files import StaticFile, load_static_files
from captchad.web.middleware.access import caller_of
from captchad.web.middleware.prefix import find_prefix
from captchad.web.routes import Route, add_routes

HEARTBEAT_SECONDS = 3.0
SNAPSHOT_AGE_SECONDS = 1.0
RECONNECT_MILLISECONDS = 1000
INDEX = "index.html"
PAGE_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'self'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
    ),
    "Cache-Control": "no-cache",
}
STREAM_HEADERS = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "X-Accel-Buffering": "no",
}


class Dashboard:
    """The handlers; a view is turned into bytes once, however many look at it with keys that may see all tasks."""

    def __init__(self, monitor: FleetMonitor) -> None:
        self._monitor = monitor
        self._files = load_static_files()
        self._encoded_number = -1
        self._encoded = b""

    async def answer_page(self, request: web.Request) -> web.StreamResponse:
        """Answer the page; below the prefix that a trusted proxy names."""
        return _answer_file(request, self._files[INDEX].with_base(find_prefix(request)))

    async def answer_file(self, request: web.Request) -> web.StreamResponse:
        """Answer one of the page's files."""
        file = self._files.get(request.match_info["name"])
        if file is None:
            raise web.HTTPNotFound
        return _answer_file(request, file)

    async def answer_snapshot(self, request: web.Request) -> web.StreamResponse:
        """Answer the fleet as it is now, recent tasks included."""
        with self._monitor.watching():
            view = await self._monitor.refresh(SNAPSHOT_AGE_SECONDS)
        return web.Response(body=self._encode_for(caller_of(request), view), content_type="application/json")

    async def stream_snapshots(self, request: web.Request) -> web.StreamResponse:
        """Send a snapshot at once, then each newer one, and one at least every few seconds.

        A reader that is slower than the snapshots gets the newest, never a backlog.
        """
        response, key = web.StreamResponse(headers=STREAM_HEADERS), caller_of(request)
        await response.prepare(request)
        with self._monitor.watching(), suppress(ConnectionResetError):
            view = await self._monitor.refresh(SNAPSHOT_AGE_SECONDS)
            await response.write(b"retry: %d\n\n" % RECONNECT_MILLISECONDS)
            while not self._monitor.is_closing:
                body = self._encode_for(key, view)
                await response.write(b"id: %d\nevent: snapshot\ndata: %s\n\n" % (view.number, body))
                view = await self._monitor.wait_newer(view.number, HEARTBEAT_SECONDS)
        return response

    async def release_streams(self, _: web.Application) -> None:
        """End every stream, since the server is about to."""
        self._monitor.release_watchers()

    def _encode_for(self, key: ApiKey | None, view: FleetView) -> bytes:
        """Return a view as JSON, with the tasks that a key may see."""
        if key is None or (key.allows(Scope.READ_ALL) and not key.targets):
            return self._encode(view)
        withheld = 0
        if view.snapshot is not None and view.snapshot.tasks is not None:
            owned = ((task, find_ownership(task.request)) for task in view.snapshot.tasks)
            shown = tuple(task for task, ownership in owned if may_reach(key, ownership, Scope.READ_ALL))
            withheld = len(view.snapshot.tasks) - len(shown)
            view = replace(view, snapshot=replace(view.snapshot, tasks=shown))
        return orjson.dumps(represent_view(view, self._monitor.age_seconds(), withheld))

    def _encode(self, view: FleetView) -> bytes:
        if view.number != self._encoded_number:
            self._encoded = orjson.dumps(represent_view(view, self._monitor.age_seconds()))
            self._encoded_number = view.number
        return self._encoded


def add_dashboard_routes(app: web.Application, monitor: FleetMonitor, are_keys_required: bool) -> None:
    """Add the page at `/`.

    The page holds no data of its own: where keys are required it is open, so that it can ask for one; without
    keys it is guarded like the data, by the Host header.
    """
    dashboard = Dashboard(monitor)
    page_scope = None if are_keys_required else Scope.READ
    add_routes(
        app,
        (
            Route("GET", "/", dashboard.answer_page, page_scope, "The fleet as a live page"),
            Route("GET", "/static/{name}", dashboard.answer_file, page_scope, "A file of the page"),
            Route("GET", "/api/snapshot", dashboard.answer_snapshot, Scope.READ, "The fleet now"),
            Route("GET", "/events", dashboard.stream_snapshots, Scope.READ, "The fleet, live", is_stream=True),
        ),
    )
    app.on_shutdown.append(dashboard.release_streams)


def _answer_file(request: web.Request, file: StaticFile) -> web.StreamResponse:
    headers = {**PAGE_HEADERS, "ETag": f'"{file.etag}"'}
    if any(tag.value == file.etag for tag in request.if_none_match or ()):
        return web.Response(status=HTTPStatus.NOT_MODIFIED, headers=headers)
    return web.Response(body=file.body, headers=headers, content_type=file.content_type, charset="utf-8")
