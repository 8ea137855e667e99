"""The result of one check, and how to fix what is wrong."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class CheckStatus(StrEnum):
    """Good; works, but should be fixed; captchad can't run like this."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Mend:
    """What `--fix` can do about a finding: its words, and the act; what needs consent is asked before."""

    does: str
    act: Callable[[], None]
    needs_consent: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """One checked thing; `fix` is empty where nothing needs doing, and `mend` None where a person must do it."""

    subject: str
    status: CheckStatus
    found: str
    fix: str = ""
    mend: Mend | None = None


def good(subject: str, found: str) -> Finding:
    """Return a finding that needs no fix."""
    return Finding(subject, CheckStatus.OK, found)


def doubtful(subject: str, found: str, fix: str, mend: Mend | None = None) -> Finding:
    """Return a finding that should be fixed."""
    return Finding(subject, CheckStatus.WARN, found, fix, mend)


def bad(subject: str, found: str, fix: str, mend: Mend | None = None) -> Finding:
    """Return a finding that must be fixed."""
    return Finding(subject, CheckStatus.FAIL, found, fix, mend)
