"""A site whose form checks the answer, and a solver that reads its pictures as the test wants them read."""

from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape

from aiohttp import web

from captchad.broker.consumer import Delivery, Settlement
from captchad.domain.page import Fill
from captchad.domain.recognition import Hints, Recognition
from captchad.domain.task import TaskRequest, TaskResult
from captchad.solving.permission import LeaseLapsed
from captchad.solving.reading import PictureReader
from captchad.solving.solver import Solver
from captchad.solving.task_target import find_task_target
from captchad.telemetry.metrics import Metrics
from tests.integration.browser.stage import LocalSite, Stage, draw_picture
from tests.patience import PATIENCE_SECONDS
from tests.permits import make_permits

COOKIE = "visitor"
FORM = Fill("#answer", "#send", success="#welcome", failure=".error")
FIELDS = '<img id="captcha" src="/picture"><input id="answer" name="answer"><button id="send">Send</button>'
WELCOME = '<p id="welcome">Welcome back</p>'
ERROR = '<p class="error">That was wrong</p>'


class FormSite:
    """Draws each picture once, remembers for whom, and checks what is sent; tests put pages of their own on it."""

    def __init__(self, site: LocalSite) -> None:
        self.site = site
        self.texts: dict[bytes, str] = {}
        self.answers: list[tuple[str, str]] = []
        self.drawn_for: list[str] = []
        self._open: dict[str, str] = {}
        site.put("/", self._show)
        site.put("/picture", self.draw)
        site.put("/check", self._check)
        self.page = f'<form method="post" action="/check">{FIELDS}</form>'

    def show(self, html: str) -> None:
        """Put this on the first page."""
        self.page = html

    def is_right(self, visitor: str, answer: str) -> bool:
        """Take an answer; each picture can be answered once."""
        self.answers.append((visitor, answer))
        return self._open.pop(visitor, None) == answer

    async def _show(self, request: web.Request) -> web.StreamResponse:
        return self._answer(request, self.page)

    async def draw(self, request: web.Request) -> web.StreamResponse:
        visitor, text = request.cookies.get(COOKIE, ""), f"word{len(self.texts) + 1}"
        picture = draw_picture(text)
        self.texts[picture] = self._open[visitor] = text
        self.drawn_for.append(visitor)
        return web.Response(body=picture, content_type="image/png", headers={"Cache-Control": "no-store"})

    async def _check(self, request: web.Request) -> web.StreamResponse:
        form = await request.post()
        is_right = self.is_right(request.cookies.get(COOKIE, ""), str(form.get("answer", "")))
        return self._answer(request, WELCOME if is_right else ERROR + self.page)

    def _answer(self, request: web.Request, html: str) -> web.StreamResponse:
        response = web.Response(text=f"<!doctype html><body>{html}</body>", content_type="text/html")
        if COOKIE not in request.cookies:
            response.set_cookie(COOKIE, f"v{len(self.site.hits)}-{self.site.hits['/']}")
        return response


def put_script_form(form: FormSite, script: str) -> None:
    """Show a form that a script answers: `check(answer)` gives whether it is right, without leaving the page."""

    async def check(request: web.Request) -> web.StreamResponse:
        return web.json_response(form.is_right(request.cookies.get(COOKIE, ""), request.query["answer"]))

    form.site.put("/verdict", check)
    form.show(
        f"<form>{FIELDS}</form><p class=error hidden>That was wrong</p><p id=welcome hidden>Welcome back</p>"
        "<script>const show = (id, on) => document.querySelector(id).hidden = !on;"
        "const check = (answer) => fetch('/verdict?answer=' + answer).then((reply) => reply.json());"
        "const field = document.querySelector('#answer'), picture = document.querySelector('#captcha');"
        f"document.forms[0].addEventListener('submit', async (event) => {{ event.preventDefault(); {script} }});"
        "</script>"
    )


@dataclass
class FormStage:
    """Settles tasks on one form site; `misread` pictures are read wrong first, `permitted` answers may be sent."""

    stage: Stage
    form: FormSite
    misread: int = 0
    confidences: list[float] = field(default_factory=list)
    minimum_confidence: float = 0.0
    read: list[bytes] = field(default_factory=list)
    before_answer: Callable[[], object] = lambda: None
    permitted: int = 1000
    refusal: Exception = field(default_factory=LeaseLapsed)
    reading: Recognition | None = None
    collects_labels: bool = False

    async def settle(self, **request: object) -> Settlement:
        """Make one attempt at a task on the form's page."""
        wanted: dict[str, object] = {
            "url": self.form.site.url(),
            "fill": FORM,
            "timeout_seconds": PATIENCE_SECONDS,
        } | request
        attempt = int(str(wanted.pop("attempt", 1)))
        task = TaskRequest("127.0.0.1", **wanted)  # type: ignore[arg-type]
        delivery = Delivery("task_form", 0, "token", attempt, task, queued_ms=0.0, remaining_seconds=PATIENCE_SECONDS)
        target = find_task_target(self.stage.policy.targets, task, self.stage.clock.today())
        return await self._make_solver().solve(delivery, target)

    async def complete(self, **request: object) -> TaskResult:
        """Return the result of a task that is solved."""
        settlement = await self.settle(**request)
        assert settlement.result is not None, settlement.error
        return settlement.result

    def _make_solver(self) -> Solver:
        reader = PictureReader(self._recognise, lambda: self.minimum_confidence)
        metrics = Metrics("worker", "test", "0")
        return Solver(
            self.stage.engine,
            reader,
            make_permits(self._permit),
            metrics,
            self.stage.clock,
            lambda _: self.collects_labels,
        )

    async def _permit(self, _: Delivery) -> None:
        if self.permitted == 0:
            raise self.refusal
        self.permitted -= 1

    async def _recognise(self, picture: bytes, hints: Hints, host: str) -> Recognition:
        self.read.append(picture)
        self.before_answer()
        text = self.form.texts.get(picture, "unknown")
        is_misread = len(self.read) <= self.misread
        confidence = self.confidences[len(self.read) - 1] if self.confidences else 1.0
        recognition = Recognition("nonsense" if is_misread else text, confidence, "test")
        return self.reading or recognition


def quote(html: str) -> str:
    """Return markup as an attribute's value, for frames."""
    return escape(html, quote=True)
