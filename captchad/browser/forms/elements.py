"""Finds the elements that a task names, and uses them as a person would."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Frame, Locator, Page

from captchad.browser.page.frame_calls import FRAMES_LIMIT, call_frames
from captchad.browser.scripts.bounds import TAMPERED, WORDS_LENGTH, Facts
from captchad.browser.scripts.catalogue import FORM, OBSTACLE
from captchad.browser.scripts.isolated_world import ask, choose, prove_alive
from captchad.domain.css_selector import explain_bad_selector
from captchad.domain.errors import AttemptFailed, TaskErrorCode
from captchad.runtime.clock import Clock

MS_PER_SECOND = 1000
FIND_SECONDS = 3.0
FIND_PAUSE_SECONDS = 0.1
ACTION_MS = 5000.0

Mode = Literal["field", "button", "tick", "choose"]
"""What an element must be good for: to be typed into, clicked, ticked, or chosen from."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """An element that a task names: by `name` in messages, and kept under `key` in its frame."""

    mode: Mode
    selector: str
    name: str
    key: str
    code: TaskErrorCode = TaskErrorCode.CAPTCHA_NOT_FOUND

    def fail(self, message: str) -> AttemptFailed:
        """Return the failure to use it."""
        return AttemptFailed(self.code, f"{self.name}: {message}")


@dataclass(frozen=True, slots=True)
class Place:
    """An element and the frame it is in."""

    frame: Frame
    element: Locator
    wanted: Wanted

    async def use(self, act: Callable[[], Awaitable[object]]) -> None:
        """Do something with the element; where it can't be done, AttemptFailed says what was in the way."""
        try:
            await act()
        except PlaywrightError as error:
            if not _is_unusable(error):
                raise
            raise self.wanted.fail(await self._explain()) from None

    async def click(self) -> None:
        """Click it as soon as it is visible, still and not covered."""
        await self.await_clickable()
        await self.use(lambda: self.element.click(force=True, no_wait_after=True, timeout=ACTION_MS))

    async def await_clickable(self) -> None:
        """Wait until it is visible, still, enabled and not covered, without clicking."""
        await self.use(lambda: self.element.click(trial=True, timeout=ACTION_MS))

    async def type(self, text: str) -> None:
        """Type a text key by key, replacing the content; some pages listen to key presses."""
        await self.empty()
        await self.press(text)

    async def empty(self) -> None:
        """Give it the focus and remove its content."""
        await self.use(lambda: self.element.fill("", timeout=ACTION_MS))

    async def press(self, text: str) -> None:
        """Press the keys of a text."""
        limit_ms = ACTION_MS + MS_PER_SECOND * len(text)
        await self.use(lambda: self.element.press_sequentially(text, timeout=limit_ms))

    async def _explain(self) -> str:
        selector = self.wanted.selector
        try:
            facts = Facts(await ask(self.frame, OBSTACLE, name=self.wanted.key))
            covered = facts.optional_text("covered", WORDS_LENGTH)
            is_hidden, is_disabled = facts.flag("hidden"), facts.flag("disabled")
        except TAMPERED:
            return f"{selector} can't be used"
        if is_hidden:
            return f"{selector} is gone or hidden"
        if is_disabled:
            return f"{selector} is disabled"
        return f"{selector} is covered by {covered}" if covered else f"{selector} does not keep still, or can't be used"


class ElementFinder:
    """Finds elements until a moment of the monotonic clock, or for FIND_SECONDS; AttemptFailed where none turns up."""

    def __init__(self, clock: Clock, deadline_seconds: float) -> None:
        self._clock = clock
        self._deadline_seconds = deadline_seconds

    async def find(
        self, list_frames: Callable[[], Sequence[Frame]], wanted: Wanted, limit_seconds: float = FIND_SECONDS
    ) -> Place:
        """Return the first frame's element that fits, or else that of any other frame."""
        reason = explain_bad_selector(wanted.selector)
        if reason is not None:
            raise wanted.fail(reason)
        until_seconds = min(self._clock.monotonic_seconds() + limit_seconds, self._deadline_seconds)
        while True:
            # Listed anew each time: a dialog may come in a frame of its own.
            frames = list_frames()
            # The captcha's own frame first: the same selector may match elsewhere too.
            for some in (frames[:1], frames[1:]):
                found = await call_frames(some, lambda frame: _find_in(frame, wanted))
                for frame, element in zip(some, found, strict=True):
                    if element is not None:
                        return Place(frame, element, wanted)
            if self._clock.monotonic_seconds() >= until_seconds:
                await prove_alive(frames[0].page.main_frame)
                raise wanted.fail(f"nothing visible matches {wanted.selector}")
            await self._clock.sleep(FIND_PAUSE_SECONDS)


def order_frames(page: Page, first: Frame) -> list[Frame]:
    """Return a page's frames in the order they are searched: the captcha's own before all others."""
    return [first, *(frame for frame in page.frames[:FRAMES_LIMIT] if frame != first)]


async def _find_in(frame: Frame, wanted: Wanted) -> Locator | None:
    return await choose(frame, FORM, keeps=wanted.key, mode=wanted.mode, selector=wanted.selector)


def _is_unusable(error: PlaywrightError) -> bool:
    """Distinguish an unusable element from a page or a browser that is gone."""
    text = str(error).strip().splitlines()[0]
    return "Timeout" in text or "Element is not" in text
