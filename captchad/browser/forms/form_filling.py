"""Types an answer into a page's form as a user would, and sends it, but only within scope."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from playwright.async_api import Frame
from playwright.async_api import TimeoutError as PlaywrightTimeoutError

from captchad.browser.forms.elements import ACTION_MS, MS_PER_SECOND, Place
from captchad.browser.page.frame_calls import call_frames
from captchad.browser.scripts.bounds import PLACES_LIMIT, TAMPERED, URL_LENGTH, WORDS_LENGTH, Facts, cut_url
from captchad.browser.scripts.catalogue import FIELD_STATE, FORM_FACTS
from captchad.browser.scripts.isolated_world import ask
from captchad.domain.errors import AttemptFailed, TargetNotAllowed, TaskErrorCode
from captchad.domain.page import FormField
from captchad.domain.target import PAGE_SCHEMES, Origin, parse_origin

INPUT_KEY, SUBMIT_KEY = "field", "button"
_SCRIPT_SCHEME = "javascript"

CheckOrigin = Callable[[Origin], None]


@dataclass(frozen=True, slots=True)
class FilledField:
    """A further field of the form, and what it is filled with."""

    place: Place
    order: FormField

    async def fill(self) -> None:
        """Type, choose or tick; AttemptFailed where that can't be done."""
        order, element = self.order, self.place.element
        if order.value is not None:
            await self.place.type(order.value)
        elif order.choose is not None:
            await self.place.use(lambda: element.select_option(order.choose, timeout=ACTION_MS))
        else:
            await self.place.use(lambda: element.set_checked(bool(order.check), timeout=ACTION_MS))


class FormFilling:
    """One answer to one form, which is checked before anything is typed."""

    def __init__(self, field: Place, button: Place | None, further: Sequence[FilledField] = ()) -> None:
        self.field = field
        self._button = button
        self._further = tuple(further)

    @property
    def _places(self) -> list[Place]:
        buttons = [] if self._button is None else [self._button]
        return [self.field, *buttons, *(one.place for one in self._further)]

    async def check_scope(self, captcha: Frame, check_origin: CheckOrigin) -> None:
        """Raise AttemptFailed if a frame or an address of the form is out of scope, or it has a behavioural captcha."""
        frames = list(dict.fromkeys(place.frame for place in self._places))
        # Each frame can be of another origin.
        for frame in dict.fromkeys((captcha, *frames)):
            check_address(find_frame_url(frame), check_origin)
        for facts in [await self._read_facts(frame) for frame in frames]:
            for address in facts.places:
                check_address(address, check_origin)
            if facts.behavioural is not None:
                message = f"the form also has {facts.behavioural}, which captchad does not solve"
                raise AttemptFailed(TaskErrorCode.UNSUPPORTED_CAPTCHA, message)

    async def _read_facts(self, frame: Frame) -> "FormFacts":
        """Read the facts of all that is filled or clicked, as far as it is in this frame."""
        keys = [place.wanted.key for place in self._places if place.frame == frame]
        uses = [key for key in keys if key in (INPUT_KEY, SUBMIT_KEY)]
        try:
            fields = [key for key in keys if key not in uses]
            return read_form_facts(Facts(await ask(frame, FORM_FACTS, uses=uses, fields=fields)))
        except TAMPERED:
            raise AttemptFailed(TaskErrorCode.CAPTCHA_NOT_FOUND, "the page's form can't be read") from None

    async def fill_further(self) -> None:
        """Fill the further fields, in their order."""
        for one in self._further:
            await one.fill()

    async def type(self, text: str, note_typing: Callable[[], None]) -> None:
        """Type the answer into its field; `note_typing` is called once that has the focus and is empty."""
        await self.field.empty()
        note_typing()
        await self.field.press(text)

    async def is_emptied(self) -> bool:
        """Whether the field for the answer is there without a text."""

        async def look(frame: Frame) -> bool:
            return Facts(await ask(frame, FIELD_STATE, name=INPUT_KEY)).flag("empty")

        try:
            return (await call_frames((self.field.frame,), look)) == [True]
        except TAMPERED:
            return False

    async def await_ready(self) -> None:
        """Wait until the form can be sent, without sending it; AttemptFailed says what is in the way."""
        if self._button is None:
            await self.field.use(lambda: self.field.element.focus(timeout=ACTION_MS))
        else:
            await self._button.await_clickable()

    async def is_ready(self) -> bool:
        """Whether the form can be sent, by the time it may take to become so."""
        try:
            await self.await_ready()
        except AttemptFailed:
            return False
        return True

    async def send(self, limit_seconds: float) -> None:
        """Click the button, or press Enter without one, at once; AttemptFailed where the page never takes it.

        The page may be busy as soon as it is clicked, so nothing but the attempt's end limits that.
        """
        place, limit_ms = self._button or self.field, max(1.0, limit_seconds * MS_PER_SECOND)
        try:
            if self._button is None:
                await place.element.press("Enter", no_wait_after=True, timeout=limit_ms)
            else:
                await place.element.click(force=True, no_wait_after=True, timeout=limit_ms)
        except PlaywrightTimeoutError:
            message = f"the time was up before the page had reacted to the answer ({place.wanted.selector})"
            raise AttemptFailed(TaskErrorCode.ATTEMPT_TIMEOUT, message) from None


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


def check_address(url: str, check_origin: CheckOrigin) -> None:
    parts = urlsplit(url)
    # javascript: leads nowhere by itself; what the script requests meets the proxy.
    if parts.scheme == _SCRIPT_SCHEME:
        return
    try:
        check_origin(parse_origin(f"{parts.scheme}://{parts.netloc}/"))
    except TargetNotAllowed as error:
        message = f"the form may not be filled: {error.message}"
        raise AttemptFailed(TaskErrorCode.TARGET_NOT_ALLOWED, message) from None
