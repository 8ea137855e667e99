"""How long a lease of the protocol runs: who holds one and who takes it away read the same figure here.

Two that differ would have a task run twice: its worker believes in a lease that the scheduler has taken away.
"""

from captchad.config.settings import SchedulerSection

TASK_LEASE_SECONDS = 5.0
LEADER_LEASE_SECONDS = 3.0
LONGEST_PRESENCE_LEASE_SECONDS = 5.0
RENEWALS_PER_LEASE = 3


def find_presence_lease_seconds(scheduler: SchedulerSection) -> float:
    """Return the silence after which a role is shown as lost."""
    return min(LONGEST_PRESENCE_LEASE_SECONDS, scheduler.worker_health_check_interval)
