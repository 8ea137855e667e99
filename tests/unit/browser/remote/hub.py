"""A hub that answers as a Selenium Grid does, from memory."""

import asyncio
from itertools import count
from typing import Any

from aiohttp import web


class ScriptedHub:
    """Keeps sessions; `others_first` opens one of others at the worst moment."""

    def __init__(self) -> None:
        self.sessions: dict[str, dict[str, Any]] = {}
        self.touched: list[str] = []
        self.others_first: str | None = None
        self.asked: asyncio.Event | None = None
        self.may_create: asyncio.Event | None = None
        self.ended = 0
        self.failures = 0
        self.status: Any = None
        self._numbers = count(1)
        self._runner: web.AppRunner | None = None
        self.url = ""

    async def start(self) -> None:
        application = web.Application()
        application.router.add_post("/session", self._create)
        application.router.add_delete("/session/{id}", self._end)
        application.router.add_get("/session/{id}/timeouts", self._touch)
        application.router.add_get("/status", self._status)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    def add(self, name: str) -> str:
        number = next(self._numbers)
        session_id = f"session-{number}"
        capabilities = {"se:name": name, "se:cdp": f"ws://172.17.0.9:4444/session/{session_id}/se/cdp"}
        self.sessions[session_id] = {"sessionId": session_id, "capabilities": capabilities, "start": f"{number:04d}"}
        return session_id

    @property
    def names(self) -> list[str]:
        return [session["capabilities"]["se:name"] for session in self.sessions.values()]

    async def _create(self, request: web.Request) -> web.Response:
        wanted = (await request.json())["capabilities"]["alwaysMatch"]
        if self.asked is not None and self.may_create is not None:
            self.asked.set()
            await self.may_create.wait()
        if self.others_first is not None:
            self.add(self.others_first)
        return web.json_response({"value": self.sessions[self.add(wanted["se:name"])]})

    def _fail(self) -> web.Response | None:
        """Be unwell for the next few requests."""
        if self.failures == 0:
            return None
        self.failures -= 1
        return web.Response(status=502, text="<html>bad gateway")

    async def _end(self, request: web.Request) -> web.Response:
        if (failure := self._fail()) is not None:
            return failure
        if self.sessions.pop(request.match_info["id"], None) is None:
            return web.json_response({"value": {"error": "invalid session id", "message": "no such one"}}, status=404)
        self.ended += 1
        return web.json_response({"value": None})

    async def _touch(self, request: web.Request) -> web.Response:
        if (failure := self._fail()) is not None:
            return failure
        if request.match_info["id"] not in self.sessions:
            return web.json_response({"value": {"error": "invalid session id", "message": "no such one"}}, status=404)
        self.touched.append(request.match_info["id"])
        return web.json_response({"value": {"implicit": 0}})

    async def _status(self, _: web.Request) -> web.Response:
        if self.status is not None:
            return web.json_response(self.status)
        slots = [{"session": session} for session in self.sessions.values()] + [{"session": None}]
        return web.json_response({"value": {"ready": True, "nodes": [{"slots": slots}]}})
