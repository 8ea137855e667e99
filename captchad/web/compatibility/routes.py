"""All routes of other services, at the root, where their clients look for them."""

from captchad.broker.events import EventFeed
from captchad.runtime.clock import Clock
from captchad.web.compatibility.create_task import CreateTaskRoutes
from captchad.web.compatibility.ddddocr import DdddocrRoutes
from captchad.web.compatibility.desk import SolverDesk
from captchad.web.compatibility.two_captcha import TwoCaptchaRoutes
from captchad.web.routes import Route


class CompatibilityRoutes:
    """The routes of every dialect; they are only there where `compatibility.enabled` says so."""

    def __init__(self, desk: SolverDesk, feed: EventFeed, clock: Clock) -> None:
        self._dialects = (TwoCaptchaRoutes(desk), CreateTaskRoutes(desk), DdddocrRoutes(desk, feed, clock))

    def routes(self) -> tuple[Route, ...]:
        """Return the entries of the route table."""
        return tuple(route for dialect in self._dialects for route in dialect.routes())
