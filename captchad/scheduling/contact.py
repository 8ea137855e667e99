"""Tells whether workers could have renewed their leases, or Redis was away."""

from dataclasses import dataclass


@dataclass(slots=True)
class Contact:
    """Watches one's own contact with Redis, as the measure of everybody's.

    Redis being away, or taking no writes, looks like every worker dying. So after any gap (a write refused or not
    answered, another server's run id, or this process itself standing still) workers get one whole lease to be heard
    of again, and what was lost before the gap's end is nobody's fault. All `now` are monotonic seconds, `server_ms` is
    Redis TIME.
    """

    lease_seconds: float
    away_until_ms: int = 0
    _run_id: str = ""
    _last_contact: float = float("-inf")
    _trusted_from: float = float("inf")

    def note_answer(self, run_id: str, server_ms: int, now: float) -> None:
        """Redis took a write; a gap before this ends now."""
        # Half a lease of silence may hide a renewal that workers wanted to make: they renew every third of a lease.
        if run_id != self._run_id or now - self._last_contact > self.lease_seconds / 2:
            self.away_until_ms = server_ms
            self._trusted_from = now + self.lease_seconds
        self._run_id = run_id
        self._last_contact = now

    def note_silence(self) -> None:
        """Redis refused a write, or did not answer: whatever comes next is after a gap."""
        self._last_contact = float("-inf")

    def is_trusted(self, now: float) -> bool:
        """Whether a lease that has run out means a lost worker."""
        return now >= self._trusted_from
