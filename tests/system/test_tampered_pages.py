"""Pages that tamper with what is read from them: each is read all the same, or fails with a code that says what it is.

Whatever a page puts in place of functions, times, names and headers, nothing of it is an internal error, and none of
its own words gets into an answer.
"""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from tests.integration.browser.hostile_site import HTML, HostileSite, once
from tests.patience import PATIENCE_SECONDS
from tests.redis_server import RedisServer
from tests.system.fleet import FINAL, UNLIMITED, Fleet, run_fleet
from tests.system.hostile_proof.siege import WAIT_SECONDS
from tests.system.test_hostile_proof import ANSWER_LIMIT_BYTES

FORM = (
    "<form id=f onsubmit=\"document.body.append('welcome back'); return false\"><img id=captcha src=/picture>"
    "<input name=captcha><button>go</button></form>"
)
FILL = {"input": "input[name^=captcha]", "submit": "button", "success": "text:welcome back"}
OWN_WORD = "owned"
EVIL = "{ get() { return { evil: ['owned'] } }, set() { throw new Error('owned') }, configurable: true }"
MEMBERS = "querySelectorAll getElementsByTagName createElement documentElement title URL scripts images forms evaluate"

READ = {
    "a false time": f"{FORM}<script>Object.defineProperty(performance, 'timeOrigin', {EVIL})</script>",
    "false clocks": f"{FORM}<script>performance.now = () => NaN; Date.now = () => 'owned'; Date = 1; "
    "performance.getEntries = () => { throw 'owned' }; Math.min = () => ({})</script>",
    "false lists": f"{FORM}<script>const map = Array.prototype.map; Array.prototype.map = function (...a) {{ "
    "return this.some((x) => x instanceof HTMLFormElement) ? 5 : map.apply(this, a) }</script>",
    "false JSON": f"{FORM}<script>Object.prototype.toJSON = () => 'owned'; Array.prototype.toJSON = () => 5; "
    "Object.prototype.then = (resolve) => resolve('owned')</script>",
    "false members": f"{FORM}<script>for (const name of ['mode', 'selector', 'index', 'candidates', 'fields', "
    f"'frames', 'state', 'value', 'id']) Object.defineProperty(Object.prototype, name, {EVIL})</script>",
    "false globals": f"{FORM}<script>for (const name of Object.getOwnPropertyNames(window)) "
    f"try {{ Object.defineProperty(window, name, {EVIL}) }} catch {{}}</script>",
    "names in place of members": f"{''.join(f'<form name={name}></form>' for name in MEMBERS.split())}{FORM}",
    "halves of characters in its storage": f"{FORM}<script>localStorage.setItem('a', '\\ud800x'); "
    "localStorage.setItem('\\udfff', 'y'); document.cookie = 'a=\\ud800x'; document.cookie = '=none'</script>",
    "halves of characters in its names": f"{FORM}<script>document.title = captcha.alt = captcha.className = '\\ud800'; "
    "history.replaceState(0, '', '#\\ud800')</script>",
    "errors of every kind": f"{FORM}<script>setTimeout(() => {{ throw {{ get stack() {{ throw 'owned' }} }} }}); "
    "setTimeout(() => { throw '\\ud800' }); Promise.reject(new Proxy({}, { get() { throw 'owned' } })); "
    "Error.prepareStackTrace = () => ({ evil: 1 }); console.log(new Proxy({}, { get() { throw 'owned' } }))</script>",
}
HEADERS = {
    "false timings": b'Server-Timing: a;dur=1e999;desc="owned", b;dur=NaN\r\nAge: -1\r\nTiming-Allow-Origin: \xff\r\n',
    "bytes that are no text": b"X-A: \x01\xff\xfe\x1b]0;owned\x07\r\nSet-Cookie: a=\xff\xfe\r\nLink: <\xff>\r\n",
    "false dates": b"Date: Fri, 31 Dec 99999 23:59:59 GMT\r\nSet-Cookie: a=b; Max-Age=99999999999999999999\r\n",
}
NOT_READ = {
    "no document": "<script>document.documentElement.remove()</script>",
    "a false vendor": "<div class=g-recaptcha></div><script>const find = Array.prototype.find; "
    "Array.prototype.find = function (...a) { const r = find.apply(this, a); return Array.isArray(r) ? ['owned'] : r }"
    "</script>",
    "a title of its own": "<title>owned</title><p>nothing<script>throw new Error('owned')</script>",
}
CODES = {"captcha_not_found", "unsupported_captcha", "navigation_failed"}


def put_pages(site: HostileSite) -> dict[str, str]:
    """Put every page on a site; return their paths by name."""
    pages = {name: once(HTML, b"\r\n<!doctype html><body>", html.encode()) for name, html in (READ | NOT_READ).items()}
    pages |= {name: once(HTML, lines, b"\r\n<!doctype html><body>", FORM.encode()) for name, lines in HEADERS.items()}
    paths = {name: f"/page-{number}" for number, name in enumerate(pages)}
    site.answers |= {paths[name]: answer for name, answer in pages.items()}
    return paths


async def solve(fleet: Fleet, url: str) -> str:
    """Return the final answer about a task as it came, with all that can be asked for."""
    fields: dict[str, Any] = {"fill": FILL, "return_session": True, "evidence": True, "retry_count": 0}
    task_id = await fleet.submit("", url=url, timeout=PATIENCE_SECONDS, **fields)
    while True:
        async with fleet.client.get(f"{fleet.gateway_url}/task_status/{task_id}?wait={WAIT_SECONDS}") as response:
            text = await response.text()
        if json.loads(text)["status"] in FINAL:
            return text


@pytest.mark.timeout(600)
async def test_a_page_that_tampers_with_its_answers_is_read_or_told_by_its_kind(
    tmp_path: Path, own_redis: RedisServer
) -> None:
    async with HostileSite().serving() as site:
        paths = put_pages(site)
        target = {"host": "127.0.0.1", "ports": [site.port], "allow_private_addresses": True, **UNLIMITED}
        settings = {"security": {"targets": [target], "session_key": "k" * 44}}
        async with run_fleet(tmp_path, own_redis.url, "gateway", "scheduler", "worker", settings=settings) as fleet:
            texts = await asyncio.gather(*(solve(fleet, site.url(path)) for path in paths.values()))
            for name, text in zip(paths, texts, strict=True):
                answer = json.loads(text)
                assert len(text.encode()) <= ANSWER_LIMIT_BYTES, name
                if name in NOT_READ:
                    assert answer["error"]["code"] in CODES, (name, answer["error"])
                    assert OWN_WORD not in text, name
                else:
                    assert answer["status"] == "completed", (name, answer["error"])
                    assert answer["result"]["verified"] is True, name
            for role in fleet.roles:
                assert "Traceback" not in role.log, role.log
                assert OWN_WORD not in role.log
