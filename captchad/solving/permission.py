"""What is asked for before an answer is sent to a site, which can't be undone."""

from collections.abc import Awaitable, Callable

from captchad.broker.consumer import Delivery
from captchad.domain.errors import AttemptFailed, TaskErrorCode

PermitAnswer = Callable[[Delivery], Awaitable[None]]
"""Counts an answer in the task's record; LeaseLapsed or RetriesUsedUp where it must not be sent."""


class LeaseLapsed(Exception):
    """The task may belong to another worker by now, so no answer may be sent."""


class NoRoom(Exception):
    """As many answers are on their way to the target as it may reject; the task waits, at no cost to its attempts."""


class RetriesUsedUp(AttemptFailed):
    """There is nothing left to try: all pictures were looked at, or all answers sent, that the task may have."""

    @property
    def is_retryable(self) -> bool:
        """Never."""
        return False


def explain_all_sent(answers: int) -> RetriesUsedUp:
    """Return the failure of a task that has sent all its answers and never saw what became of the last."""
    sent = "the one answer that the task may send was" if answers == 1 else f"all {answers} answers were"
    message = f"{sent} sent in earlier attempts, and none was seen to be right"
    return RetriesUsedUp(TaskErrorCode.WRONG_ANSWER, message)
