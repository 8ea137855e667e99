"""Captchas that are text of the page: what is to be typed for them."""

import re
from dataclasses import dataclass

from captchad.domain.written_sums import read_written_sum

_CODE = re.compile(r"[A-Za-z0-9]{3,10}")
_WORD_FORM = re.compile(r"[A-Za-z]?[a-z]+")
_LONE_CODE = re.compile(r"(?<![A-Za-z0-9])(?=[A-Za-z]*\d)[A-Za-z0-9]{4,8}(?![A-Za-z0-9])")


@dataclass(frozen=True, slots=True)
class PageText:
    """The answer to a text, and whether its form leaves no doubt: a code has no word's form, a sum is asked for."""

    answer: str
    is_clear: bool
    expression: str | None = None


def read_page_text(text: str) -> PageText | None:
    """Return the code that a text is, or the result of the sum that it asks for; None where it is neither."""
    letters = text.split()
    # Letters apart are typed together; where the spaces are the page's own text, that is but likely.
    is_apart = len(letters) > 1 and all(len(letter) == 1 for letter in letters)
    code = "".join(letters) if is_apart else text.strip()
    # First: 2X5T is a code, and no product.
    if _CODE.fullmatch(code) is not None:
        return PageText(code, not is_apart and _WORD_FORM.fullmatch(code) is None)
    written = read_written_sum(text)
    if written is None:
        return None
    return PageText(str(written.arithmetic.result), written.is_asked, written.arithmetic.expression)


def find_lone_code(text: str) -> PageText | None:
    """Return the one code with a figure in it among other words; None where there is none, or more."""
    codes = _LONE_CODE.findall(text)
    return PageText(codes[0], is_clear=False) if len(codes) == 1 else None
