"""What counts as right: what the generator itself would take for an answer."""

from collections.abc import Callable
from dataclasses import dataclass

from captchad.domain.arithmetic import read_arithmetic

_SIGNS = str.maketrans({"x": "×", "X": "×", "*": "×", "−": "-", "–": "-", ":": "÷", "？": "?"})


@dataclass(frozen=True, slots=True)
class CaseRule:
    """How a generator makes an answer comparable, and where it does so."""

    fold: Callable[[str], str]
    reason: str
    counts_case: bool = False


def _fold_alike(text: str) -> str:
    return text.lower().replace("0", "o").replace("1", "l")


EXACT = CaseRule(str, "compares as it is, or leaves the comparison to its caller", counts_case=True)
CASE_RULES = {
    "wheezy.captcha": CaseRule(str.upper, "its HTTP validator compares upper case"),
    "flask-simple-captcha": CaseRule(str.upper, "verify() compares upper case, unless told that case matters"),
    "kaptcha": CaseRule(str.lower, "its own question compares lower case"),
    "djangocaptcha": CaseRule(str.lower, "check() compares lower case"),
    "innocaptcha": CaseRule(str.lower, "verify() compares lower case"),
    "captchakit": CaseRule(str.casefold, "a text challenge does not count case by default"),
    "botblock": CaseRule(str.lower, "validate() compares lower case by default"),
    "django-simple-captcha": CaseRule(str.lower, "its validator compares lower case"),
    "Authen::Captcha": CaseRule(str.lower, "check_code() takes the answer in lower case"),
    "simple_captcha2": CaseRule(str.upper, "compares the answer in upper case"),
    "gregwar/captcha": CaseRule(_fold_alike, "testPhrase() compares lower case, 0 as o and 1 as l"),
}
"""The generators that do not compare exactly; all others do, or leave it to their callers."""


def find_rule(family: str) -> CaseRule:
    """Return the rule of a family."""
    return CASE_RULES.get(family, EXACT)


def work_out(text: str) -> str | None:
    """Return the answer of an expression, however its signs are written; None where the text is not one."""
    found = read_arithmetic("".join(text.split()).translate(_SIGNS))
    return None if found is None else str(found.result)


def find_answer(truth: str) -> str:
    """Return what is asked for: the result where the picture shows arithmetic, else the text."""
    return truth if truth.isalnum() else work_out(truth) or truth


def is_right(family: str, truth: str, read: str) -> bool:
    """Whether the generator would take what was read; of arithmetic, the expression will do as well as its result."""
    # Only where the picture has spaces do those of an answer count.
    fold, read = find_rule(family).fold, (" " if " " in truth else "").join(read.split())
    answer = find_answer(truth)
    if answer == truth:
        return fold(read) == fold(truth)
    return answer in {read, work_out(read)}
