"""Pages that take what they can of a worker: its memory, its event loop, and the words it writes."""

import gzip

from tests.integration.browser.hostile_site import HTML, PNG, HostileSite, once, page
from tests.integration.browser.stage import CAPTCHA_PNG

FIELD = "<input name=captcha>"
CAPTCHA = f"<img id=captcha src=/picture>{FIELD}"
UNPACKED_BYTES = 50 << 20

_LONG = "const slice = String.prototype.slice; String.prototype.slice = function (a, b) { return b === 300 ? "
_PICTURES = (
    "<form><input name=code><div id=box></div></form><script>const box = document.getElementById('box'); "
    "for (let i = 0; i < 12; i++) { const d = new Image(100, 40); d.src = '/picture?' + i; d.className = 'q'; "
    "box.append(d) }"
)
_STEERING = "'\\u001b]0;owned\\u0007\\u001b[2J\\u202e\\u009b31m\\n2026-01-01T00:00:00.000Z error worker-1 forged: line'"

ATTACKS = {
    "texts that unfold": f"{_PICTURES} {_LONG}Math.random() + '\\uFDFA'.repeat(60000) : slice.call(this, a, b) }}"
    "</script>",
    "texts that are new at each look": f"{_PICTURES} setInterval(() => box.append('.'), 100); {_LONG}"
    "Math.random() + 'k'.repeat(600000) : slice.call(this, a, b) }</script>",
    "honest texts that unfold": "<form id=f></form><script>for (let i = 0; i < 60; i++) f.insertAdjacentHTML("
    "'beforeend', `<label>${'\\uFDFA'.repeat(90)}<input name='${i}${'\\uFDFA'.repeat(110)}'></label>"
    "<img class='${'\\uFDFA'.repeat(110)}${i}' width=100 height=40 src='/picture?${i}'>`); "
    "setInterval(() => f.append(Math.random()), 50)</script>",
    "a canvas of a gigabyte": f"<canvas id=captcha width=16000 height=16000></canvas>{FIELD}<script>"
    "const c = captcha.getContext('2d'); for (let i = 0; i < 4000; i++) { c.fillStyle = '#' + "
    "Math.floor(Math.random() * 16777215).toString(16).padStart(6, '0'); "
    "c.fillRect(Math.random() * 16000, Math.random() * 16000, 300, 300) }</script>",
    "a picture that unpacks": f"<img id=captcha src=/packed>{FIELD}",
    "a blob of 75 MB": f"<img id=captcha>{FIELD}<script>fetch('/picture').then((r) => r.blob()).then((b) => {{ "
    "captcha.src = URL.createObjectURL(new Blob([b, new Uint8Array(75e6)], { type: 'image/png' })) })</script>",
    "places without end": "<script>setInterval(() => { for (let i = 0; i < 400; i++) "
    "location.hash = Math.random() + 'x'.repeat(1000) }, 1)</script>",
    "long addresses without end": "<script>let i = 0; setInterval(() => { for (let j = 0; j < 100; j++) "
    "history.replaceState(0, '', '/?' + (i++) + 'x'.repeat(50000)) }, 1)</script>",
    "an address of 2 MB": "<p>nothing<script>history.pushState(0, '', '/?' + 'x'.repeat(2e6))</script>",
    "words for a terminal": f"<div class=g-recaptcha></div><script>document.title = {_STEERING}; "
    f"const find = Array.prototype.find; Array.prototype.find = function (...a) {{ const r = find.apply(this, a); "
    f"return Array.isArray(r) && typeof r[0] === 'string' ? [{_STEERING}, r[1]] : r }}</script>",
    "a name for a terminal": f"<img id=box width=150 height=50 src=/picture>{FIELD}<script>"
    f"box.className = 'captcha' + {_STEERING}</script>",
    "errors for a terminal": f"{CAPTCHA}<script>document.body.querySelectorAll = 0; throw new Error({_STEERING})"
    "</script>",
    "a storage of 5 MB": f"{CAPTCHA}<script>for (let i = 0; i < 50; i++) try {{ "
    "localStorage['k' + i] = 'x'.repeat(1e5) } catch { break }</script>",
}
"""All but the last three have no captcha that can be read, or none in time."""

WANTS_SESSION = {"a storage of 5 MB"}
NOT_FOUND = {"an address of 2 MB"}


def put_attacks(site: HostileSite) -> dict[str, str]:
    """Put every attack on a site; return their paths by name."""
    site.answers["/packed"] = once(
        PNG, b"Content-Encoding: gzip\r\n\r\n", gzip.compress(CAPTCHA_PNG + bytes(UNPACKED_BYTES))
    )
    paths = {name: f"/attack-{number}" for number, name in enumerate(ATTACKS)}
    for name, path in paths.items():
        site.answers[path] = page(ATTACKS[name])
        if name in NOT_FOUND:
            html = ATTACKS[name].encode()
            site.answers[path] = once(HTML.replace(b"200 OK", b"404 Not Found"), b"\r\n<!doctype html><body>", html)
    return paths
