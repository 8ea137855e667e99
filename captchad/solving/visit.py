"""What solving asks of a browser: a visit to a page, and what can be done while it lasts."""

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from captchad.domain.capture import CaptchaCapture
from captchad.domain.visit import SessionState, VisitOrder

Result = TypeVar("Result")


class CaptchaVisit(Protocol):
    """One open page; every method may raise AttemptFailed."""

    async def capture(self) -> CaptchaCapture:
        """Find the captcha and take its picture; again after a refresh."""

    async def submit(self, text: str, check_held: Callable[[], None]) -> bool | None:
        """Type the answer and send the form; True or False once success or failure shows, None where neither does.

        `check_held` is called when nothing can be taken back any more, and raises where it must not be sent.
        """

    async def refresh(self) -> None:
        """Have the page show another picture, in the same session."""

    async def read_session(self) -> SessionState:
        """Return what the page would find in a browser that comes again."""

    async def screenshot(self) -> bytes:
        """Return the page as it is seen now, as PNG."""


class CaptchaBrowser(Protocol):
    """Opens pages and draws vector pictures: local browsers, and remote ones."""

    async def visit(
        self,
        order: VisitOrder,
        work: Callable[[CaptchaVisit], Awaitable[Result]],
        timeout_seconds: float,
        task_id: str,
    ) -> Result:
        """Open a page and do `work` on it within the time given; whatever happens, the page is gone afterwards."""

    async def rasterise(self, svg: bytes, timeout_seconds: float, task_id: str) -> bytes:
        """Return a vector picture as PNG."""
