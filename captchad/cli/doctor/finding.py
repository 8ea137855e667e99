"""What the doctor found about one thing, and how to mend it."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """Good; will do, but should be mended; captchad can't work like this."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One checked thing; `mend` says what to do and is empty where nothing is to be done."""

    subject: str
    verdict: Verdict
    found: str
    mend: str = ""


def good(subject: str, found: str) -> Finding:
    """Return a finding that needs no mending."""
    return Finding(subject, Verdict.OK, found)


def doubtful(subject: str, found: str, mend: str) -> Finding:
    """Return a finding that should be mended."""
    return Finding(subject, Verdict.WARN, found, mend)


def bad(subject: str, found: str, mend: str) -> Finding:
    """Return a finding that must be mended."""
    return Finding(subject, Verdict.FAIL, found, mend)
