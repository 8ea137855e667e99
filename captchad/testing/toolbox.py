"""What the fixture `captchad` is: a client of the session's gateway, with the helpers of tests."""

from collections.abc import Coroutine
from functools import partial
from typing import TYPE_CHECKING, Any, Self, Unpack, overload
from urllib.parse import urlsplit

from captchad.client import AsyncCaptchad, Captchad
from captchad.client.options import Hints, TaskOptions
from captchad.domain.errors import TargetNotAllowed
from captchad.runtime.clock import Clock
from captchad.testing.form import Filled, FillOptions, Form, FormFiller, is_asynchronous, run_on_page, run_on_page_async
from captchad.testing.reading import read
from captchad.testing.session import storage_state

if TYPE_CHECKING:
    from playwright.async_api import Frame as AsyncFrame
    from playwright.async_api import Page as AsyncPage
    from playwright.sync_api import Frame as SyncFrame
    from playwright.sync_api import Page as SyncPage

_FLEET_ADVICE = {
    TargetNotAllowed.code: "this captchad is the test session's own: name the URL in `captchad_targets`, or set "
    "CAPTCHAD_GATEWAY_URL to one that declares it"
}


class CaptchadFixture(Captchad):
    """A client of a gateway, blocking as Captchad is; `asynchronous` is its twin."""

    @property
    def asynchronous(self) -> AsyncCaptchad:
        """The same client for tests on asyncio."""
        return self._twin

    def of_own_fleet(self) -> Self:
        """Have refusals of targets, also the twin's, say what names them to the session's own fleet."""
        for calls in (self._calls, self._twin._calls):
            calls.own_advice = _FLEET_ADVICE
        return self

    read = staticmethod(read)
    storage_state = staticmethod(storage_state)

    @overload
    def fill(
        self, page: "SyncPage | SyncFrame", *, picture: str, input: str, **options: Unpack[FillOptions]
    ) -> Filled: ...

    @overload
    def fill(
        self, page: "AsyncPage | AsyncFrame", *, picture: str, input: str, **options: Unpack[FillOptions]
    ) -> Coroutine[Any, Any, Filled]: ...

    def fill(
        self,
        page: "SyncPage | SyncFrame | AsyncPage | AsyncFrame",
        *,
        picture: str,
        input: str,  # noqa: A002 - named as in a task's `fill`
        **options: Unpack[FillOptions],
    ) -> Filled | Coroutine[Any, Any, Filled]:
        """Read the picture on a page of the caller's own browser, type the text, send it and look whether it is taken.

        A wrong answer is tried again with another picture, `retry_count` times. Only the picture's pixels leave the
        page. Await the result on a page of Playwright's asynchronous API.
        """
        form = Form(picture, input, **options)
        task = _make_task(form.hints, form.target or urlsplit(page.url).hostname)
        is_async = is_asynchronous(page)
        solve = partial(self.asynchronous.solve if is_async else self.solve, **task)
        filler = FormFiller(page, form, solve, Clock())
        return run_on_page_async(filler.fill()) if is_async else run_on_page(filler.fill())


def _make_task(hints: Hints | None, target: str | None) -> TaskOptions:
    task = TaskOptions()
    if hints is not None:
        task["hints"] = hints
    if target is not None:
        task["target"] = target
    return task
