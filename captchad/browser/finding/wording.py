"""Classifies words: a captcha, a hint of one, something else, a field's purpose, a click that reveals a captcha."""

import re
from enum import Enum
from functools import lru_cache

from captchad.browser.finding import vocabulary
from captchad.browser.scripts.patterns import STAND_IN_PATTERN
from captchad.domain.folding import REMEMBERED_TEXTS, fold

_CAPTCHA = re.compile(
    r"(verif|valid|check|auth|sec|rand|img|image|pic|login)[a-z]{0,6}[-_ ]?code|(?<![a-z])(yzm|[vs]code)(?![a-z])"
    r"|code[-_ ]?(img|image|pic)|security[-_ ]?(image|img|text)"
)
_HINT = re.compile(r"(?<![a-z])(code|auth|rand|random|turing|result|kod|sum)(?![a-z])")
_DECOY = re.compile(
    r"logo(?!n|ut|ff)|avatar|portrait|banner|advert|sponsor|sprite|favicon|wordmark|(?<![a-z])(ads?|qr|icons?|brand|badge|"
    r"flag|pixel|tracking|share|profile|photo|thumb|emoji|smiley|loading|spinner|barcode|chart|graph|map|product|rating|"
    r"stars?|signature|seal|ssl|visa|mastercard|paypal|maestro|amex|hero|poster|cover|illustration|sparkline|w3c)(?![a-z])"
)
_CONTROL = re.compile(r"refresh|reload|audio|speaker|sound|help|close|arrow|(?<![a-z])btn")
_SENT = re.compile(r"(?<![a-z])(otp|totp|2fa|mfa)")
_STAND_IN = re.compile(STAND_IN_PATTERN)
_OTHER_NAME = re.compile(r"(?<![a-z])(q|s|name|url|tel|date|title|qty|cv[vc]|pin|uid|uname)(?![a-z])")


class FieldPurpose(Enum):
    """What a text field is for, as far as its words tell."""

    CAPTCHA = "a captcha input"
    CODE = "an input for a code"
    UNKNOWN = "a text input"
    OTHER = "another input"


def fold_terms(terms: tuple[str, ...]) -> tuple[str, ...]:
    """Return terms folded, each once; a space after one stays."""
    return tuple(dict.fromkeys(" ".join(fold(term).split()) + (" " if term.endswith(" ") else "") for term in terms))


_CAPTCHA_TERMS = fold_terms(vocabulary.CAPTCHA_TERMS)
_PICTURE_TERMS = fold_terms(vocabulary.PICTURE_TERMS)
_HINT_TERMS = fold_terms(vocabulary.HINT_TERMS)
_SENT_TERMS = fold_terms(vocabulary.SENT_TERMS)
_SENDING_TERMS = fold_terms(vocabulary.SENDING_TERMS)
_CONTACT_TERMS = fold_terms(vocabulary.CONTACT_TERMS)
_OTHER_FIELD_TERMS = fold_terms(vocabulary.OTHER_FIELD_TERMS)
_DECOY_TERMS = fold_terms(vocabulary.DECOY_TERMS)
_REVEAL_TERMS = fold_terms(vocabulary.REVEAL_TERMS)
_UNTOUCHABLE_TERMS = fold_terms(vocabulary.UNTOUCHABLE_TERMS)
_PAGE_WORDS = frozenset(
    term.strip()
    for terms in (
        fold_terms(vocabulary.PAGE_WORDS),
        _UNTOUCHABLE_TERMS,
        _REVEAL_TERMS,
        _OTHER_FIELD_TERMS,
        _HINT_TERMS,
    )
    for term in terms
)


def has_term(text: str, terms: tuple[str, ...]) -> bool:
    """Whether folded text contains one of such terms."""
    text += " "  # a term that ends with a space ends a word, and the last word has none after it
    return any(term in text for term in terms)


@lru_cache(maxsize=REMEMBERED_TEXTS)
def names_captcha(text: str) -> bool:
    """Whether words name a captcha of text in a picture."""
    folded = fold(text)
    return has_term(folded, _CAPTCHA_TERMS) or _CAPTCHA.search(folded) is not None


@lru_cache(maxsize=REMEMBERED_TEXTS)
def hints_captcha(text: str) -> bool:
    """Whether words occur around captchas, but elsewhere too."""
    folded = fold(text)
    return has_term(folded, _HINT_TERMS) or _HINT.search(folded) is not None


@lru_cache(maxsize=REMEMBERED_TEXTS)
def names_decoy(text: str) -> bool:
    """Whether words name what pictures on a page usually are: logos, avatars, adverts, badges, charts."""
    folded = fold(text)
    return has_term(folded, _DECOY_TERMS) or _DECOY.search(folded) is not None


@lru_cache(maxsize=REMEMBERED_TEXTS)
def names_control(text: str) -> bool:
    """Whether words name a small control beside a captcha, as one that draws another."""
    return _CONTROL.search(fold(text)) is not None


@lru_cache(maxsize=REMEMBERED_TEXTS)
def names_page_part(text: str) -> bool:
    """Whether a short text is a word of the page's own, as a label or a button has it, and so no code."""
    folded = fold(text)
    return folded in _PAGE_WORDS or names_captcha(text)


@lru_cache(maxsize=REMEMBERED_TEXTS)
def asks_contact(words: str) -> bool:
    """Whether a field asks for where a message could be sent."""
    return has_term(fold(words), _CONTACT_TERMS)


@lru_cache(maxsize=REMEMBERED_TEXTS)
def find_purpose(words: str, before: str, after: str, *, can_send: bool) -> FieldPurpose:
    """Return what a field is for, by its own words and the text before and after it.

    `can_send`: the page asks for a phone or an address, so that a code may come that way instead of in a picture.
    """
    own, beside = fold(words), fold(f"{before} {after}")
    is_captcha = names_captcha(words)
    is_of_picture = is_captcha and has_term(own, _PICTURE_TERMS)
    is_sending = _is_sent(beside) or (can_send and has_term(fold(after), _SENDING_TERMS))
    if _is_sent(own) or (is_sending and not is_of_picture):
        return FieldPurpose.OTHER
    is_other = has_term(own, _OTHER_FIELD_TERMS) or has_term(own, _CONTACT_TERMS) or _OTHER_NAME.search(own) is not None
    if is_captcha or (names_captcha(before) and not is_other):
        return FieldPurpose.CAPTCHA
    if is_other:
        return FieldPurpose.OTHER
    return FieldPurpose.CODE if hints_captcha(words) or hints_captcha(before) else FieldPurpose.UNKNOWN


def _is_sent(folded: str) -> bool:
    return has_term(folded, _SENT_TERMS) or _SENT.search(folded) is not None


@lru_cache(maxsize=REMEMBERED_TEXTS)
def mentions_message(text: str, *, can_send: bool) -> bool:
    """Whether words are about a code that comes by message, or on a page that `can_send` one, may be."""
    folded = fold(text)
    return _is_sent(folded) or (can_send and has_term(folded, _SENDING_TERMS))


@lru_cache(maxsize=REMEMBERED_TEXTS)
def names_stand_in(url: str) -> bool:
    """Whether an address is of what is shown until the picture is there."""
    return _STAND_IN.search(fold(url)) is not None


@lru_cache(maxsize=REMEMBERED_TEXTS)
def promises_captcha(words: str, *, can_send: bool) -> bool:
    """Whether a control says that a click on it shows a captcha, and nothing that a click should not do.

    On a page that `can_send` a code, "get the code" may send it.
    """
    folded = fold(words)
    if has_term(folded, _UNTOUCHABLE_TERMS) or _is_sent(folded) or not names_captcha(words):
        return False
    return has_term(folded, _REVEAL_TERMS) and not (can_send and has_term(folded, _SENDING_TERMS))
