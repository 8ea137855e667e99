"""Fills a captcha's form on the caller's own page, with whichever of Playwright's two APIs the page is of.

Each step yields what the page's method returned. The blocking API returned the value itself; what the asynchronous
one returned is awaited. So there is one sequence of steps for both.
"""

import base64
import inspect
from collections.abc import Callable, Coroutine, Generator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal, TypedDict, TypeVar

from captchad.browser.forms.verdict import PATIENCE_SECONDS, Condition, ConditionKind, read_condition
from captchad.client.errors import TaskFailed
from captchad.client.options import Hints
from captchad.client.results import Solution
from captchad.domain.errors import TaskErrorCode
from captchad.runtime.clock import Clock
from captchad.testing.errors import CaptchaNotFilled

T = TypeVar("T")
PageSteps = Generator[Any, Any, T]
Solve = Callable[[bytes], Any]
"""Reads a picture; the answer is a Solution, or one to be awaited."""

DEFAULT_RETRY_COUNT = 3
LOOK_MS = 100
LOOKS_AT_AN_EMPTY_FIELD = 10
"""A page may empty the field a moment before it shows that the answer was right."""
PICTURE_MS = 10_000
FIELD_MS = 1_000

# The pixels that the page has, at their own size; null where a script may not see them, and a screenshot has to do.
_READ_PIXELS = """
async (element, limitMs) => {
  const late = new Promise((resolve, reject) => setTimeout(reject, limitMs));
  try {
    if (element instanceof HTMLCanvasElement) return element.toDataURL();
    if (!(element instanceof HTMLImageElement)) return null;
    await Promise.race([element.decode(), late]);
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [element.naturalWidth, element.naturalHeight];
    if (!canvas.width || canvas.width * canvas.height > 4e6) return null;
    canvas.getContext("2d").drawImage(element, 0, 0);
    return canvas.toDataURL();
  } catch { return null; }
}
"""


class FillOptions(TypedDict, total=False):
    """How a form is filled, beside its picture and its input; docs/testing.md has a line on each."""

    refresh: str
    submit: str | Literal[False]
    success: str
    failure: str
    fields: Mapping[str, str]
    retry_count: int
    hints: Hints
    target: str


@dataclass(frozen=True, slots=True)
class Form:
    """The form as the caller describes it: CSS selectors, and conditions as in a task's `fill`."""

    picture: str
    input: str
    refresh: str | None = None
    submit: str | Literal[False] | None = None
    success: str | None = None
    failure: str | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    retry_count: int = DEFAULT_RETRY_COUNT
    hints: Hints | None = None
    target: str | None = None


@dataclass(frozen=True, slots=True)
class Filled:
    """The answer that was typed last; `verified` is None where neither condition was given, or neither showed."""

    text: str
    confidence: float
    tries: int
    verified: bool | None


def is_asynchronous(page: Any) -> bool:
    """Whether a page, or frame, is of Playwright's asynchronous API."""
    return inspect.iscoroutinefunction(page.content)


def run_on_page(steps: PageSteps[T]) -> T:
    """Take the steps on a page of the blocking API."""
    try:
        value = next(steps)
        while True:
            value = steps.send(value)
    except StopIteration as end:
        result: T = end.value
        return result


async def run_on_page_async(steps: PageSteps[T]) -> T:
    """Take the steps on a page of the asynchronous API."""
    try:
        pending: Coroutine[Any, Any, Any] = next(steps)
        while True:
            try:
                value = await pending
            except Exception as error:  # noqa: BLE001 - the steps decide
                pending = steps.throw(error)
            else:
                pending = steps.send(value)
    except StopIteration as end:
        result: T = end.value
        return result


def _type(text: str, found: Any) -> Any:
    return found.fill(text)


class FormFiller:
    """Reads the picture, types the text, sends the form and looks what became of it, with a new picture if need be."""

    def __init__(self, page: Any, form: Form, solve: Solve, clock: Clock) -> None:
        self._page = page
        self._form = form
        self._solve = solve
        self._clock = clock
        self._success = read_condition(form.success)
        self._failure = read_condition(form.failure)

    def fill(self) -> PageSteps[Filled]:
        """Fill the form until an answer is taken; CaptchaNotFilled where none is."""
        picture = yield from self._take_picture()
        refused: list[str] = []
        while True:
            solution = yield from self._read(picture)
            if solution is not None:
                verified = yield from self._answer(solution.text)
                if verified is not False:
                    return Filled(solution.text, solution.confidence, len(refused) + 1, verified)
            refused.append(solution.text if solution else "(unreadable)")
            if len(refused) > self._form.retry_count:
                raise CaptchaNotFilled(
                    f"the page took none of {len(refused)} answers: {', '.join(refused)} — say what is known of the "
                    "text with hints=, see that success= shows once it is right, or switch the captcha off for tests"
                )
            picture = yield from self._renew_picture(picture)

    def _read(self, picture: bytes) -> PageSteps[Solution | None]:
        try:
            solution: Solution = yield self._solve(picture)
        except TaskFailed as error:
            if error.task_code != TaskErrorCode.CAPTCHA_UNREADABLE:
                raise
            return None
        return solution

    def _answer(self, text: str) -> PageSteps[bool | None]:
        for selector, value in self._form.fields.items():
            yield from self._do("fields=", selector, partial(_type, value))
        was_failure_shown = yield from self._shows(self._failure)
        yield from self._do("input=", self._form.input, partial(_type, text))
        if self._form.submit is False:
            return None
        if self._form.submit is None:
            yield from self._do("input=", self._form.input, lambda found: found.press("Enter"))
        else:
            yield from self._do("submit=", self._form.submit, lambda found: found.click())
        return (yield from self._judge(was_failure_shown))

    def _judge(self, was_failure_shown: bool) -> PageSteps[bool | None]:
        if self._success is None and self._failure is None:
            return None
        end_seconds = self._clock.monotonic_seconds() + PATIENCE_SECONDS
        looks_at_an_empty_field = 0
        while True:
            if (yield from self._shows(self._success)):
                return True
            is_failure_shown = yield from self._shows(self._failure)
            # The message of the last answer says nothing of this one.
            was_failure_shown = was_failure_shown and is_failure_shown
            if is_failure_shown and not was_failure_shown:
                return False
            is_emptied = yield from self._is_field_emptied()
            looks_at_an_empty_field = looks_at_an_empty_field + 1 if is_emptied else 0
            if looks_at_an_empty_field >= LOOKS_AT_AN_EMPTY_FIELD and (self._success or is_failure_shown):
                return False
            if self._clock.monotonic_seconds() >= end_seconds:
                return (yield from self._conclude())
            yield self._page.wait_for_timeout(LOOK_MS)

    def _conclude(self) -> PageSteps[bool | None]:
        """Judge a page that has shown nothing: where the form is still there, its answer was not taken."""
        if self._success is None:
            return None
        if (yield self._find(self._form.input).is_visible()):
            return False
        message = f"the form is gone, but {self._form.success!r} does not show at {self._page.url} — is success= right?"
        raise CaptchaNotFilled(message)

    def _shows(self, condition: Condition | None) -> PageSteps[bool]:
        if condition is None:
            return False
        if condition.kind is ConditionKind.URL:
            return condition.matches_url(self._page.url)
        if condition.kind is ConditionKind.TEXT:
            return bool((yield self._page.get_by_text(condition.value).first.is_visible()))
        return bool((yield self._find(condition.value).is_visible()))

    def _is_field_emptied(self) -> PageSteps[bool]:
        from playwright.sync_api import Error  # noqa: PLC0415 - the caller's page is Playwright's

        answer = self._find(self._form.input)
        try:
            return (yield answer.is_visible()) and not (yield answer.input_value(timeout=FIELD_MS))
        except Error:
            # The page is just being replaced.
            return False

    def _take_picture(self) -> PageSteps[bytes]:
        found = self._find(self._form.picture)
        yield from self._do("picture=", self._form.picture, lambda found: found.scroll_into_view_if_needed())
        pixels = yield found.evaluate(_READ_PIXELS, PICTURE_MS)
        if pixels:
            return base64.b64decode(pixels.partition(",")[2])
        screenshot: bytes = yield found.screenshot()
        return screenshot

    def _renew_picture(self, last: bytes) -> PageSteps[bytes]:
        """Wait for another picture, asking for one where the page has not drawn it by itself."""
        picture = yield from self._take_picture()
        if picture == last and self._form.refresh is not None:
            yield from self._do("refresh=", self._form.refresh, lambda found: found.click())
        end_seconds = self._clock.monotonic_seconds() + PATIENCE_SECONDS
        while picture == last:
            if self._clock.monotonic_seconds() >= end_seconds:
                raise CaptchaNotFilled(
                    "the page shows the same picture again — name what draws a new one with refresh="
                )
            yield self._page.wait_for_timeout(LOOK_MS)
            picture = yield from self._take_picture()
        return picture

    def _do(self, argument: str, selector: str, act: Callable[[Any], Any]) -> PageSteps[None]:
        """Do something with what a selector finds; CaptchaNotFilled, with the argument's name, where that can't be."""
        from playwright.sync_api import Error  # noqa: PLC0415 - the caller's page is Playwright's
        from playwright.sync_api import TimeoutError as NothingFound  # noqa: PLC0415

        try:
            yield act(self._find(selector))
        except NothingFound:
            message = f"{argument} {selector!r} matches nothing at {self._page.url} that can be used"
            raise CaptchaNotFilled(f"{message} — is it right, and is it in this frame?") from None
        except Error as error:
            raise CaptchaNotFilled(f"{argument} {selector!r}: {error.message.splitlines()[0]}") from error

    def _find(self, selector: str) -> Any:
        return self._page.locator(selector).first
