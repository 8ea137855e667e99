"""Scans the frames of a page that can hold a captcha: a bounded number, a few at a time."""

import logging
from collections.abc import Sequence
from typing import Any

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Frame, JSHandle, Page

from captchad.browser.finding.frame_views import FrameView, find_place, place_view, read_view, spread_behavioural
from captchad.browser.page.frame_calls import FRAME_SECONDS, FRAMES_LIMIT, call_frames
from captchad.domain.errors import AttemptFailed, TaskErrorCode
from captchad.runtime.clock import Clock

TAMPERED = (TypeError, ValueError, ArithmeticError, LookupError, AttributeError)
"""Errors of reading a frame's answer where the page has replaced the browser's functions."""

_BROKEN_SCHEME = "chrome-error:"
_FACTS = "facts"
_CALL = "(scan, wanted) => scan(wanted)"

_logger = logging.getLogger(__name__)


class FrameScans:
    """Scans one page's frames repeatedly; outer ones first, since they know which of theirs are shown.

    A frame's first scan sends the script along; from the second on the frame keeps it.
    """

    def __init__(self, page: Page, selector: str | None, script: str, clock: Clock) -> None:
        self._page = page
        self._selector = selector
        self._script = script
        self._clock = clock
        self._met: set[Frame] = set()
        self._kept: dict[Frame, JSHandle] = {}
        self._silent: set[Frame] = set()
        self._are_in_order = True

    async def scan(self) -> dict[Frame, FrameView]:
        """Return what every frame that matters shows, as it stands in the page; AttemptFailed for a bad selector."""
        views: dict[Frame, FrameView] = {}
        asked: set[Frame] = set()
        wanted = [self._page.main_frame]
        until_seconds = self._clock.monotonic_seconds() + FRAME_SECONDS
        while wanted:
            scanned = await call_frames(wanted, self._scan_frame)
            views |= {frame: view for frame, view in zip(wanted, scanned, strict=True) if view is not None}
            asked |= set(wanted)
            if self._clock.monotonic_seconds() >= until_seconds:
                break
            children = [child for frame in wanted for child in self._choose_children(frame, views.get(frame))]
            # Frames that gave no answer last time go last, so that they can't crowd out the others.
            wanted = sorted(children, key=self._silent.__contains__)[: FRAMES_LIMIT - len(asked)]
        self._silent = asked - views.keys()
        self._note_order(views)
        return _place_all(views)

    async def ask(self, frame: Frame, mode: str, index: int = 0, source: str = "") -> Any:
        """Return what the script answers in a frame; None from one that is gone, away or too slow."""
        [answer] = await call_frames([frame], lambda _: self._call(frame, mode, index, source))
        return answer

    async def _call(self, frame: Frame, mode: str, index: int = 0, source: str = "") -> Any:
        wanted = {"mode": mode, "selector": self._selector, "index": index, "source": source}
        # Most pages are scanned once, and a kept handle costs a round trip of its own.
        if frame not in self._met:
            self._met.add(frame)
            return await frame.evaluate(self._script, wanted)
        if frame not in self._kept:
            self._kept[frame] = await frame.evaluate_handle(f"() => {self._script}")
        try:
            return await self._kept[frame].evaluate(_CALL, wanted)
        except PlaywrightError:
            del self._kept[frame]
            # A click must not be made in a document that the caller has not seen.
            if mode != _FACTS:
                raise
            return await frame.evaluate(self._script, wanted)  # the frame has another document by now

    async def _scan_frame(self, frame: Frame) -> FrameView | None:
        facts: dict[str, Any] = await self._call(frame, _FACTS)
        try:
            problem, view = facts["problem"], read_view(facts, frame.url, self._selector)
        except TAMPERED as error:
            _logger.debug("a frame gave a malformed answer: %s", error)
            return None
        if problem:
            raise AttemptFailed(TaskErrorCode.CAPTCHA_NOT_FOUND, f"{problem}: {self._selector}")
        return view

    def _choose_children(self, frame: Frame, view: FrameView | None) -> Sequence[Frame]:
        """Return the child frames that can hold a captcha: all of them where that is not known."""
        children = frame.child_frames
        if view is not None and view.knows_frames and self._are_in_order:
            numbers = [place.index for place in view.frames if place.is_visible and 0 <= place.index < len(children)]
            children = [children[number] for number in dict.fromkeys(numbers)]
        return [child for child in children if not child.url.startswith(_BROKEN_SCHEME)]

    def _note_order(self, views: dict[Frame, FrameView]) -> None:
        """Note whether the driver orders frames as the page does, by the numbers that the frames report."""
        self._are_in_order = all(
            frame.parent_frame.child_frames[view.frame_index : view.frame_index + 1] == [frame]
            for frame, view in views.items()
            if frame.parent_frame is not None and _knows_frames(views.get(frame.parent_frame))
        )


def _knows_frames(view: FrameView | None) -> bool:
    return view is not None and view.knows_frames


def _place_all(views: dict[Frame, FrameView]) -> dict[Frame, FrameView]:
    """Put frames into their places, outer ones first, so that nested ones know what is around them."""
    placed: dict[Frame, FrameView] = {}
    for frame, view in views.items():
        parent = placed.get(frame.parent_frame) if frame.parent_frame is not None else None
        place = find_place(view, parent) if parent is not None else None
        placed[frame] = view if place is None else place_view(view, place)
    return {
        frame: spread_behavioural(view, (inner for child, inner in placed.items() if child.parent_frame == frame))
        for frame, view in placed.items()
    }
