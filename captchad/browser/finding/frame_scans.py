"""Scans the frames of a page that can hold a captcha: a bounded number, a few at a time."""

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from playwright.async_api import Frame, Page

from captchad.browser.finding.frame_views import FrameView, find_place, place_view, read_view, spread_behavioural
from captchad.browser.page.frame_calls import FRAME_SECONDS, FRAMES_LIMIT, call_frames
from captchad.browser.scripts.bounds import TAMPERED, WORDS_LENGTH, Facts, cut_url, work_aside
from captchad.browser.scripts.catalogue import FINDER
from captchad.browser.scripts.isolated_world import MainFrame, ask, ask_text, choose
from captchad.domain.errors import AttemptFailed, TaskErrorCode
from captchad.runtime.clock import Clock

_BROKEN_SCHEME = "chrome-error:"

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Sought:
    """What a task says of its captcha: CSS of its picture, and of the field that its text is typed into."""

    selector: str | None = None
    input: str | None = None


class FrameScans:
    """Scans one page's frames repeatedly; outer ones first, since they know which of theirs are shown."""

    def __init__(self, page: Page, main_frame: MainFrame, sought: Sought, clock: Clock) -> None:
        self._page = page
        self._main_frame = main_frame
        self._selector, self._input = sought.selector, sought.input
        # Once: each time, a page might draw another captcha.
        self._focuses = sought.input is not None
        self._clock = clock
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
        self._focuses = self._focuses and not any(view.has_aim for view in views.values())
        self._silent = asked - views.keys()
        self._note_order(views)
        return _place_all(views)

    async def list_controls(self, frame: Frame) -> Any:
        """Return what may be clicked in a frame to make a captcha appear; None from one that is gone or too slow."""
        [answer] = await call_frames([frame], lambda _: ask(frame, FINDER, **self._order("controls")))
        return answer

    async def click(self, frame: Frame, index: int, words: str) -> bool:
        """Click one of those controls; False where it is gone."""
        order = self._order("click", index, words)
        [control] = await call_frames([frame], lambda _: choose(frame, FINDER, keeps="control", **order))
        return control is not None

    def _order(self, mode: str, index: int = 0, source: str = "") -> dict[str, str | int | None]:
        return {"mode": mode, "selector": self._selector, "index": index, "source": source}

    async def _scan_frame(self, frame: Frame) -> FrameView | None:
        answer, url = await self._ask(frame), cut_url(frame.url)
        try:
            return await work_aside(len(answer), lambda: self._read(answer, url))
        except TAMPERED as error:
            _logger.debug("a frame gave a malformed answer: %s", error)
            return None

    async def _ask(self, frame: Frame) -> str:
        order = {**self._order("facts"), "input": self._input, "focuses": self._focuses}
        if frame == self._page.main_frame:
            return await self._main_frame.ask_text(FINDER, **order)
        return await ask_text(frame, FINDER, **order)

    def _read(self, answer: str, url: str) -> FrameView:
        facts = Facts(json.loads(answer))
        problem = facts.optional_text("problem", WORDS_LENGTH)
        if problem:
            raise AttemptFailed(TaskErrorCode.CAPTCHA_NOT_FOUND, f"{problem}: {self._selector}")
        return read_view(facts, url, self._selector)

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
