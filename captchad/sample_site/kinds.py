"""The kinds of page that the site has, each with the options of the task that solves it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from captchad.sample_site.drawing import ALPHABET, TEXT_LENGTH
from captchad.sample_site.puzzles import (
    CYRILLIC_ALPHABET,
    DIGITS,
    MakePuzzle,
    make_bare,
    make_chinese_sum,
    make_coloured,
    make_cyrillic,
    make_digits,
    make_sum,
    make_sum_in_words,
    make_text,
    make_typed_code,
)

PORTAL = "/portal/"
"""Where a single sign-on leads to, at an origin of its own."""

_LENGTH = {"min_length": TEXT_LENGTH, "max_length": TEXT_LENGTH}
_LETTERS = {"charset": ALPHABET, **_LENGTH}
_FORM = {"input": "#captcha", "submit": "#submit", "success": "#welcome", "failure": ".error"}
_DRAWN = {"hints": _LETTERS, "fill": _FORM}
_WRITTEN = {"fill": _FORM}
_NAME, _PASSWORD, _COUNTRY = "anna", "not-a-secret", "nl"
_FIELDS = [
    {"selector": "#username", "value": _NAME},
    {"selector": "#password", "value": _PASSWORD},
    {"selector": "#country", "choose": _COUNTRY},
    {"selector": "#agree", "check": True},
]


@dataclass(frozen=True, slots=True)
class PageKind:
    """One kind of page; `options` are those of a task, as the HTTP API takes them.

    The puzzle is made with the page, unless it `comes_as` a picture of its own. `wanted` are the values that the server
    wants of the form's further fields. With single sign-on a right answer `leads_elsewhere`.
    """

    name: str
    title: str
    options: Mapping[str, Any]
    make_puzzle: MakePuzzle = make_text
    template: str = ""
    comes_as: Literal["picture", "inline picture", "page"] = "picture"
    is_slow: bool = False
    is_secure: bool = False
    wanted: Mapping[str, str] = field(default_factory=dict)
    leads_elsewhere: bool = False

    @property
    def page(self) -> str:
        """The name of its page's template."""
        return self.template or self.name


LOGIN = PageKind("login", "A login", {"hints": _LETTERS, "fill": {**_FORM, "refresh": "#refresh"}})
KINDS = (
    PageKind(
        "fields",
        "A login with a name, a password, a list and a box to tick",
        {"hints": _LETTERS, "fill": {**_FORM, "fields": _FIELDS}},
        wanted={"username": _NAME, "password": _PASSWORD, "country": _COUNTRY, "agree": "on"},
    ),
    PageKind(
        "dialog",
        "A login in a dialog that a click opens",
        {"hints": _LETTERS, "steps": [{"click": "#open"}], "fill": _FORM},
    ),
    PageKind("canvas", "A canvas drawn by script", _DRAWN),
    PageKind(
        "tiles",
        "A picture for each digit",
        {"hints": {"charset": DIGITS, **_LENGTH}, "fill": _FORM},
        make_digits,
        comes_as="page",
    ),
    PageKind("frame", "A picture in a frame", _DRAWN),
    LOGIN,
    PageKind("image", "A picture", _DRAWN),
    PageKind("data-uri", "A picture inside the page", _DRAWN, comes_as="inline picture"),
    PageKind("late", "A picture that comes late", _DRAWN),
    PageKind("slow", "A picture that takes 6 seconds", _DRAWN, template="image", is_slow=True),
    PageKind("focus", "A picture that is drawn once its field has the focus", _DRAWN),
    PageKind("redraw", "A picture that is drawn anew once its field has the focus", _DRAWN),
    PageKind("transparent", "White and black letters on the page's own grey", _DRAWN, make_bare),
    PageKind("red-letters", "Red letters alone", {"hints": {"charset": ALPHABET}, "fill": _FORM}, make_coloured),
    PageKind(
        "cyrillic",
        "Cyrillic letters",
        {"hints": {"charset": CYRILLIC_ALPHABET, **_LENGTH}, "fill": _FORM},
        make_cyrillic,
        template="image",
    ),
    PageKind("page-text", "A code that is text of the page", _WRITTEN, make_typed_code, comes_as="page"),
    PageKind("sum", "A sum as text", _WRITTEN, make_sum, template="question", comes_as="page"),
    PageKind("sum-in-words", "A sum in words", _WRITTEN, make_sum_in_words, template="question", comes_as="page"),
    PageKind("chinese-sum", "A sum in Chinese", _WRITTEN, make_chinese_sum, template="question", comes_as="page"),
    PageKind("two-forms", "Two forms, each with its captcha", _DRAWN),
    PageKind("closed-root", "A form in a closed shadow root", _DRAWN),
    PageKind(
        "confirm", "A form that asks whether to send it", {"hints": _LETTERS, "fill": {**_FORM, "dialogs": "accept"}}
    ),
    PageKind("own-certificate", "TLS by an authority of the site's own", _DRAWN, template="image", is_secure=True),
    PageKind(
        "single-sign-on",
        "A right answer that leads to another site",
        {"hints": _LETTERS, "fill": {**_FORM, "success": f"url:*{PORTAL}*"}},
        template="image",
        leads_elsewhere=True,
    ),
)
"""All kinds, in the order in which the demo shows them; the first ones are quick and differ most."""

_BY_NAME = {kind.name: kind for kind in KINDS}


def find_kind(name: str) -> PageKind | None:
    """Return the kind of that name."""
    return _BY_NAME.get(name)
