"""Waits until one of a page's frames shows the captcha picture."""

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Frame, Page

from captchad.browser.candidates import CERTAIN_SCORE, Candidate, Judgement, choose, choose_selected, judge
from captchad.browser.frame_views import FrameView, find_place, place_view, read_view, spread_behavioural
from captchad.browser.patience import PageSight, Patience
from captchad.browser.wording import promises_captcha
from captchad.domain.errors import AttemptFailed, TaskErrorCode
from captchad.runtime.clock import Clock

TAMPERED = (TypeError, ValueError, ArithmeticError, LookupError, AttributeError)
"""What reading a frame's answer may end with where the page has put something else into the browser's functions."""

FRAME_SECONDS = 1.5
FRAMES_LIMIT = 40
FIRST_PAUSE_SECONDS = 0.02
LONGEST_PAUSE_SECONDS = 0.2
PAUSE_GROWTH = 1.5
EXPLAINED_CANDIDATES = 3
_BROKEN_SCHEME = "chrome-error:"
_SCRIPT_PARTS = ("walk", "texts", "behavioural", "pictures", "controls")

_logger = logging.getLogger(__name__)


@cache
def read_finder_script() -> str:
    """Give the script that looks through a frame: one function of one object, without comments."""
    folder = files("captchad.browser")
    names = (*(f"finder_{part}.js" for part in _SCRIPT_PARTS), "finder.js")
    lines = [line.strip() for name in names for line in folder.joinpath(name).read_text(encoding="utf-8").splitlines()]
    body = "\n".join(line for line in lines if line and not line.startswith("//"))
    return f"async ({{ mode, selector, index, source }}) => {{\n{body}\n}}"


@dataclass(frozen=True, slots=True)
class Found:
    """The chosen element, where it is, and why it was chosen."""

    frame: Frame
    candidate: Candidate
    judgement: Judgement


class CaptchaFinder:
    """Looks at all frames again and again until the choice is clear or there is nothing to wait for (see Patience)."""

    def __init__(self, page: Page, selector: str | None, *, is_error_page: bool, clock: Clock) -> None:
        self._page = page
        self._selector = selector
        self._clock = clock
        self._patience = Patience(is_error_page=is_error_page, is_selected=selector is not None)
        self._unsupported: str | None = None
        self._has_revealed = False

    async def find(self, deadline_seconds: float, check_page: Callable[[], None]) -> Found:
        """Give the captcha; AttemptFailed (captcha_not_found, unsupported_captcha) when there is none.

        `deadline_seconds` is on the monotonic clock; `check_page` raises once looking on is of no use.
        """
        pause_seconds = FIRST_PAUSE_SECONDS
        while True:
            views = await self._look()
            check_page()
            found, now_seconds = self._choose(views), self._clock.monotonic_seconds()
            is_out_of_time = now_seconds >= deadline_seconds
            is_late = is_out_of_time or self._patience.is_over(now_seconds)
            if found is not None and (is_late or self._is_settled(found, now_seconds)):
                return self._accept(found, views)
            if found is None and not is_out_of_time and self._may_reveal(now_seconds):
                await self._reveal(views)
            elif is_late:
                raise self._explain_absence()
            await self._clock.sleep(pause_seconds)
            pause_seconds = min(pause_seconds * PAUSE_GROWTH, LONGEST_PAUSE_SECONDS)

    def _is_settled(self, found: Found, now_seconds: float) -> bool:
        return self._patience.is_settled(now_seconds, is_certain=found.judgement.score >= CERTAIN_SCORE)

    def _may_reveal(self, now_seconds: float) -> bool:
        return not self._has_revealed and self._patience.may_reveal(now_seconds)

    async def _look(self) -> dict[Frame, FrameView]:
        frames = [frame for frame in self._page.frames if not frame.url.startswith(_BROKEN_SCHEME)][:FRAMES_LIMIT]
        looked = await asyncio.gather(*(self._look_at(frame) for frame in frames))
        views = {frame: view for frame, view in zip(frames, looked, strict=True) if view is not None}
        if views:
            self._note(views)
        return _place_all(views)

    async def _look_at(self, frame: Frame) -> FrameView | None:
        facts: dict[str, Any] | None = await self._ask(frame, "facts")
        if facts is None:
            return None
        try:
            problem, view = facts["problem"], read_view(facts, frame.url, self._selector)
        except TAMPERED as error:
            _logger.debug("a frame tells nonsense of itself: %s", error)
            return None
        if problem:
            raise AttemptFailed(TaskErrorCode.CAPTCHA_NOT_FOUND, f"{problem}: {self._selector}")
        return view

    async def _ask(self, frame: Frame, mode: str, index: int = 0, source: str = "") -> Any:
        """Give what finder.js answers in a frame; None from one that is gone, away or too slow."""
        wanted = {"mode": mode, "selector": self._selector, "index": index, "source": source}
        try:
            async with asyncio.timeout(FRAME_SECONDS):
                return await frame.evaluate(read_finder_script(), wanted)
        except (TimeoutError, PlaywrightError):
            return None  # check_page tells when it is the whole page that is gone

    def _note(self, views: dict[Frame, FrameView]) -> None:
        main = views.get(self._page.main_frame)
        self._unsupported = next((view.unsupported for view in views.values() if view.unsupported), self._unsupported)
        sight = PageSight(
            state=main.state if main is not None else "loading",
            change=tuple(view.change for view in views.values()),
            is_scripted=any(view.is_scripted for view in views.values()),
            is_expectant=any(view.is_expectant for view in views.values()),
            unsupported=self._unsupported,
        )
        self._patience.note(sight, self._clock.monotonic_seconds())

    def _choose(self, views: dict[Frame, FrameView]) -> Found | None:
        best: Found | None = None
        for frame, view in views.items():
            ready = [candidate for candidate in view.candidates if candidate.is_ready]
            chosen = choose(ready) if self._selector is None else choose_selected(ready)
            if chosen is not None and (best is None or chosen[1].score > best.judgement.score):
                best = Found(frame, *chosen)
        return best

    async def _reveal(self, views: dict[Frame, FrameView]) -> None:
        """Click the one control that says it shows a captcha, if any; never where there is a behavioural one."""
        self._has_revealed = True
        if self._unsupported is not None:
            return
        can_send = any(view.can_send for view in views.values())
        for frame in views:
            for index, words in _read_controls(await self._ask(frame, "controls")):
                if promises_captcha(words, can_send=can_send):
                    if await self._ask(frame, "click", index, words):
                        _logger.debug("clicked what promises a captcha: %s", words)
                        self._patience.begin_again(self._clock.monotonic_seconds())
                    return

    def _accept(self, found: Found, views: dict[Frame, FrameView]) -> Found:
        """Give what was found, unless the form that it belongs to also wants something that can't be answered."""
        _explain(found, views.values())
        if found.candidate.behavioural is not None:
            message = f"the captcha's form also has {found.candidate.behavioural}, which captchad does not solve"
            raise AttemptFailed(TaskErrorCode.UNSUPPORTED_CAPTCHA, message)
        return found

    def _explain_absence(self) -> AttemptFailed:
        if self._unsupported is not None:
            message = f"the page shows {self._unsupported}, which captchad does not solve"
            return AttemptFailed(TaskErrorCode.UNSUPPORTED_CAPTCHA, message)
        if self._selector is not None:
            return AttemptFailed(TaskErrorCode.CAPTCHA_NOT_FOUND, f"nothing loaded matches {self._selector}")
        return AttemptFailed(TaskErrorCode.CAPTCHA_NOT_FOUND, "no picture on the page looks like a captcha")


def _read_controls(told: Any) -> list[tuple[int, str]]:
    try:
        return [(int(control["index"]), str(control["words"])) for control in told or ()]
    except TAMPERED:
        return []


def _place_all(views: dict[Frame, FrameView]) -> dict[Frame, FrameView]:
    """Put frames into their places, outer ones first, so that nested ones know all that is around them."""
    placed: dict[Frame, FrameView] = {}
    for frame, view in views.items():
        parent = placed.get(frame.parent_frame) if frame.parent_frame is not None else None
        place = find_place(view, parent) if parent is not None else None
        placed[frame] = view if place is None else place_view(view, place)
    return {
        frame: spread_behavioural(view, (inner for child, inner in placed.items() if child.parent_frame == frame))
        for frame, view in placed.items()
    }


def _explain(found: Found, views: Iterable[FrameView]) -> None:
    if not _logger.isEnabledFor(logging.DEBUG):
        return
    others = [candidate for view in views for candidate in view.candidates if candidate is not found.candidate]
    judged = sorted(((judge(candidate), candidate) for candidate in others), key=lambda pair: -pair[0].score)
    _logger.debug("the captcha is %s", found.judgement.explain(found.candidate))
    for judgement, candidate in judged[:EXPLAINED_CANDIDATES]:
        _logger.debug("it is not %s", judgement.explain(candidate))
