"""No task sees what another left, in a fresh tab or one used again: every hiding place is planted and looked at.

The engine is configured by the very function that configures it in the benchmarks.
"""

import json
from typing import Any

import pytest
from aiohttp import web

from captchad.domain.page import PageOrder
from tests.benchmarks.browser.configuration import REUSE_MODES
from tests.integration.browser.stage import CAPTCHA_PNG, LocalSite, Stage

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.parametrize("shared_stage", REUSE_MODES, indirect=True, scope="module"),
]

DONE = "document.body.insertAdjacentHTML('beforeend', '<img id=captcha src=/picture>')"
PAGE = "<script>(async () => { try { %s } catch (e) { await report('/error', String(e)) } finally { %s } })()</script>"
REPORT = (
    "<script>const report = (path, what) => fetch(path, {method: 'POST', body: JSON.stringify(what)});"
    "const value = (request) => new Promise((resolve) => {request.onsuccess = () => resolve(request.result);"
    "request.onerror = () => resolve(null)})</script>"
)

ERASED_PLANTS = {
    "a cookie of a script": "document.cookie = 'planted=1; path=/; max-age=9999'",
    "a cookie of the server": "await fetch('/cookie')",
    "local storage": "localStorage.setItem('planted', '1')",
    "session storage": "sessionStorage.setItem('planted', '1')",
    "session storage, written while leaving": "const write = () => sessionStorage.setItem('planted', '1');"
    "addEventListener('pagehide', write); addEventListener('beforeunload', write); sessionStorage.setItem('a', '1')",
    "local storage, written while leaving": "addEventListener('pagehide', () => localStorage.setItem('planted', '1'))",
    "storage of a frame": "document.body.append(Object.assign(document.createElement('iframe'), {src: '/frame'}));"
    "await new Promise((resolve) => {onmessage = resolve})",
    "a database": "const r = indexedDB.open('planted'); r.onupgradeneeded = () => r.result.createObjectStore('x');"
    "(await value(r)).close()",
    "cache storage": "await (await caches.open('planted')).put('/planted', new Response('planted'))",
    "a private file": "await (await navigator.storage.getDirectory()).getFileHandle('planted', {create: true})",
    "a storage bucket": "await navigator.storageBuckets?.open('planted')",
    "the HTTP cache": "await fetch('/cached')",
    "the memory cache": "const i = new Image(); i.src = '/cached.png'; await i.decode(); document.body.append(i)",
    "a window name": "window.name = 'planted'",
    "history": "for (let n = 0; n < 5; n++) history.pushState({planted: n}, '', '#' + n)",
    "a service worker": "await navigator.serviceWorker?.register('/worker.js')",
    "a permission": "await Promise.race([Notification.requestPermission(), new Promise((r) => setTimeout(r, 300))])",
    "a blob": "await report('/blob', URL.createObjectURL(new Blob(['planted'])))",
    "a timer": "setInterval(() => new BroadcastChannel('planted').postMessage(1), 20)",
    "a lock": "navigator.locks.request('planted', () => new Promise(() => {}))",
}
"""What is taken out of a context, so that it serves again."""

DOOMED_PLANTS = {
    "a login": "const x = new XMLHttpRequest(); x.open('GET', '/private', true, 'user', 'secret');"
    "await new Promise((resolve) => {x.onloadend = resolve; x.send()})",
    "a login of a worker": "await new Promise((resolve) => {new Worker(URL.createObjectURL(new Blob([`const x = new "
    "XMLHttpRequest(); x.open('GET', '${location.origin}/private', true, 'user', 'secret');"
    "x.onloadend = () => postMessage(1); x.send()`]))).onmessage = resolve})",
    "a dedicated worker": "new Worker(URL.createObjectURL(new Blob([`setInterval(() => {const c = new "
    "BroadcastChannel('planted'); c.postMessage(1)}, 20)`])))",
    "a shared worker": "new SharedWorker('/shared.js'); await new Promise((r) => setTimeout(r, 300))",
    "another window": "open('/other', 'planted')",
}
"""What ends a context, because nothing can be trusted to take it out."""

DOOMED_HEADERS = {
    "client hints": {"Accept-CH": "Device-Memory, DPR, Sec-CH-UA-Arch", "Critical-CH": "Device-Memory"},
    "an agent cluster": {"Origin-Agent-Cluster": "?0"},
}
"""Headers of a page that its browser remembers for the next one."""

LOOK = """
  const seen = {};
  seen.cookie = document.cookie;
  seen.local = Object.keys(localStorage).join();
  seen.session = Object.keys(sessionStorage).join();
  seen.databases = (await indexedDB.databases()).map((d) => d.name).join();
  seen.caches = (await caches.keys()).join();
  const files = [];
  for await (const name of (await navigator.storage.getDirectory()).keys()) files.push(name);
  seen.files = files.join();
  seen.buckets = (await navigator.storageBuckets?.keys() ?? []).join();
  seen.usage = (await navigator.storage.estimate()).usage;
  seen.name = window.name;
  seen.history = history.length;
  seen.state = history.state;
  seen.opener = window.opener;
  seen.referrer = document.referrer;
  seen.workers = (await navigator.serviceWorker?.getRegistrations() ?? []).length;
  seen.controller = Boolean(navigator.serviceWorker?.controller);
  for (const name of ['notifications', 'geolocation', 'clipboard-read', 'persistent-storage'])
    seen[name] = (await navigator.permissions.query({name})).state;
  seen.locks = (await navigator.locks.query()).held.length;
  seen.heard = await new Promise((resolve) => {
    new BroadcastChannel('planted').onmessage = () => resolve(true); setTimeout(() => resolve(false), 120)});
  const blob = await (await fetch('/blob')).json();
  seen.blob = blob && await fetch(blob).then(() => true, () => false);
  seen.private = (await fetch('/private')).status;
  seen.cluster = originAgentCluster;
  await fetch('/cached');
  const i = new Image(); i.src = '/cached.png'; await i.decode();
  const shared = new SharedWorker('/shared.js');
  seen.shared = await new Promise((resolve) => {shared.port.onmessage = (e) => resolve(e.data)});
  await report('/seen', seen);
"""


class PlantedSite:
    """A site that plants one thing at `/plant` and says at `/look` what a page finds."""

    def __init__(self, site: LocalSite) -> None:
        self.site = site
        self.seen: dict[str, Any] = {}
        self.errors: list[str] = []
        self._blob: str | None = None
        site.put_picture("/picture", CAPTCHA_PNG, **{"Cache-Control": "no-store"})
        site.put_picture("/cached.png", CAPTCHA_PNG, **{"Cache-Control": "max-age=9999"})
        site.put_page(
            "/frame", "<script>sessionStorage.planted = 1; localStorage.planted = 1; parent.postMessage(1)</script>"
        )
        site.put_page("/other", "<script>localStorage.planted = 1</script>")
        site.put("/cookie", self._answer("", {"Set-Cookie": "planted=2; HttpOnly; Path=/; Max-Age=9999"}))
        site.put("/cached", self._answer("cached", {"Cache-Control": "max-age=9999"}))
        script = {"Content-Type": "text/javascript"}
        site.put("/worker.js", self._answer("", script))
        site.put("/shared.js", self._answer("let n = 0; onconnect = (e) => e.ports[0].postMessage(++n)", script))
        site.put("/private", self._guard)
        site.put("/blob", self._keep_blob)
        site.put("/seen", self._note_seen)
        site.put("/error", self._note_error)
        site.put("/look", self._show_look)

    def plant(self, script: str) -> None:
        self.site.put_page("/plant", REPORT + PAGE % (script, DONE))

    def plant_headers(self, headers: dict[str, str]) -> None:
        page = f"<!doctype html><body>{REPORT}{PAGE % ('', DONE)}"
        self.site.put("/plant", self._answer(page, {**headers, "Content-Type": "text/html"}))

    async def _show_look(self, request: web.Request) -> web.StreamResponse:
        self.sent_cookie = request.headers.get("Cookie")
        self.sent_hints = {name.lower() for name in request.headers} & {"device-memory", "dpr", "sec-ch-ua-arch"}
        return web.Response(text=f"<!doctype html><body>{REPORT}{PAGE % (LOOK, DONE)}", content_type="text/html")

    @staticmethod
    def _answer(text: str, headers: dict[str, str]) -> Any:
        async def answer(_: web.Request) -> web.StreamResponse:
            return web.Response(text=text, headers=headers)

        return answer

    async def _guard(self, request: web.Request) -> web.StreamResponse:
        if "Authorization" in request.headers:
            return web.Response(text="welcome")
        # What a page asks for by itself must not end in a login: only who comes with one is let in.
        challenge = {"WWW-Authenticate": 'Basic realm="x"'}
        return web.Response(status=401, headers=challenge)

    async def _keep_blob(self, request: web.Request) -> web.StreamResponse:
        if request.method == "POST":
            self._blob = await request.json()
        return web.json_response(self._blob)

    async def _note_seen(self, request: web.Request) -> web.StreamResponse:
        self.seen = json.loads(await request.text())
        return web.Response()

    async def _note_error(self, request: web.Request) -> web.StreamResponse:
        self.errors.append(await request.text())
        return web.Response()


async def visit(stage: Stage, site: LocalSite, path: str, key_id: str | None = "key", target: str = "here") -> None:
    await stage.visit(PageOrder(site.url(path), target, key_id=key_id))


async def check_sees_nothing(stage: Stage, planted: PlantedSite) -> None:
    hits_before = dict(planted.site.hits)
    await visit(stage, planted.site, "/look")
    assert not planted.errors
    assert planted.sent_cookie is None
    assert not planted.sent_hints
    fresh_history = planted.seen.pop("history")
    assert fresh_history <= 2
    assert planted.seen == {
        "cookie": "",
        "local": "",
        "session": "",
        "databases": "",
        "caches": "",
        "files": "",
        "buckets": "",
        "usage": 0,
        "name": "",
        "state": None,
        "opener": None,
        "referrer": "",
        "workers": 0,
        "controller": False,
        "notifications": planted.seen["notifications"],
        "geolocation": planted.seen["geolocation"],
        "clipboard-read": planted.seen["clipboard-read"],
        "persistent-storage": planted.seen["persistent-storage"],
        "locks": 0,
        "heard": False,
        "blob": planted.seen["blob"] and None,
        "private": 401,
        "cluster": True,
        "shared": 1,
    }
    for path in ("/cached", "/cached.png"):
        assert planted.site.hits[path] == hits_before.get(path, 0) + 1


@pytest.mark.parametrize("script", ERASED_PLANTS.values(), ids=ERASED_PLANTS.keys())
async def test_nothing_is_left_of(script: str, stage: Stage, site: LocalSite) -> None:
    planted = PlantedSite(site)
    planted.plant(script)
    reused_before = stage.engine.figures().reused_tabs
    await visit(stage, site, "/plant")
    await check_sees_nothing(stage, planted)
    is_reused = stage.engine.figures().reused_tabs > reused_before
    assert is_reused == (stage.reuse == "same_target")


@pytest.mark.parametrize("script", DOOMED_PLANTS.values(), ids=DOOMED_PLANTS.keys())
async def test_a_context_is_thrown_away_with(script: str, stage: Stage, site: LocalSite) -> None:
    planted = PlantedSite(site)
    planted.plant(script)
    reused_before = stage.engine.figures().reused_tabs
    await visit(stage, site, "/plant")
    await check_sees_nothing(stage, planted)
    assert stage.engine.figures().reused_tabs == reused_before


@pytest.mark.parametrize("headers", DOOMED_HEADERS.values(), ids=DOOMED_HEADERS.keys())
async def test_a_context_is_thrown_away_after_a_page_with_headers_for(
    headers: dict[str, str], stage: Stage, site: LocalSite
) -> None:
    planted = PlantedSite(site)
    planted.plant_headers(headers)
    reused_before = stage.engine.figures().reused_tabs
    await visit(stage, site, "/plant")
    await check_sees_nothing(stage, planted)
    assert stage.engine.figures().reused_tabs == reused_before
