"""How long a sign of life may take: seconds, and more where answers have been slow lately; pure."""

from collections import deque

SHORTEST_SECONDS = 8.0
LONGEST_SECONDS = 20.0
SLOWER_THAN_USUAL = 4.0
REMEMBERED_ANSWERS = 20


class Patience:
    """Learns from answers how long to wait for the next.

    A browser on a machine that is short of processors answers late but works; to break with it then would give that
    machine another browser to start.
    """

    def __init__(self) -> None:
        self._seconds: deque[float] = deque(maxlen=REMEMBERED_ANSWERS)

    @property
    def limit_seconds(self) -> float:
        """After how long a silence means that the browser is lost."""
        usual_seconds = max(self._seconds, default=0.0)
        return min(LONGEST_SECONDS, max(SHORTEST_SECONDS, SLOWER_THAN_USUAL * usual_seconds))

    def learn(self, seconds: float) -> None:
        """Take note of an answer that took so long."""
        self._seconds.append(seconds)
