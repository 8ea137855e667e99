"""A site of a test's own, on a free port of loopback."""

from collections.abc import Callable, Mapping
from typing import Self

from aiohttp import web

from captchad.sample_site.drawing import Artist


class OwnSite:
    """Serves some routes; what it still holds back is given up as it closes."""

    def __init__(self, *routes: web.RouteDef) -> None:
        self.draw: Callable[[str], bytes] = Artist().draw
        application = web.Application()
        application.add_routes(routes)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)

    async def start(self) -> None:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()

    async def close(self) -> None:
        await self._runner.cleanup()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def port(self) -> int:
        return int(self._runner.addresses[0][1])

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def show_picture(self, text: str, headers: Mapping[str, str] | None = None) -> web.Response:
        return web.Response(body=self.draw(text), content_type="image/png", headers=headers)
