"""Waits until one of a page's frames shows the captcha picture."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from playwright.async_api import Frame

from captchad.browser.finding.candidates import (
    POSSIBLE_SCORE,
    Candidate,
    Judgement,
    choose,
    choose_selected,
    is_certain,
    judge,
    rank,
)
from captchad.browser.finding.frame_scans import FrameScans, Sought
from captchad.browser.finding.frame_views import FrameView
from captchad.browser.finding.patience import PageSight, Patience
from captchad.browser.finding.redrawing import click_picture
from captchad.browser.finding.wording import promises_captcha
from captchad.browser.page.opened_page import OpenedPage
from captchad.browser.scripts.bounds import CONTROLS_LIMIT, TAMPERED, WORDS_LENGTH, Facts, work_aside
from captchad.domain.errors import AttemptFailed, TaskErrorCode
from captchad.runtime.clock import Clock

# Short at first, since most pages show their captcha at once; longer later, to leave the page its CPU.
FIRST_PAUSE_SECONDS = 0.02
LONGEST_PAUSE_SECONDS = 0.2
PAUSE_GROWTH = 1.5
EXPLAINED_CANDIDATES = 3
CLOSER_LOOKS = 5
ADVICE = "`selector` names it, and `steps` open what shows it"

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Found:
    """The chosen element, where it is, and why it was chosen."""

    frame: Frame
    candidate: Candidate
    judgement: Judgement


class CaptchaFinder:
    """Scans all frames repeatedly until the choice is clear or there is nothing to wait for (see Patience)."""

    def __init__(self, opened: OpenedPage, sought: Sought, clock: Clock) -> None:
        page = opened.page
        self._page = page
        self._opened = opened
        self._recorder = opened.recorder
        self._selector = sought.selector
        self._clock = clock
        self._scans = FrameScans(page, opened.main_frame, sought, clock)
        self._patience = Patience(is_error_page=opened.is_error_page, is_selected=sought.selector is not None)
        self._missing: list[tuple[Frame, Candidate]] = []
        self._unsupported: str | None = None
        self._has_revealed = self._has_clicked_missing = False
        self._change: tuple[str, ...] = ()
        self._looked_at: tuple[str, ...] | None = None
        self._closer_looks = 0

    async def find(self, deadline_seconds: float, check_page: Callable[[], None]) -> Found:
        """Return the captcha; AttemptFailed (captcha_not_found, unsupported_captcha) when there is none.

        It is attempt_timeout where the page does not even answer. `deadline_seconds` is on the monotonic clock;
        `check_page` raises once there is no point in going on.
        """
        pause_seconds = FIRST_PAUSE_SECONDS
        while True:
            views = await self._scan()
            # After the scan: what a crashed or departed page answered must not be used.
            check_page()
            found = await work_aside(_measure_texts(views), partial(self._choose, views))
            now_seconds = self._clock.monotonic_seconds()
            is_out_of_time = now_seconds >= deadline_seconds
            # A page that gives no answer may still show one.
            is_late = is_out_of_time or (bool(views) and self._patience.is_over(now_seconds))
            if found is not None and (is_late or self._is_settled(found, now_seconds)):
                return self._accept(found, views)
            if found is None and not is_out_of_time and self._may_look_closer(now_seconds):
                await self._look_closer()
            elif found is None and not is_out_of_time and self._may_reveal(now_seconds):
                await self._reveal(views)
            elif is_late and (is_out_of_time or not await self._click_missing()):
                raise await work_aside(_measure_texts(views), partial(self._explain_absence, views))
            await self._clock.sleep(pause_seconds)
            pause_seconds = min(pause_seconds * PAUSE_GROWTH, LONGEST_PAUSE_SECONDS)

    @property
    def is_awaiting(self) -> bool:
        """Whether a picture that is named as the captcha was still loading when it was looked for last."""
        return any(one.is_pending for _, one in self._missing)

    def _is_settled(self, found: Found, now_seconds: float) -> bool:
        return self._patience.is_settled(now_seconds, is_certain=is_certain(found.candidate, found.judgement))

    def _may_look_closer(self, now_seconds: float) -> bool:
        return (
            self._closer_looks < CLOSER_LOOKS
            and self._change != self._looked_at
            and self._patience.may_reveal(now_seconds)
        )

    async def _look_closer(self) -> None:
        """Look into closed shadow roots; anew where the page has changed, but not for ever."""
        self._closer_looks += 1
        if await self._opened.make_closed_roots_known():
            self._looked_at = self._change

    def _may_reveal(self, now_seconds: float) -> bool:
        return not self._has_revealed and self._patience.may_reveal(now_seconds)

    async def _scan(self) -> dict[Frame, FrameView]:
        views = await self._scans.scan()
        if views:
            self._note(views)
        return views

    def _note(self, views: dict[Frame, FrameView]) -> None:
        main = views.get(self._page.main_frame)
        self._missing = [(frame, one) for frame, view in views.items() for one in view.candidates if one.is_missing]
        self._unsupported = next((view.unsupported for view in views.values() if view.unsupported), self._unsupported)
        sight = PageSight(
            state=main.state if main is not None else "loading",
            change=tuple(view.change for view in views.values()),
            is_scripted=any(view.is_scripted for view in views.values()),
            is_expectant=any(view.is_expectant for view in views.values()),
            unsupported=self._unsupported,
            is_awaited=self.is_awaiting,
        )
        self._change = sight.change
        self._patience.note(sight, self._clock.monotonic_seconds())

    def _choose(self, views: dict[Frame, FrameView]) -> Found | None:
        found: list[Found] = []
        is_awaited = self._selector is None and self.is_awaiting
        for frame, view in views.items():
            ready = [one for one in view.candidates if one.is_ready and (one.text is None or not is_awaited)]
            chosen = choose(ready) if self._selector is None else choose_selected(ready)
            found += [] if chosen is None else [Found(frame, *chosen)]
        # The frame with the field for the answer first; of equals, the outer one.
        return max(found, key=lambda one: (views[one.frame].has_aim, *rank(one.candidate, one.judgement)), default=None)

    async def _reveal(self, views: dict[Frame, FrameView]) -> None:
        """Click the first control that says it shows a captcha; never where there is a behavioural captcha."""
        # One control, once, is all that is clicked on a page.
        self._has_revealed = True
        if self._unsupported is not None:
            return
        # In any frame: a code may be sent from another frame than the one with the phone number.
        can_send = any(view.can_send for view in views.values())
        for frame in views:
            controls = _read_controls(await self._scans.list_controls(frame))
            length = sum(len(words) for _, words in controls)
            promising = await work_aside(length, partial(_find_promising, controls, can_send=can_send))
            if promising is not None:
                index, words = promising
                if await self._scans.click(frame, index, words):
                    _logger.debug("clicked what promises a captcha: %s", words)
                    self._patience.begin_again(self._clock.monotonic_seconds())
                return

    async def _click_missing(self) -> bool:
        """Click a captcha's picture that could not be loaded, once, where that may draw another; False without one."""
        if self._has_clicked_missing or self._unsupported is not None:
            return False
        self._has_clicked_missing = True
        for frame, candidate in self._missing:
            if self._recorder.explain(candidate.source) is not None and await click_picture(frame, candidate):
                self._patience.begin_again(self._clock.monotonic_seconds())
                return True
        return False

    def _accept(self, found: Found, views: dict[Frame, FrameView]) -> Found:
        """Return what was found, unless its form also has a captcha that can't be answered."""
        _explain(found, views.values())
        if found.candidate.behavioural is not None:
            message = f"the captcha's form also has {found.candidate.behavioural}, which captchad does not solve"
            raise AttemptFailed(TaskErrorCode.UNSUPPORTED_CAPTCHA, message)
        return found

    def _explain_absence(self, views: dict[Frame, FrameView]) -> AttemptFailed:
        if self._unsupported is not None:
            message = f"the page shows {self._unsupported}, which captchad does not solve"
            return AttemptFailed(TaskErrorCode.UNSUPPORTED_CAPTCHA, message)
        if not views:
            # Whether such a page has a captcha is not known.
            message = "the page gave no answer when a captcha was looked for"
            return AttemptFailed(TaskErrorCode.ATTEMPT_TIMEOUT, message)
        led_to = self._opened.led_to
        where = "" if led_to is None else f"; the page led to {led_to}"
        if self._selector is not None:
            return AttemptFailed(TaskErrorCode.CAPTCHA_NOT_FOUND, f"no loaded element matches {self._selector}{where}")
        for _, candidate in self._missing:
            reason = self._recorder.explain(candidate.source)
            if candidate.is_pending or reason is not None:
                message = f"the captcha's picture is missing: {candidate.source} {reason or 'is still loading'}"
                return AttemptFailed(TaskErrorCode.CAPTCHA_NOT_FOUND, message)
        likeliest = _describe_likeliest(views.values())
        message = f"no picture on the page looks like a captcha{likeliest}{where}; {ADVICE}"
        return AttemptFailed(TaskErrorCode.CAPTCHA_NOT_FOUND, message)


def _describe_likeliest(views: Iterable[FrameView]) -> str:
    """Say which picture comes nearest to a captcha, and what it lacks; nothing where no picture was loaded."""
    pictures = [one for view in views for one in view.candidates if one.is_ready and one.text is None]
    judged = [(judge(one), one) for one in pictures]
    if not judged:
        return ""
    judgement, candidate = max(judged, key=lambda pair: pair[0].score)
    lack = f"wanted is {POSSIBLE_SCORE}" if judgement.score < POSSIBLE_SCORE else "but it can't be seen"
    return f"; the likeliest was {judgement.explain(candidate)}, {lack}"


def _read_controls(answer: Any) -> list[tuple[int, str]]:
    try:
        controls = [Facts(one) for one in (answer or ())[:CONTROLS_LIMIT]]
        return [(control.number("index"), control.text("words", WORDS_LENGTH)) for control in controls]
    except TAMPERED:
        return []


def _find_promising(controls: Iterable[tuple[int, str]], *, can_send: bool) -> tuple[int, str] | None:
    return next((one for one in controls if promises_captcha(one[1], can_send=can_send)), None)


def _measure_texts(views: dict[Frame, FrameView]) -> int:
    return sum(len(one.own) + len(one.around) + len(one.source) for view in views.values() for one in view.candidates)


def _explain(found: Found, views: Iterable[FrameView]) -> None:
    if not _logger.isEnabledFor(logging.DEBUG):
        return
    others = [candidate for view in views for candidate in view.candidates if candidate is not found.candidate]
    judged = sorted(((judge(candidate), candidate) for candidate in others), key=lambda pair: -pair[0].score)
    _logger.debug("the captcha is %s", found.judgement.explain(found.candidate))
    for judgement, candidate in judged[:EXPLAINED_CANDIDATES]:
        _logger.debug("it is not %s", judgement.explain(candidate))
