"""A session goes in as Playwright saves it, and comes out so that Playwright, requests and curl go on with it."""

import asyncio
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from aiohttp import web
from playwright.async_api import async_playwright

from captchad.browser.launch.executable import PATH_NAMES
from captchad.sample_site.drawing import pick_text
from tests.patience import PATIENCE_SECONDS
from tests.redis_server import RedisServer
from tests.system.fleet import UNLIMITED, Fleet, run_fleet
from tests.system.own_site import OwnSite

DOCUMENT = Path(__file__).parents[2] / "docs" / "sessions-and-forms.md"
DOCUMENTED_URL = "http://127.0.0.1:8090/"
DOCUMENTED_BROWSER = 'executable_path="/usr/bin/chromium-headless-shell"'
FOREIGN_COOKIE = {
    "name": "t",
    "value": "1",
    "domain": ".tracker.example.org",
    "path": "/",
    "expires": -1,
    "httpOnly": True,
    "secure": True,
    "sameSite": "None",
}
FOREIGN_ORIGIN = {"origin": "https://tracker.example.org", "localStorage": [{"name": "id", "value": "7"}]}


class AccountSite(OwnSite):
    """A login behind a captcha, and an account that shows whose it is, and in a browser what is stored."""

    def __init__(self) -> None:
        self.visitors: list[tuple[str | None, str]] = []
        super().__init__(
            web.get("/", self._show),
            web.post("/login", self._log_in),
            web.get("/captcha.png", self._draw),
            web.get("/account", self._show_account),
        )

    async def _show(self, _: web.Request) -> web.Response:
        form = (
            "<form method=post action=/login><img id=captcha alt=captcha><input id=code name=code>"
            "<button id=send>Log in</button></form>"
            "<script>captcha.src = `/captcha.png?theme=${localStorage.getItem('theme')}`</script>"
        )
        return web.Response(text=form, content_type="text/html")

    async def _log_in(self, _: web.Request) -> web.Response:
        text = "<p id=welcome>Welcome</p><script>localStorage.setItem('theme', 'dark')</script>"
        response = web.Response(text=text, content_type="text/html")
        response.set_cookie("sid", "anna", httponly=True, samesite="Lax")
        return response

    async def _draw(self, request: web.Request) -> web.Response:
        self.visitors.append((request.cookies.get("sid"), request.query["theme"]))
        return self.show_picture(pick_text())

    async def _show_account(self, request: web.Request) -> web.Response:
        script = "<script>who.append(localStorage.getItem('theme'))</script>"
        text = f"<p id=who>user: {request.cookies.get('sid')}, </p>{script}"
        return web.Response(text=text, content_type="text/html")


def read_examples(port: int) -> dict[str, str]:
    """Return the document's examples by the tool they go on with, for the site of the test."""
    blocks = re.findall(r"^```(python|sh)\n(.*?)^```$", DOCUMENT.read_text(), re.DOTALL | re.MULTILINE)
    here = [re.sub(rf"{DOCUMENTED_URL}(?=[\"\s])", f"http://127.0.0.1:{port}/account", text) for _, text in blocks]
    found = {tool: text for tool in ("playwright", "requests", "curl") for text in here if tool in text}
    assert len(found) == 3
    return found


async def run_example(example: str, folder: Path, *command: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *command, "-c", example, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    output, errors = await asyncio.wait_for(process.communicate(), PATIENCE_SECONDS)
    assert process.returncode == 0, errors.decode()
    return output.decode()


def find_browser() -> str:
    return next(path for name in PATH_NAMES if (path := shutil.which(name)))


def configure(site: AccountSite) -> dict[str, Any]:
    target = {"host": "127.0.0.1", "ports": [site.port], "allow_private_addresses": True, **UNLIMITED}
    return {"security": {"targets": [target], "session_key": "k" * 44}}


async def log_in(fleet: Fleet, site: AccountSite) -> dict[str, Any]:
    fill = {"input": "#code", "submit": "#send", "success": "#welcome"}
    task_id = await fleet.submit("", url=f"http://127.0.0.1:{site.port}/", fill=fill, return_session=True)
    [answer] = await fleet.wait_final([task_id])
    assert answer["status"] == "completed", answer
    return answer


async def test_a_login_goes_on_in_playwright_requests_and_curl(tmp_path: Path, own_redis: RedisServer) -> None:
    async with (
        AccountSite() as site,
        run_fleet(tmp_path, own_redis.url, "gateway", "scheduler", "worker", settings=configure(site)) as fleet,
    ):
        (tmp_path / "answer.json").write_text(json.dumps(await log_in(fleet, site)))
        examples = read_examples(site.port)
        assert DOCUMENTED_BROWSER in examples["playwright"]
        in_playwright = examples["playwright"].replace(DOCUMENTED_BROWSER, f"executable_path={find_browser()!r}")
        assert "user: anna, dark" in await run_example(in_playwright, tmp_path, sys.executable)
        assert "user: anna, " in await run_example(examples["requests"], tmp_path, sys.executable)
        in_curl = examples["curl"].replace("python3", sys.executable)
        assert "user: anna, " in await run_example(in_curl, tmp_path, "/bin/sh", "-e")


async def test_what_playwright_saved_goes_in_and_what_is_left_out_is_named(
    tmp_path: Path, own_redis: RedisServer
) -> None:
    async with (
        AccountSite() as site,
        run_fleet(tmp_path, own_redis.url, "gateway", "scheduler", "worker", settings=configure(site)) as fleet,
    ):
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=find_browser())
            page = await browser.new_page()
            await page.goto(f"http://127.0.0.1:{site.port}/")
            await page.click("#send")
            await page.wait_for_selector("#welcome")
            saved: Any = await page.context.storage_state()
            await browser.close()
        saved["cookies"].append(FOREIGN_COOKIE)
        saved["origins"].append(FOREIGN_ORIGIN)
        (tmp_path / "state.json").write_text(json.dumps(saved))
        submitted = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "captchad", "submit", f"http://127.0.0.1:{site.port}/"),
            *("--session", str(tmp_path / "state.json"), "--gateway", fleet.gateway_url, "--wait", "60"),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        output, errors = await submitted.communicate()
        assert submitted.returncode == 0, errors.decode()
        assert output.strip()
        assert site.visitors == [(None, "null"), ("anna", "dark")]
        assert errors.decode() == (
            "captchad: not given to the page, which would not be sent it: cookies of .tracker.example.org, "
            "storage of https://tracker.example.org\n"
        )
