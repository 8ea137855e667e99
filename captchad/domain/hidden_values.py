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
        forms = {_fold(form) for value in set(values) for form in _list_forms(value)}
        self._forms = sorted(forms, key=len, reverse=True)

    def hide(self, text: str) -> str:
        """Return a text without the values."""
        folded = _fold(text)
        for form in self._forms:
            # A session may have hundreds of them, and next to no text has any.
            if form[:_WHOLE_LENGTH] in folded:
                text = _hide_form(text, folded, form)
                folded = _fold(text)
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


def _fold(text: str) -> str:
    """Return a text in lower case, with every character where it was."""
    lower = text.lower()
    return lower if len(lower) == len(text) else "".join(character.lower()[0] for character in text)


def _hide_form(text: str, folded: str, form: str) -> str:
    pattern = re.escape(form)
    if len(form) < _WHOLE_LENGTH:
        return re.sub(rf"(?<!\w){pattern}(?!\w)", HIDDEN, text, flags=re.IGNORECASE)
    if form in folded:
        text = re.sub(pattern, HIDDEN, text, flags=re.IGNORECASE)
    return "".join(_hide_beginning(part, form) for part in _ENDS.split(text))


def _hide_beginning(part: str, form: str) -> str:
    """Hide a value of which a quotation, or the text, has but the beginning at its end: what pages say is cut."""
    folded, begin = _fold(part), form[:_WHOLE_LENGTH]
    at = folded.find(begin, max(0, len(part) - len(form)))
    while at >= 0:
        if form.startswith(folded[at:]):
            return part[:at] + HIDDEN
        at = folded.find(begin, at + 1)
    return part
