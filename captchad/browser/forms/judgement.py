"""Judges an answer by what changed after it was sent, where no condition says how success and failure show.

The judgement is a probability, by logistic regression on the signs below. The weights are natural logarithms of how
many times more often a sign was expected after a right answer than after a wrong one. They were set by hand, and
corrected on the endings of tests/integration/browser/endings.py; they are not fitted to recorded visits.
"""

import math
from dataclasses import dataclass, fields
from urllib.parse import urlsplit

from captchad.browser.finding import vocabulary
from captchad.browser.finding.wording import fold_terms, has_term
from captchad.domain.folding import fold

DIGITS = 3


@dataclass(frozen=True, slots=True)
class Signs:
    """What became of a page after an answer was sent.

    Of the page: its form is gone, or stands in a new document; the captcha alone is gone; its picture is another one;
    the field for the answer is empty; the address is another one, or one that names a refusal or an acceptance. Of its
    words: new ones by the field refuse, accept, or are for who is signed in; something new is marked as an error or a
    success; much is new beside the form. Of the traffic: a cookie is new, an HTTP status refuses, the form was
    redirected.
    """

    is_form_gone: bool = False
    is_form_again: bool = False
    is_captcha_gone: bool = False
    is_picture_new: bool = False
    is_field_emptied: bool = False
    has_moved: bool = False
    address_refuses: bool = False
    address_accepts: bool = False
    words_refuse: bool = False
    words_accept: bool = False
    words_sign_in: bool = False
    is_marked_wrong: bool = False
    is_marked_right: bool = False
    is_much_new: bool = False
    has_new_cookie: bool = False
    status_refuses: bool = False
    is_redirected: bool = False


# Most forms that accept an answer show it somehow: a page without any sign is more likely a refusal.
BIAS = -1.0
WEIGHTS = {
    "is_form_gone": 3.0,
    "is_form_again": -1.5,
    "is_captcha_gone": 2.8,
    "is_picture_new": -1.0,
    "is_field_emptied": -0.8,
    "has_moved": 0.7,
    "address_refuses": -3.0,
    "address_accepts": 1.5,
    "words_refuse": -5.0,
    "words_accept": 4.5,
    "words_sign_in": 2.5,
    "is_marked_wrong": -2.5,
    "is_marked_right": 4.0,
    "is_much_new": 4.5,
    "has_new_cookie": 0.5,
    "status_refuses": -5.0,
    "is_redirected": 0.5,
}
"""By sign, in log-odds; a sign of a right answer is above zero."""


def judge_signs(signs: Signs) -> float:
    """Return the probability that the answer was accepted."""
    log_odds = BIAS + sum(WEIGHTS[one.name] for one in fields(signs) if getattr(signs, one.name))
    return round(1 / (1 + math.exp(-log_odds)), DIGITS)


_REFUSAL_TERMS = fold_terms(vocabulary.REFUSAL_TERMS)
_ACCEPTANCE_TERMS = fold_terms(vocabulary.ACCEPTANCE_TERMS)
_SIGNED_IN_TERMS = fold_terms(vocabulary.SIGNED_IN_TERMS)
_REFUSING_ADDRESS = ("error", "err=", "fail", "invalid", "wrong", "incorrect", "denied")
_ACCEPTING_ADDRESS = ("success", "welcome", "thank", "dashboard", "account", "profile", "home", "done", "complete")


def names_refusal(line: str) -> bool:
    """Whether a line says that something was not taken."""
    return has_term(fold(line), _REFUSAL_TERMS)


def names_acceptance(line: str) -> bool:
    """Whether a line says that something was taken; "incorrect" holds "correct", so that refusals come first."""
    return has_term(fold(line), _ACCEPTANCE_TERMS) and not names_refusal(line)


def names_signed_in(line: str) -> bool:
    """Whether a line is for who is signed in."""
    return has_term(fold(line), _SIGNED_IN_TERMS)


def refuses_by_address(url: str) -> bool:
    """Whether an address names a refusal, in its path or its query."""
    return any(word in _tail(url) for word in _REFUSING_ADDRESS)


def accepts_by_address(url: str) -> bool:
    """Whether an address names an acceptance, and no refusal."""
    return any(word in _tail(url) for word in _ACCEPTING_ADDRESS) and not refuses_by_address(url)


def _tail(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}#{parts.fragment}".lower()
