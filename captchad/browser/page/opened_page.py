"""One open page: its address, its responses, and whether it is alive."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus

from playwright.async_api import CDPSession, Page, Request, Response
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import TimeoutError as PlaywrightTimeoutError

from captchad.browser.browsers.connection import BrowserConnection
from captchad.browser.page.addresses import is_elsewhere, strip_query
from captchad.browser.page.answer_window import AnswerWindow
from captchad.browser.page.frame_calls import FRAME_SECONDS, FRAMES_LIMIT, call_frames
from captchad.browser.page.navigation_outcome import NavigationOutcome, is_abort, is_crash_sign
from captchad.browser.page.picture_recorder import PictureRecorder
from captchad.browser.page.renderer import end_renderer
from captchad.browser.page.retry_after import refuse_overload
from captchad.browser.scripts.bounds import cut_url
from captchad.browser.scripts.isolated_world import MainFrame, mark_world, prove_alive
from captchad.domain.errors import AttemptFailed, TargetNotAllowed, TaskErrorCode
from captchad.domain.target import Origin
from captchad.egress.proxy import FilteringProxy
from captchad.egress.proxy_access import ProxyAccess
from captchad.runtime.clock import Clock
from captchad.runtime.spawn import TaskSet

# After it the page is searched as it is.
DOCUMENT_MS = 5000
SIGN_OF_LIFE_SECONDS = 10.0
"""A healthy page answers within milliseconds, on a machine without a free processor within a second or two."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a page depends on: its browser, its context's access to the proxy, and the proxy."""

    connection: BrowserConnection
    access: ProxyAccess
    proxy: FilteringProxy


class OpenedPage:
    """Handles a page's events and maps them to what they mean for the attempt."""

    def __init__(
        self,
        page: Page,
        main_frame: MainFrame,
        devtools: CDPSession,
        surroundings: Surroundings,
        clock: Clock,
        work: TaskSet,
    ) -> None:
        self.page = page
        self.main_frame = main_frame
        self.recorder = PictureRecorder()
        self.window = AnswerWindow(surroundings.proxy, clock, work)
        self.status: int | None = None
        self.devtools = devtools
        self._connection, self._access, self._proxy = surroundings.connection, surroundings.access, surroundings.proxy
        self._clock = clock
        self._work = work
        self._outcome = NavigationOutcome(self._proxy, clock.monotonic_seconds())
        self._url = ""
        self._is_confined = False
        # What is done on the page each time it was opened, before its captcha is looked for.
        self.prepare: Callable[[], Awaitable[None]] = _do_nothing
        self._has_crashed = False
        self._flood = ""

    async def navigate(self, url: str) -> Response | None:
        """Open a URL in the page; AttemptFailed where the answer itself ends the attempt."""
        self._url = url
        # Not `load`: the captcha is often there long before the page's last resource (docs/performance.md).
        response = await self.page.goto(url, wait_until="commit", timeout=0)
        # A page that navigates while it loads may never fire this event.
        with contextlib.suppress(PlaywrightTimeoutError):
            await self.page.wait_for_load_state("domcontentloaded", timeout=DOCUMENT_MS)
        if response is not None:
            await self._outcome.check_answer(response)
            refuse_overload(response.status, response.headers, self._clock.now_ms())
            self.status = response.status
        return response

    async def reopen(self) -> None:
        """Open the same URL again, and prepare it again; a reload would send the form again."""
        await self.navigate(self._url)
        await self.prepare()

    def identify(self, target_host: str) -> None:
        """Let the page show the client certificate of the target that is visited."""
        self._access.identity = target_host

    async def confine(self, may_reach: Callable[[Origin], bool]) -> None:
        """Let the page reach some origins alone from now on, since it is about to learn what only they may know."""
        if not self._is_confined:
            self._is_confined = True
            await self._access.confine(may_reach)

    @property
    def is_error_page(self) -> bool:
        """Whether the site answered with an error."""
        return self.status is not None and self.status >= HTTPStatus.BAD_REQUEST

    @property
    def led_to(self) -> str | None:
        """The address, without its query, to which the page has led; None where it is the one that was opened."""
        url = cut_url(self.page.url)
        return strip_query(url) if is_elsewhere(self._url, url) else None

    async def make_closed_roots_known(self) -> bool:
        """Let scripts see the closed shadow roots that are there now; False where the page does not answer in time."""
        frames = self.page.frames[:FRAMES_LIMIT]
        with contextlib.suppress(TimeoutError, PlaywrightError):
            async with asyncio.timeout(FRAME_SECONDS):
                return await self.main_frame.make_closed_roots_known(
                    lambda name: call_frames(frames, lambda frame: mark_world(frame, name))
                )
        return False

    def check(self) -> None:
        """Raise AttemptFailed if the page crashed, was ended, or went out of scope."""
        if self._has_crashed or self.page.is_closed():
            # A flooding page fails only here, once it has crashed: closing a crashed page is quick.
            raise self._explain_crash("the page crashed while it was searched")
        self._outcome.check_place(cut_url(self.page.url))

    def check_origin(self, origin: Origin) -> None:
        """Raise TargetNotAllowed if something of the page leads out of scope."""
        self._proxy.check_origin(origin)

    def check_typed(self, may_reach: Callable[[Origin], bool]) -> Callable[[Origin], None]:
        """Return a check that also raises TargetNotAllowed where what is typed may not be sent to."""

        def check(origin: Origin) -> None:
            self.check_origin(origin)
            if not may_reach(origin):
                message = f"{origin} is neither the task's target nor one of its form_hosts"
                raise TargetNotAllowed(message)

        return check

    async def explain(self, error: PlaywrightError) -> AttemptFailed:
        """Map a driver error to what it means for the attempt."""
        is_alive = self._connection.is_alive
        # A renderer killed in a navigation and a refused redirect both end as net::ERR_ABORTED; only the first may be
        # retried.
        if is_abort(error) and is_alive:
            is_alive = not await self._is_crashing()
            await self._outcome.await_reason()
        if refused := await self._outcome.explain_certificate(error):
            return refused
        failure = self._outcome.explain_error(error, is_alive=is_alive)
        is_crash = failure.task_error_code is TaskErrorCode.BROWSER_CRASHED
        return self._explain_crash(failure.message) if is_crash else failure

    def note_request(self, request: Request) -> None:
        """Remember the latest navigation, to explain how it ended."""
        self._outcome.note_request(request)

    def note_response(self, response: Response) -> None:
        """Remember a response that may be the picture."""
        self.recorder.note(response)

    def note_redirect(self, location: str) -> None:
        """Remember where a response redirects to, to explain how the navigation ended."""
        self._outcome.note_redirect(location)

    def note_popup(self, popup: Page) -> None:
        """Close the popup, or follow it where an answer has opened it."""
        self.window.note_popup(popup)

    def note_popup_request(self, request: Request) -> None:
        """Remember a popup's request; it may come before the popup is known."""
        self.window.note_request(request)

    def note_crash(self) -> None:
        """Remember that the page is gone."""
        self._has_crashed = True

    def note_flood(self, reason: str) -> None:
        """Crash the page before it harms other pages of its browser."""
        self._flood = reason
        self.window.end_renderer()
        self._work.spawn(end_renderer(self.devtools), "end-flood")

    async def _is_crashing(self) -> bool:
        """Ask the page itself: when it crashes, the driver may first report that its navigation ended."""
        try:
            async with asyncio.timeout(SIGN_OF_LIFE_SECONDS):
                await prove_alive(self.page.main_frame)
        except TimeoutError:
            return True
        except PlaywrightError as error:
            return self._has_crashed or is_crash_sign(error)
        return self._has_crashed

    def _explain_crash(self, message: str) -> AttemptFailed:
        """Distinguish a page that was ended here from one that was lost."""
        if self._flood and self._connection.is_alive:
            return AttemptFailed(TaskErrorCode.CAPTCHA_NOT_FOUND, self._flood)
        return AttemptFailed(TaskErrorCode.BROWSER_CRASHED, message)


async def _do_nothing() -> None:
    """Leave the page as it opened."""
