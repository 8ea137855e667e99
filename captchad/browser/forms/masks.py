"""What no screenshot may show: passwords, and the values that came with the task."""

from collections.abc import Sequence

from playwright.async_api import Locator, Page

from captchad.browser.page.frame_calls import FRAMES_LIMIT
from captchad.browser.scripts.catalogue import CLOSED_SECRETS
from captchad.browser.scripts.isolated_world import locate_all

_PASSWORDS = "input[type=password]"
_FIELDS = "input, textarea, select, [contenteditable]"


def list_masks(page: Page, typed_values: Sequence[str]) -> list[Locator]:
    """Return what to cover: password fields; where values are typed, every field and each place that shows one."""
    frames = page.frames[:FRAMES_LIMIT]
    if not typed_values:
        return [frame.locator(_PASSWORDS) for frame in frames]
    shown = [frame.get_by_text(value) for frame in frames for value in typed_values if value.strip()]
    # The driver does not look into closed shadow roots.
    texts = [" ".join(value.split()).lower() for value in typed_values if value.strip()]
    closed = [locate_all(frame, CLOSED_SECRETS, selector=_FIELDS, texts=texts) for frame in frames]
    return [*(frame.locator(_FIELDS) for frame in frames), *shown, *closed]
