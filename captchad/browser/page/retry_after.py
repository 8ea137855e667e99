"""Reads whether a site asks clients to back off, and for how long."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from captchad.domain.errors import AttemptFailed, TaskErrorCode
from captchad.domain.target import CLOSURE_LIMIT_SECONDS

TOO_MANY_REQUESTS = 429
SERVICE_UNAVAILABLE = 503
# For a 429 without Retry-After.
UNSTATED_SECONDS = 10.0
SHORTEST_SECONDS = 1.0
MS_PER_SECOND = 1000


def refuse_overload(status: int, headers: Mapping[str, str], now_ms: int) -> None:
    """Raise `http_error` with the time to wait if a navigation's response says that the site is overloaded.

    `headers` have lower-case names; `now_ms` is this host's clock, for dates that come without the site's own.
    """
    seconds = read_retry_after(status, headers, now_ms)
    if seconds is not None:
        message = f"the site answered {status}: no more for {seconds:g} s"
        raise AttemptFailed(TaskErrorCode.HTTP_ERROR, message, retry_after_seconds=seconds)


def read_retry_after(status: int, headers: Mapping[str, str], now_ms: int) -> float | None:
    """Return the seconds a 429, or a 503 that states them, asks for; None where nothing is asked.

    How much of it is granted is the operator's decision.
    """
    stated = headers.get("retry-after", "").strip()
    # A 503 without Retry-After may be any failure, so the ordinary retry applies.
    if status != TOO_MANY_REQUESTS and not (status == SERVICE_UNAVAILABLE and stated):
        return None
    seconds = _read_delay(stated, headers.get("date", ""), now_ms)
    if seconds is None:
        return UNSTATED_SECONDS if status == TOO_MANY_REQUESTS else None
    return float(min(max(seconds, SHORTEST_SECONDS), CLOSURE_LIMIT_SECONDS))


def _read_delay(stated: str, sent_at: str, now_ms: int) -> float | None:
    if stated.isascii() and stated.isdigit():
        # A number of absurd length would take time to parse and overflow a float.
        return float(stated) if len(stated) < len("1000000000") else math.inf
    until = _read_date(stated)
    if until is None:
        return None
    # Against the site's own Date header where there is one, so that a wrong clock does no harm.
    now = _read_date(sent_at) or datetime.fromtimestamp(now_ms / MS_PER_SECOND, UTC)
    return (until - now).total_seconds()


def _read_date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
