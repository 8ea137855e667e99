"""A login that wants a user, a password and a captcha, and repeats what it knows wherever it can."""

import asyncio
from typing import Any

from aiohttp import web

from captchad.client.callbacks import verify_callback
from captchad.sample_site.drawing import pick_text
from tests.system.own_site import OwnSite

ECHOES = {
    "plain": "",
    # Others show what is typed at once: over the button, in an address, in the captcha's name.
    "covered": "<div id=echo style='position: fixed; inset: 0; display: none'></div>"
    "<script>password.oninput = () => { echo.style.display = 'block'; echo.textContent = password.value }</script>",
    "picture": "<script>password.oninput = () => { document.images[0].src = `/none/${password.value}.png` }</script>",
    "named": "<script>password.oninput = () => { document.images[0].alt = `captcha ${password.value}` }</script>",
}
SESSION_COOKIE, TOKEN_HEADER, STORED_NAME = "sid", "Authorization", "token"
LEFT_COOKIE = "left"


class CarelessSite(OwnSite):
    """Remembers what it was sent; `left` is what it leaves in the browser, `callbacks` what it was called back with."""

    def __init__(self, left: str, callback_secret: str) -> None:
        self.sent: list[dict[str, str]] = []
        self.callbacks: list[dict[str, Any]] = []
        self.is_waiting = asyncio.Event()
        self._left = left
        self._callback_secret = callback_secret
        super().__init__(
            web.get("/page/{echo}", self._show),
            web.get("/away", self._lead_away),
            web.get("/never", self._wait),
            web.post("/login", self._log_in),
            web.get("/captcha.png", self._draw),
            web.post("/called/{status}", self._take_callback),
        )

    async def _show(self, request: web.Request) -> web.Response:
        cookie, header = request.cookies.get(SESSION_COOKIE, ""), request.headers.get(TOKEN_HEADER, "")
        page = (
            f"<title>{cookie} {header}</title><p>You are {cookie}, {header}</p><button id=start>Log in</button>"
            "<form method=post action=/login><input id=user name=user><input id=password name=password type=password>"
            f"<img src='/captcha.png?sid={cookie}' alt='captcha {cookie} {header}' name='{cookie}'>"
            "<input id=code name=code><button id=send>Log in</button></form>"
            f"<script>document.body.append(localStorage.getItem('{STORED_NAME}'))</script>"
        )
        response = web.Response(text=page + ECHOES[request.match_info["echo"]], content_type="text/html")
        response.set_cookie(LEFT_COOKIE, self._left)
        return response

    async def _lead_away(self, request: web.Request) -> web.Response:
        raise web.HTTPFound(f"http://127.0.0.2:1/{request.cookies.get(SESSION_COOKIE, '')}?{self._left}")

    async def _wait(self, _: web.Request) -> web.Response:
        self.is_waiting.set()
        await asyncio.Event().wait()
        raise web.HTTPGone

    async def _log_in(self, request: web.Request) -> web.Response:
        self.sent.append({name: str(value) for name, value in (await request.post()).items()})
        text = f"<p id=welcome>Welcome, {self.sent[-1]['user']}; your password is {self.sent[-1]['password']}</p>"
        script = f"<script>localStorage.setItem('{LEFT_COOKIE}', '{self._left}')</script>"
        return web.Response(text=text + script, content_type="text/html")

    async def _draw(self, _: web.Request) -> web.Response:
        return self.show_picture(pick_text())

    async def _take_callback(self, request: web.Request) -> web.Response:
        self.callbacks.append(verify_callback(self._callback_secret, request.headers, await request.read()))
        return web.Response(status=int(request.match_info["status"]))
