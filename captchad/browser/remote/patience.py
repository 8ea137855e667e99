"""How long a heartbeat may take, longer where answers have been slow lately; no I/O happens here."""

from collections import deque

SHORTEST_SECONDS = 8.0
LONGEST_SECONDS = 20.0
SLOWER_THAN_USUAL = 4.0
REMEMBERED_ANSWERS = 20


class Patience:
    """Learns from past answers how long to wait for the next.

    A browser on a machine short of processors answers late but works; replacing it would make that machine start
    another browser.
    """

    def __init__(self) -> None:
        self._seconds: deque[float] = deque(maxlen=REMEMBERED_ANSWERS)

    @property
    def limit_seconds(self) -> float:
        """The silence after which the browser counts as lost."""
        # The slowest of the last answers: one late answer must not be followed by giving up on the next.
        usual_seconds = max(self._seconds, default=0.0)
        return min(LONGEST_SECONDS, max(SHORTEST_SECONDS, SLOWER_THAN_USUAL * usual_seconds))

    def learn(self, seconds: float) -> None:
        """Note how long an answer took."""
        self._seconds.append(seconds)
