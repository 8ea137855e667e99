"""Clicks a captcha's picture where that may draw another one."""

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Frame, Locator

from captchad.browser.finding.candidates import Candidate
from captchad.browser.finding.pictures import PICTURE, find_again
from captchad.browser.scripts.isolated_world import has_click_handler

CLICK_MS = 3000.0


async def find_clickable(frame: Frame, candidate: Candidate) -> Locator | None:
    """Return a picture's element where a click may draw another one without leaving the page; None where not."""
    element = None if candidate.link else await find_again(frame, candidate)
    is_clickable = element is not None and (candidate.is_clickable or await has_click_handler(frame, PICTURE))
    return element if is_clickable else None


async def click_picture(frame: Frame, candidate: Candidate) -> bool:
    """Click a picture where that may draw another one; False where it can't be clicked."""
    try:
        element = await find_clickable(frame, candidate)
        if element is None:
            return False
        # The click may start a navigation, which the attempt watches itself.
        await element.click(no_wait_after=True, timeout=CLICK_MS)
    except PlaywrightError:
        return False
    return True
