"""A page with a captcha, on a server in a thread: it may be visited from any kind of test."""

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from captchad.sample_site.drawing import Artist, pick_text

FORM = """<!doctype html><form method="post"><p class="error">{error}</p><img id="captcha" src="/picture?{nonce}">
<input name="user"><input name="code"><button>Go on</button></form>"""

# Sends by itself, keeps the page, and draws another picture only where it is asked for one.
SCRIPT_PAGE = """<!doctype html><form><p class="error"></p><img id="captcha" src="/picture?first">
<input name="code"><button>Go on</button><a id="refresh" href="#">another</a></form><script>
const form = document.forms[0];
document.querySelector("#refresh").onclick = () => {
  document.querySelector("#captcha").src = "/picture?" + Math.random();
};
form.onsubmit = async (event) => {
  event.preventDefault();
  const sent = new URLSearchParams({code: form.code.value});
  const answer = await fetch("/script", {method: "POST", body: sent});
  if (answer.ok) { document.body.innerHTML = "<h1>Welcome</h1>"; return; }
  document.querySelector(".error").textContent = "Wrong code";
  form.code.value = "";
};
</script>"""


@dataclass(frozen=True)
class Reply:
    content: bytes
    kind: str = "text/html"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


class CaptchaPage:
    """Draws a picture for each request of one, and takes each text once.

    `/` is made anew by the server for each answer, and `/script` sends by itself. `/gone` takes any answer and shows
    nothing.
    """

    def __init__(self) -> None:
        self.truth = ""
        self.pictures = 0
        self.answers: list[dict[str, str]] = []
        self._artist = Artist()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._make_handler())

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def show(self, path: str) -> Reply:
        if path == "/picture":
            self.truth, self.pictures = pick_text(), self.pictures + 1
            return Reply(self._artist.draw(self.truth), "image/png")
        if path == "/script":
            return Reply(SCRIPT_PAGE.encode())
        return Reply(b"<h1>Welcome</h1>") if path == "/welcome" else self._show_form("")

    def take(self, path: str, sent: dict[str, str]) -> Reply:
        self.answers.append(sent)
        is_right, self.truth = sent.get("code") == self.truth, secrets.token_hex()
        if path == "/gone":
            return Reply(b"<p>Thank you</p>")
        if path == "/script":
            return Reply(b"", status=200 if is_right else 400)
        return Reply(b"", status=303, headers={"Location": "/welcome"}) if is_right else self._show_form("Wrong code")

    def _show_form(self, error: str) -> Reply:
        return Reply(FORM.format(error=error, nonce=secrets.token_hex(4)).encode())

    def _make_handler(page) -> type[BaseHTTPRequestHandler]:  # noqa: N805
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._send(page.show(urlsplit(self.path).path))

            def do_POST(self) -> None:
                content = self.rfile.read(int(self.headers["Content-Length"])).decode()
                self._send(page.take(self.path, {name: values[0] for name, values in parse_qs(content).items()}))

            def log_message(self, *arguments: object) -> None:
                """Keep quiet."""

            def _send(self, reply: Reply) -> None:
                self.send_response(reply.status)
                length = {"Content-Type": reply.kind, "Content-Length": str(len(reply.content))}
                for name, value in {**length, "Cache-Control": "no-store", **reply.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(reply.content)

        return Handler


@contextmanager
def serve_captcha_page() -> Iterator[CaptchaPage]:
    """Serve the page until the test ends."""
    page = CaptchaPage()
    server = page.server
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield page
    server.shutdown()
    thread.join()
    server.server_close()
