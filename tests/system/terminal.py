"""A terminal that a test can close, as a person closes its window."""

import os


class Terminal:
    """A pseudo-terminal; programs are given `inside` to read from."""

    def __init__(self) -> None:
        self._outside, self.inside = os.openpty()
        self._is_open = True

    def hang_up(self) -> None:
        """Close the terminal while programs still have it."""
        os.close(self._outside)
        self._is_open = False

    def close(self) -> None:
        """Let go of it."""
        if self._is_open:
            self.hang_up()
        os.close(self.inside)
