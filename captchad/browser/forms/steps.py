"""What a task does on a page before its captcha is looked for: opens the login dialog, dismisses a notice."""

from collections.abc import Callable
from functools import partial

from captchad.browser.forms.elements import ACTION_MS, ElementFinder, Mode, Place, Wanted, order_frames
from captchad.browser.forms.form_filling import FormFilling
from captchad.browser.page.opened_page import OpenedPage
from captchad.domain.errors import TaskErrorCode
from captchad.domain.page import Step, StepAction
from captchad.domain.target import Origin
from captchad.runtime.clock import Clock
from captchad.runtime.deadline import Deadline

_MODES: dict[StepAction, Mode] = {
    "click": "button",
    "focus": "button",
    "hover": "button",
    "wait_for": "button",
    "type": "field",
}


class Steps:
    """Takes a task's steps on an open page; AttemptFailed (step_failed) names the one that failed, and why."""

    def __init__(
        self,
        opened: OpenedPage,
        steps: tuple[Step, ...],
        may_reach_typed: Callable[[Origin], bool],
        deadline: Deadline,
        clock: Clock,
    ) -> None:
        self._opened = opened
        self._steps = steps
        self._may_reach_typed = may_reach_typed
        self._deadline = deadline
        self._finder = ElementFinder(clock, deadline.search_seconds)
        self._clock = clock

    async def run(self) -> None:
        """Take all steps, one after the other."""
        for number, step in enumerate(self._steps, start=1):
            await self._take(number, step)
            # A step may have led out of scope.
            self._opened.check()

    async def _take(self, number: int, step: Step) -> None:
        page = self._opened.page
        name = f"step {number} ({step.action})"
        wanted = Wanted(_MODES[step.action], step.selector, name, "step", TaskErrorCode.STEP_FAILED)
        frames = partial(order_frames, page, page.main_frame)
        if step.action == "wait_for":
            left_seconds = self._deadline.search_seconds - self._clock.monotonic_seconds()
            await self._finder.find(frames, wanted, left_seconds)
            return
        place = await self._finder.find(frames, wanted)
        await self._act(place, step)

    async def _act(self, place: Place, step: Step) -> None:
        if step.action == "click":
            await place.click()
        elif step.action == "hover":
            await place.use(lambda: place.element.hover(timeout=ACTION_MS))
        elif step.action == "focus":
            await place.use(lambda: place.element.focus(timeout=ACTION_MS))
        else:
            await FormFilling(place, None).check_scope(place.frame, self._opened.check_typed(self._may_reach_typed))
            await self._opened.confine(self._may_reach_typed)
            await place.type(step.value or "")
