"""Keeps what a task types, and the session that came with it, out of everything that is said about its page."""

import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

from captchad.domain.plain_text import escape_control_characters

HIDDEN = "[hidden]"
_WHOLE_LENGTH = 4
"""A shorter value is hidden only where it is a word of its own."""
_ENDS = re.compile(r'(["\]…])')
"""What stands where a text of the page's was cut."""


class HiddenValues:
    """Values that no text may show, in whatever letter case; pages repeat them in texts and in addresses."""

    def __init__(self, values: Iterable[str]) -> None:
        self._forms = sorted({form for value in set(values) for form in _list_forms(value)}, key=len, reverse=True)

    def hide(self, text: str) -> str:
        """Return a text without the values."""
        folded = text.casefold()
        for form in self._forms:
            # A session may have hundreds of them, and next to no text has any.
            if form[:_WHOLE_LENGTH].casefold() in folded:
                text = _hide_form(text, form)
                folded = text.casefold()
        return text


NOTHING_HIDDEN = HiddenValues(())


def _list_forms(value: str) -> Iterable[str]:
    plain = " ".join(value.split())
    if plain:
        yield from (
            value,
            plain,
            escape_control_characters(value),
            quote(value, safe=""),
            quote(value),
            quote_plus(value),
        )


def _hide_form(text: str, form: str) -> str:
    pattern = re.escape(form)
    if len(form) < _WHOLE_LENGTH:
        return re.sub(rf"(?<!\w){pattern}(?!\w)", HIDDEN, text, flags=re.IGNORECASE)
    text = re.sub(pattern, HIDDEN, text, flags=re.IGNORECASE)
    return _hide_beginnings(text, form)


def _hide_beginnings(text: str, form: str) -> str:
    """Hide a value of which a quotation, or the text, has but the beginning: what pages say is cut."""
    parts = _ENDS.split(text)
    for at, part in enumerate(parts):
        longest = next(
            (n for n in range(min(len(form), len(part)), _WHOLE_LENGTH - 1, -1) if _ends_with(part, form[:n])), 0
        )
        if longest:
            parts[at] = part[:-longest] + HIDDEN
    return "".join(parts)


def _ends_with(part: str, beginning: str) -> bool:
    return part[-len(beginning) :].casefold() == beginning.casefold()
