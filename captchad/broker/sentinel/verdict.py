"""Decides from what the Sentinels say which server is the master, and whether that is certain."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class MasterReport:
    """What one Sentinel says: the master, the failover that made it one (each has a higher epoch), and what it is at.

    A Sentinel that leads a failover `is_promoting` until the replica is a master, and names that one from then on.
    """

    address: Address
    epoch: int
    is_promoting: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """The master (None: no Sentinel answers), whether it surely is the only one, and whether it is about to change.

    It is not changing where most Sentinels don't answer: who is left can't make another server the master.
    """

    address: Address | None = None
    is_certain: bool = False
    is_changing: bool = False


def judge(reports: Collection[MasterReport], sentinels: int) -> Verdict:
    """Judge what those of all `sentinels` say that answer.

    Only the newest epoch counts: the others have not heard of that failover yet.
    """
    if not reports:
        return Verdict()
    newest = max(report.epoch for report in reports)
    current = [report for report in reports if report.epoch == newest]
    [(address, votes)] = Counter(report.address for report in current).most_common(1)
    is_certain = is_majority(votes, sentinels) and not any(report.is_promoting for report in current)
    return Verdict(address, is_certain, is_changing=is_majority(len(reports), sentinels) and not is_certain)


def is_majority(count: int, sentinels: int) -> bool:
    """Whether `count` of all Sentinels are enough to decide."""
    return 2 * count > sentinels
