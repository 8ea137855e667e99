"""Classifies words: a captcha, a hint of one, something else, a field's purpose, a click that reveals a captcha."""

import re
import unicodedata
from enum import Enum
from functools import lru_cache

from captchad.browser.finding import vocabulary
from captchad.browser.scripts.patterns import STAND_IN_PATTERN

# The same texts come up at every scan of a page. Each is short, so that what is remembered is some megabytes at most.
REMEMBERED_TEXTS = 512
UNFOLDING = 3
"""How many times longer a text may become: Korean syllables treble it, but one letter (U+FDFA) can become eighteen."""

SHORT_LENGTH = 64
"""Texts as short as the vocabulary's terms are never cut."""

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


@lru_cache(maxsize=REMEMBERED_TEXTS)
def fold(text: str) -> str:
    """Return text without case, accents and width, so that one spelling of a word stands for all."""
    # Twice: case folding can leave characters that decompose further.
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    kept = decomposed[: UNFOLDING * len(text) + SHORT_LENGTH]
    plain = "".join(letter for letter in kept if not unicodedata.combining(letter))
    return " ".join(plain.replace("’", "'").replace("ı", "i").replace("ł", "l").split())


def _fold_terms(terms: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(" ".join(fold(term).split()) + (" " if term.endswith(" ") else "") for term in terms))


_CAPTCHA_TERMS = _fold_terms(vocabulary.CAPTCHA_TERMS)
_PICTURE_TERMS = _fold_terms(vocabulary.PICTURE_TERMS)
_HINT_TERMS = _fold_terms(vocabulary.HINT_TERMS)
_SENT_TERMS = _fold_terms(vocabulary.SENT_TERMS)
_SENDING_TERMS = _fold_terms(vocabulary.SENDING_TERMS)
_CONTACT_TERMS = _fold_terms(vocabulary.CONTACT_TERMS)
_OTHER_FIELD_TERMS = _fold_terms(vocabulary.OTHER_FIELD_TERMS)
_DECOY_TERMS = _fold_terms(vocabulary.DECOY_TERMS)
_REVEAL_TERMS = _fold_terms(vocabulary.REVEAL_TERMS)
_UNTOUCHABLE_TERMS = _fold_terms(vocabulary.UNTOUCHABLE_TERMS)
_PAGE_WORDS = frozenset(
    term.strip()
    for terms in (
        _fold_terms(vocabulary.PAGE_WORDS),
        _UNTOUCHABLE_TERMS,
        _REVEAL_TERMS,
        _OTHER_FIELD_TERMS,
        _HINT_TERMS,
    )
    for term in terms
)


def _has(text: str, terms: tuple[str, ...]) -> bool:
    text += " "  # a term that ends with a space ends a word, and the last word has none after it
    return any(term in text for term in terms)


@lru_cache(maxsize=REMEMBERED_TEXTS)
def names_captcha(text: str) -> bool:
    """Whether words name a captcha of text in a picture."""
    folded = fold(text)
    return _has(folded, _CAPTCHA_TERMS) or _CAPTCHA.search(folded) is not None


@lru_cache(maxsize=REMEMBERED_TEXTS)
def hints_captcha(text: str) -> bool:
    """Whether words occur around captchas, but elsewhere too."""
    folded = fold(text)
    return _has(folded, _HINT_TERMS) or _HINT.search(folded) is not None


@lru_cache(maxsize=REMEMBERED_TEXTS)
def names_decoy(text: str) -> bool:
    """Whether words name what pictures on a page usually are: logos, avatars, adverts, badges, charts."""
    folded = fold(text)
    return _has(folded, _DECOY_TERMS) or _DECOY.search(folded) is not None


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
    return _has(fold(words), _CONTACT_TERMS)


@lru_cache(maxsize=REMEMBERED_TEXTS)
def find_purpose(words: str, before: str, after: str, *, can_send: bool) -> FieldPurpose:
    """Return what a field is for, by its own words and the text before and after it.

    `can_send`: the page asks for a phone or an address, so that a code may come that way instead of in a picture.
    """
    own, beside = fold(words), fold(f"{before} {after}")
    is_captcha = names_captcha(words)
    is_of_picture = is_captcha and _has(own, _PICTURE_TERMS)
    is_sending = _is_sent(beside) or (can_send and _has(fold(after), _SENDING_TERMS))
    if _is_sent(own) or (is_sending and not is_of_picture):
        return FieldPurpose.OTHER
    is_other = _has(own, _OTHER_FIELD_TERMS) or _has(own, _CONTACT_TERMS) or _OTHER_NAME.search(own) is not None
    if is_captcha or (names_captcha(before) and not is_other):
        return FieldPurpose.CAPTCHA
    if is_other:
        return FieldPurpose.OTHER
    return FieldPurpose.CODE if hints_captcha(words) or hints_captcha(before) else FieldPurpose.UNKNOWN


def _is_sent(folded: str) -> bool:
    return _has(folded, _SENT_TERMS) or _SENT.search(folded) is not None


@lru_cache(maxsize=REMEMBERED_TEXTS)
def mentions_message(text: str, *, can_send: bool) -> bool:
    """Whether words are about a code that comes by message, or on a page that `can_send` one, may be."""
    folded = fold(text)
    return _is_sent(folded) or (can_send and _has(folded, _SENDING_TERMS))


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
    if _has(folded, _UNTOUCHABLE_TERMS) or _is_sent(folded) or not names_captcha(words):
        return False
    return _has(folded, _REVEAL_TERMS) and not (can_send and _has(folded, _SENDING_TERMS))
