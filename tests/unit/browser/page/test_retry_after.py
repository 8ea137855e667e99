"""When a site says that it has had enough, it is left alone for as long as it says, within reason."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captchad.browser.page.retry_after import SHORTEST_SECONDS, read_retry_after, refuse_overload
from captchad.domain.errors import AttemptFailed, TaskErrorCode
from captchad.domain.target import CLOSURE_LIMIT_SECONDS

NOON_MS = 1_767_268_800_000
NOON = "Thu, 01 Jan 2026 12:00:00 GMT"
HALF_A_MINUTE_LATER = "Thu, 01 Jan 2026 12:00:30 GMT"


@pytest.mark.parametrize(
    ("status", "headers", "seconds"),
    [
        (200, {"retry-after": "30"}, None),
        (404, {}, None),
        (429, {}, 10.0),
        (429, {"retry-after": "30"}, 30.0),
        (429, {"retry-after": " 30 "}, 30.0),
        (429, {"retry-after": "0"}, 1.0),
        (429, {"retry-after": "7200"}, 7200.0),
        (429, {"retry-after": "9" * 400}, 604_800.0),
        (429, {"retry-after": "soon"}, 10.0),
        (429, {"retry-after": "-5"}, 10.0),
        (429, {"retry-after": HALF_A_MINUTE_LATER}, 30.0),
        (429, {"retry-after": NOON}, 1.0),
        (503, {}, None),
        (503, {"retry-after": "soon"}, None),
        (503, {"retry-after": "120"}, 120.0),
        (503, {"retry-after": HALF_A_MINUTE_LATER}, 30.0),
    ],
)
def test_the_delay_is_read_from_seconds_and_from_dates(
    status: int, headers: dict[str, str], seconds: float | None
) -> None:
    assert read_retry_after(status, headers, NOON_MS) == seconds


def test_a_date_counts_from_the_sites_own_clock() -> None:
    headers = {"retry-after": HALF_A_MINUTE_LATER, "date": NOON}
    assert read_retry_after(429, headers, now_ms=0) == 30.0


@given(st.integers(100, 599), st.dictionaries(st.sampled_from(["retry-after", "date"]), st.text()))
def test_whatever_a_site_sends_the_delay_is_bounded(status: int, headers: dict[str, str]) -> None:
    seconds = read_retry_after(status, headers, NOON_MS)
    assert seconds is None or SHORTEST_SECONDS <= seconds <= CLOSURE_LIMIT_SECONDS


def test_the_attempt_ends_with_a_retryable_http_error_that_carries_the_delay() -> None:
    with pytest.raises(AttemptFailed, match="answered 429: no more for 30 s") as caught:
        refuse_overload(429, {"retry-after": "30"}, NOON_MS)
    assert caught.value.task_error_code is TaskErrorCode.HTTP_ERROR
    assert caught.value.is_retryable
    assert caught.value.retry_after_seconds == 30.0
