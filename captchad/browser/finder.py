"""Waits until one of a page's frames shows the captcha picture."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Frame, Page

from captchad.browser.candidates import (
    CERTAIN_SCORE,
    Candidate,
    Judgement,
    choose,
    choose_selected,
    read_candidate,
)
from captchad.domain.errors import AttemptFailed, TaskErrorCode
from captchad.runtime.clock import Clock

FRAME_SECONDS = 1.5
FRAMES_LIMIT = 40
FIRST_PAUSE_SECONDS = 0.02
LONGEST_PAUSE_SECONDS = 0.2
PAUSE_GROWTH = 1.5
SETTLE_SECONDS = 1.0
LATEST_SECONDS = 8.0
ERROR_PAGE_SECONDS = 1.0


@cache
def read_finder_script() -> str:
    """Give the script that looks through a frame."""
    return files("captchad.browser").joinpath("finder.js").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class FrameView:
    """What one look at one frame gave."""

    frame: Frame
    state: str
    unsupported: str | None
    candidates: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """The chosen element, where it is, and why it was chosen."""

    frame: Frame
    candidate: Candidate
    judgement: Judgement


class CaptchaFinder:
    """Looks at all frames again and again until the choice is clear or it is too late.

    A certain candidate is taken as soon as the page has loaded (or has had a second to), a merely possible one
    after the page has been still for that long. Without any, the search ends `LATEST_SECONDS` after loading, or
    `ERROR_PAGE_SECONDS` on an error page; with a selector it goes on to the attempt's end.
    """

    def __init__(self, page: Page, selector: str | None, *, is_error_page: bool, clock: Clock) -> None:
        self._page = page
        self._selector = selector
        self._latest_seconds = ERROR_PAGE_SECONDS if is_error_page else LATEST_SECONDS
        self._clock = clock
        self._first_seen_seconds: float | None = None
        self._loaded_seconds: float | None = None
        self._unsupported: str | None = None

    async def find(self, deadline_seconds: float, check_page: Callable[[], None]) -> Found:
        """Give the captcha; AttemptFailed (captcha_not_found, unsupported_captcha) when there is none.

        `deadline_seconds` is on the monotonic clock; `check_page` raises once looking on is of no use.
        """
        pause_seconds = FIRST_PAUSE_SECONDS
        while True:
            views = await self._look()
            check_page()
            found = self._choose(views)
            now_seconds = self._clock.monotonic_seconds()
            if found is not None and self._is_settled(found, now_seconds):
                return found
            if self._is_too_late(now_seconds, deadline_seconds):
                if found is not None:
                    return found
                raise self._explain_absence()
            await self._clock.sleep(pause_seconds)
            pause_seconds = min(pause_seconds * PAUSE_GROWTH, LONGEST_PAUSE_SECONDS)

    async def _look(self) -> list[FrameView]:
        frames = self._page.frames[:FRAMES_LIMIT]
        looked = await asyncio.gather(*(self._look_at(frame) for frame in frames))
        views = [view for view in looked if view is not None]
        for view in views:
            self._unsupported = self._unsupported or view.unsupported
            is_loaded_page = view.frame == self._page.main_frame and view.state == "complete"
            if is_loaded_page and self._loaded_seconds is None:
                self._loaded_seconds = self._clock.monotonic_seconds()
        return views

    async def _look_at(self, frame: Frame) -> FrameView | None:
        wanted = {"mode": "facts", "selector": self._selector, "index": None, "source": None}
        try:
            async with asyncio.timeout(FRAME_SECONDS):
                facts: dict[str, Any] = await frame.evaluate(read_finder_script(), wanted)
        except TimeoutError:
            return None
        except PlaywrightError:
            return None  # the frame navigated away or is gone; check_page tells when the whole page is
        if facts["problem"]:
            raise AttemptFailed(TaskErrorCode.CAPTCHA_NOT_FOUND, f"{facts['problem']}: {self._selector}")
        candidates = tuple(read_candidate(entry, self._selector) for entry in facts["candidates"])
        return FrameView(frame, str(facts["state"]), facts["unsupported"], candidates)

    def _choose(self, views: list[FrameView]) -> Found | None:
        best: Found | None = None
        for view in views:
            ready = [candidate for candidate in view.candidates if candidate.is_ready]
            chosen = choose(ready) if self._selector is None else choose_selected(ready)
            if chosen is not None and (best is None or chosen[1].score > best.judgement.score):
                best = Found(view.frame, *chosen)
        return best

    def _is_settled(self, found: Found, now_seconds: float) -> bool:
        if self._first_seen_seconds is None:
            self._first_seen_seconds = now_seconds
        has_waited = now_seconds - self._first_seen_seconds >= SETTLE_SECONDS
        is_certain = found.judgement.score >= CERTAIN_SCORE
        if is_certain:
            return self._loaded_seconds is not None or has_waited
        return has_waited and self._loaded_seconds is not None and now_seconds - self._loaded_seconds >= SETTLE_SECONDS

    def _is_too_late(self, now_seconds: float, deadline_seconds: float) -> bool:
        if now_seconds >= deadline_seconds:
            return True
        if self._selector is not None or self._loaded_seconds is None:
            return False
        return now_seconds - self._loaded_seconds >= self._latest_seconds

    def _explain_absence(self) -> AttemptFailed:
        if self._unsupported is not None:
            message = f"the page shows {self._unsupported}, which captchad does not solve"
            return AttemptFailed(TaskErrorCode.UNSUPPORTED_CAPTCHA, message)
        if self._selector is not None:
            return AttemptFailed(TaskErrorCode.CAPTCHA_NOT_FOUND, f"nothing loaded matches {self._selector}")
        return AttemptFailed(TaskErrorCode.CAPTCHA_NOT_FOUND, "no picture on the page looks like a captcha")
