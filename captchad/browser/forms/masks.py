"""What no screenshot may show: passwords, and the values that came with the task."""

import re

from playwright.async_api import Locator, Page

from captchad.browser.page.frame_calls import FRAMES_LIMIT
from captchad.browser.scripts.catalogue import CLOSED_SECRETS
from captchad.browser.scripts.isolated_world import locate_all
from captchad.domain.page import PageOrder

_PASSWORDS = "input[type=password]"
_FIELDS = "input, textarea, select, [contenteditable]"
_BEGINNING_LENGTH = 64
"""Of a secret, by which its place is found: a session may have hundreds, all of which are one search of the page."""


def list_masks(page: Page, order: PageOrder) -> list[Locator]:
    """Return what to cover: password fields, where values are typed every field, and each place that shows a secret."""
    frames = page.frames[:FRAMES_LIMIT]
    fields = _FIELDS if order.typed_values else _PASSWORDS
    secrets = [plain for value in order.secret_values if (plain := " ".join(value.split()))]
    covered = [frame.locator(fields) for frame in frames]
    if not secrets:
        return covered
    said = re.compile("|".join(re.escape(plain[:_BEGINNING_LENGTH]) for plain in secrets), re.IGNORECASE)
    shown = [frame.get_by_text(said) for frame in frames]
    # The driver does not look into closed shadow roots.
    texts = [plain.lower() for plain in secrets]
    closed = [locate_all(frame, CLOSED_SECRETS, selector=fields, texts=texts) for frame in frames]
    return [*covered, *shown, *closed]
