"""Types an answer into a page's form as a user would, and sends it, but only within scope."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Frame, Locator, Page

from captchad.browser.page.frame_calls import FRAMES_LIMIT, call_frames
from captchad.browser.scripts.bounds import PLACES_LIMIT, TAMPERED, URL_LENGTH, WORDS_LENGTH, Facts, cut_url
from captchad.browser.scripts.catalogue import FORM, FORM_FACTS
from captchad.browser.scripts.isolated_world import ask, choose, prove_alive
from captchad.domain.css_selector import explain_bad_selector
from captchad.domain.errors import AttemptFailed, TargetNotAllowed, TaskErrorCode
from captchad.domain.target import PAGE_SCHEMES, Origin, parse_origin
from captchad.runtime.clock import Clock

MS_PER_SECOND = 1000
FIND_SECONDS = 3.0
FIND_PAUSE_SECONDS = 0.1
ACTION_MS = 5000.0
CLICK_MS = 1000.0
_SCRIPT_SCHEME = "javascript"

CheckOrigin = Callable[[Origin], None]


@dataclass(frozen=True, slots=True)
class Place:
    """An element and the frame it is in."""

    frame: Frame
    element: Locator


class FormFinder:
    """Finds elements until a moment of the monotonic clock, or for FIND_SECONDS; AttemptFailed where none turns up."""

    def __init__(self, clock: Clock, deadline_seconds: float) -> None:
        self._clock = clock
        self._deadline_seconds = deadline_seconds

    async def find_field(self, frames: Sequence[Frame], selector: str) -> Place:
        """Return what fill.input names; an element that can't be typed into does not count."""
        return await self._find(frames, ("field", selector), "fill.input")

    async def find_button(self, frames: Sequence[Frame], selector: str, name: str) -> Place:
        """Return the clickable element that `selector`, the task's field `name`, names."""
        return await self._find(frames, ("button", selector), name)

    async def _find(self, frames: Sequence[Frame], wanted: tuple[str, str], name: str) -> Place:
        selector = wanted[1]
        reason = explain_bad_selector(selector)
        if reason is not None:
            raise AttemptFailed(TaskErrorCode.CAPTCHA_NOT_FOUND, f"{name} {reason}")
        until_seconds = min(self._clock.monotonic_seconds() + FIND_SECONDS, self._deadline_seconds)
        while True:
            # The captcha's own frame first: the same selector may match elsewhere too.
            for some in (frames[:1], frames[1:]):
                found = await call_frames(some, lambda frame: _find_in(frame, wanted))
                for frame, element in zip(some, found, strict=True):
                    if element is not None:
                        return Place(frame, element)
            if self._clock.monotonic_seconds() >= until_seconds:
                await prove_alive(frames[0].page.main_frame)
                raise AttemptFailed(TaskErrorCode.CAPTCHA_NOT_FOUND, f"nothing visible matches {name}: {selector}")
            await self._clock.sleep(FIND_PAUSE_SECONDS)


async def _find_in(frame: Frame, wanted: tuple[str, str]) -> Locator | None:
    mode, selector = wanted
    return await choose(frame, FORM, keeps=mode, mode=mode, selector=selector)


def order_frames(page: Page, first: Frame) -> list[Frame]:
    """Return a page's frames in the order they are searched: the captcha's own before all others."""
    return [first, *(frame for frame in page.frames[:FRAMES_LIMIT] if frame != first)]


class FormFilling:
    """One answer to one form, which is checked before anything is typed."""

    def __init__(self, field: Place, button: Place | None) -> None:
        self.field = field
        self._button = button

    async def check_scope(self, captcha: Frame, check_origin: CheckOrigin) -> None:
        """Raise AttemptFailed if a frame or an address of the form is out of scope, or it has a behavioural captcha."""
        places = [self.field, *([self._button] if self._button is not None else [])]
        # Each frame can be of another origin.
        for frame in (captcha, *(place.frame for place in places)):
            _check_address(find_frame_url(frame), check_origin)
        for facts in [await self._read_facts(frame) for frame in dict.fromkeys(place.frame for place in places)]:
            for address in facts.places:
                _check_address(address, check_origin)
            if facts.behavioural is not None:
                message = f"the form also has {facts.behavioural}, which captchad does not solve"
                raise AttemptFailed(TaskErrorCode.UNSUPPORTED_CAPTCHA, message)

    async def _read_facts(self, frame: Frame) -> "FormFacts":
        """Read the facts of the field and the button, as far as they are in this frame."""
        places = {"field": self.field, "button": self._button}
        uses = [mode for mode, place in places.items() if place is not None and place.frame == frame]
        try:
            return read_form_facts(Facts(await ask(frame, FORM_FACTS, uses=uses)))
        except TAMPERED:
            raise AttemptFailed(TaskErrorCode.CAPTCHA_NOT_FOUND, "the page's form can't be read") from None

    async def type(self, text: str) -> None:
        """Type the text into the field key by key, replacing its content."""
        try:
            await self.field.element.fill("", timeout=ACTION_MS)
            # Key by key rather than at once: some pages listen to key presses.
            await self.field.element.press_sequentially(text, timeout=ACTION_MS + MS_PER_SECOND * len(text))
        except PlaywrightError as error:
            raise _explain(error, "fill.input can't be typed into") from None

    async def send(self, permit: Callable[[], Awaitable[None]]) -> None:
        """Click the button, or press Enter without one; `permit` raises at the last moment before that.

        All other waiting is done before: a click that the driver delays can't be cancelled.
        """
        if self._button is None:
            await permit()
            await self.field.element.press("Enter", no_wait_after=True, timeout=CLICK_MS)
            return
        try:
            # Waits until the button is visible, still and not covered, without clicking.
            await self._button.element.click(trial=True, timeout=ACTION_MS)
        except PlaywrightError as error:
            raise _explain(error, "fill.submit can't be clicked") from None
        await permit()
        await self._button.element.click(force=True, no_wait_after=True, timeout=CLICK_MS)


@dataclass(frozen=True, slots=True)
class FormFacts:
    """Every address that an answer may be sent to, and the behavioural captcha of the form, if it has one."""

    places: tuple[str, ...]
    behavioural: str | None


def read_form_facts(facts: Facts) -> FormFacts:
    """Read the answer of form_facts.js; TAMPERED where it is none, or names more addresses than a form can have."""
    places = facts.several("places", PLACES_LIMIT + 1)
    if len(places) > PLACES_LIMIT or not all(isinstance(place, str) for place in places):
        raise ValueError("these are not a form's addresses")
    return FormFacts(tuple(place[:URL_LENGTH] for place in places), facts.optional_text("behavioural", WORDS_LENGTH))


def find_frame_url(frame: Frame) -> str:
    """Return the address a frame's document comes from: its parent's where it has none of its own."""
    at: Frame = frame
    while urlsplit(cut_url(at.url)).scheme not in PAGE_SCHEMES and at.parent_frame is not None:
        at = at.parent_frame
    return cut_url(at.url)


def _check_address(url: str, check_origin: CheckOrigin) -> None:
    parts = urlsplit(url)
    # javascript: leads nowhere by itself; what the script requests meets the proxy.
    if parts.scheme == _SCRIPT_SCHEME:
        return
    try:
        check_origin(parse_origin(f"{parts.scheme}://{parts.netloc}/"))
    except TargetNotAllowed as error:
        message = f"the form may not be filled: {error.message}"
        raise AttemptFailed(TaskErrorCode.TARGET_NOT_ALLOWED, message) from None


def _explain(error: PlaywrightError, what: str) -> AttemptFailed | PlaywrightError:
    """Distinguish an unusable element from a page or a browser that is gone."""
    text = str(error).strip().splitlines()[0]
    if "Timeout" not in text and "Element is not" not in text:
        return error
    return AttemptFailed(TaskErrorCode.CAPTCHA_NOT_FOUND, f"{what}: {text}")
