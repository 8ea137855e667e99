"""What solving asks of a browser: an open page, and what can be done with it."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from captchad.domain.capture import CaptchaCapture
from captchad.domain.page import PageOrder, SessionState
from captchad.runtime.deadline import Deadline


class CaptchaPage(Protocol):
    """One open page; every method may raise AttemptFailed."""

    async def capture(self) -> CaptchaCapture:
        """Find the captcha and take its picture; again after a refresh."""

    async def submit(self, text: str, permit: Callable[[], Awaitable[None]]) -> bool | None:
        """Type the answer and send the form; True or False once success or failure shows, None where neither does.

        `permit` is awaited just before the answer is sent, and raises where it must not be.
        PictureChanged, with nothing sent, where the page shows another picture by then; `capture` returns that one.
        """

    @property
    def left_scope_to(self) -> str | None:
        """The origin out of scope that the answer led to, where the page was stopped; else None."""

    @property
    def judgement(self) -> float | None:
        """The probability, 0 to 1, that the last answer was accepted; None where it was not judged."""

    @property
    def has_window(self) -> bool:
        """Whether the answer has opened a window, which stays open and decided on it."""

    async def can_refresh(self) -> bool:
        """Whether the page can show another picture without being opened anew."""

    async def refresh(self) -> None:
        """Make the page show another picture, in the same session."""

    async def read_session(self) -> SessionState:
        """Return the cookies and storage that the page would find when opened again."""

    async def screenshot(self) -> bytes | None:
        """Return the page, or the window that its answer has opened, as PNG; None where it can't be kept safely."""


class CaptchaBrowser(Protocol):
    """Opens pages and draws vector pictures, in local or remote browsers."""

    def open_page(self, order: PageOrder, deadline: Deadline) -> AbstractAsyncContextManager[CaptchaPage]:
        """Open a page; it is always closed when the context ends."""

    async def rasterise(self, svg: bytes, deadline: Deadline) -> bytes:
        """Return a vector picture as PNG."""
