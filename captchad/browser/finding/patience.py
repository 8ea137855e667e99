"""Decides how long to wait for a captcha to appear; no I/O happens here."""

from dataclasses import dataclass

# The times of docs/finding.md, "How long it is waited for". All count from the moment the page has loaded.
SETTLE_SECONDS = 1.0
LATEST_SECONDS = 8.0
ERROR_PAGE_SECONDS = 1.0
SLOW_LOAD_SECONDS = 5.0
# Nothing but a slow resource can change a page without scripts.
INERT_STILL_SECONDS = 0.4
STILL_SECONDS = 2.0
EXPECTANT_STILL_SECONDS = 4.0
REVEAL_STILL_SECONDS = 0.3
UNSUPPORTED_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class PageSight:
    """What one scan of all frames says about whether more is to come.

    `change` differs whenever the page changed; an expectant page asks for a code or mentions captchas. A picture is
    awaited where it says that it is the captcha and its request is still open.
    """

    state: str
    change: tuple[str, ...]
    is_scripted: bool
    is_expectant: bool
    unsupported: str | None
    is_awaited: bool = False


class Patience:
    """Tracks since when a page has been loaded and unchanged; all times are seconds of the monotonic clock."""

    def __init__(self, *, is_error_page: bool, is_selected: bool) -> None:
        self._is_error_page = is_error_page
        self._is_selected = is_selected
        self._sight: PageSight | None = None
        self._interactive_seconds: float | None = None
        self._loaded_seconds: float | None = None
        self._still_since_seconds: float | None = None
        self._first_seen_seconds: float | None = None

    def note(self, sight: PageSight, now_seconds: float) -> None:
        """Take in the result of a scan."""
        if self._sight is None or sight.change != self._sight.change:
            self._still_since_seconds = now_seconds
        self._sight = sight
        if sight.state != "loading" and self._interactive_seconds is None:
            self._interactive_seconds = now_seconds
        if self._loaded_seconds is None and self._is_loaded(sight, now_seconds):
            self._loaded_seconds = self._still_since_seconds = now_seconds

    def _is_loaded(self, sight: PageSight, now_seconds: float) -> bool:
        """Whether the page is loaded, or usable for so long that only a slow part of it can be missing."""
        waited_seconds = 0.0 if self._interactive_seconds is None else now_seconds - self._interactive_seconds
        return sight.state == "complete" or waited_seconds >= SLOW_LOAD_SECONDS

    def begin_again(self, now_seconds: float) -> None:
        """Restart the page's time after a click."""
        self._first_seen_seconds = None
        if self._loaded_seconds is not None:
            self._loaded_seconds = self._still_since_seconds = now_seconds

    def is_settled(self, now_seconds: float, *, is_certain: bool) -> bool:
        """Whether the best candidate of this scan may be taken.

        A certain one is taken once the page has loaded, or has had a second to; a possible one after the page has
        been loaded for that long.
        """
        # From the first candidate on, not anew for each: a page that keeps exchanging them would never settle.
        if self._first_seen_seconds is None:
            self._first_seen_seconds = now_seconds
        has_waited = now_seconds - self._first_seen_seconds >= SETTLE_SECONDS
        if is_certain:
            return self._loaded_seconds is not None or has_waited
        return has_waited and self._loaded_seconds is not None and now_seconds - self._loaded_seconds >= SETTLE_SECONDS

    def may_reveal(self, now_seconds: float) -> bool:
        """Whether a page without a captcha has had the time to show one by itself."""
        return self._still_seconds(now_seconds) >= REVEAL_STILL_SECONDS

    def is_over(self, now_seconds: float) -> bool:
        """Whether no captcha is to be expected any more; with a selector, the caller knows that one will come."""
        if self._loaded_seconds is None or self._sight is None or self._is_selected:
            return False
        since_load_seconds = now_seconds - self._loaded_seconds
        if self._sight.unsupported is not None and since_load_seconds >= UNSUPPORTED_SECONDS:
            return True
        if self._sight.is_awaited:
            return False
        latest_seconds = ERROR_PAGE_SECONDS if self._is_error_page else LATEST_SECONDS
        return since_load_seconds >= latest_seconds or self._still_seconds(now_seconds) >= self._stillness_needed(
            self._sight
        )

    def _still_seconds(self, now_seconds: float) -> float:
        is_loaded = self._loaded_seconds is not None and self._still_since_seconds is not None
        return now_seconds - (self._still_since_seconds or 0.0) if is_loaded else 0.0

    @staticmethod
    def _stillness_needed(sight: PageSight) -> float:
        if not sight.is_scripted:
            return INERT_STILL_SECONDS
        return EXPECTANT_STILL_SECONDS if sight.is_expectant else STILL_SECONDS
