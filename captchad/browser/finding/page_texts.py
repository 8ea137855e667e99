"""Reads captchas that are text of the page, and says how sure each is."""

from captchad.browser.finding.candidates import Candidate
from captchad.browser.finding.wording import names_captcha
from captchad.domain.page_text import PageText, find_lone_code
from captchad.domain.recognition import CaptchaKind, Character, Recognition

RECOGNISER = "page"

# Nothing is misread, but a text may be another one than the captcha.
CLEAR_CONFIDENCE = 0.98
LIKELY_CONFIDENCE = 0.85
DOUBTFUL_CONFIDENCE = 0.5


def recognise_page_text(candidate: Candidate) -> Recognition | None:
    """Return the answer to a candidate's text; None where it is a picture, or a text that must be looked at."""
    if candidate.text is None:
        return None
    found = candidate.page_text or (find_lone_code(candidate.text) if candidate.selector is not None else None)
    if found is None:
        return None
    confidence = _find_confidence(candidate, candidate.text, found)
    return Recognition(
        text=found.answer,
        confidence=confidence,
        recogniser=RECOGNISER,
        kind=CaptchaKind.PAGE_TEXT,
        characters=tuple(Character(letter, confidence) for letter in found.answer) if found.expression is None else (),
        expression=found.expression,
    )


def _find_confidence(candidate: Candidate, text: str, found: PageText) -> float:
    is_named = candidate.selector is not None or names_captcha(candidate.own)
    if found.expression is not None:
        return CLEAR_CONFIDENCE if found.is_clear else DOUBTFUL_CONFIDENCE
    if found.is_clear:
        return CLEAR_CONFIDENCE if is_named or candidate.is_beside_answer else LIKELY_CONFIDENCE
    return LIKELY_CONFIDENCE if is_named and " " not in text else DOUBTFUL_CONFIDENCE
