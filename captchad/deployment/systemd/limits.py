"""The resource limits and reservations of a host's units, for each environment."""

from captchad.deployment.systemd.wanted import Environment

WORKER_CPU_PERCENT = 200
WORKER_TASKS = 2048
OTHER_TASKS = 512
PROCESSORS_ELSEWHERE_PERCENT = 200
"""What gateway, scheduler, monitor and Redis may use together, on top of the workers' share."""


def slice_text(environment: Environment, workers: int) -> str:
    """Return the unit file of the slice that holds everything of captchad's."""
    lines = [
        "[Unit]",
        "Description=captchad: everything of it on this host",
        "",
        "[Slice]",
        f"CPUQuota={workers * WORKER_CPU_PERCENT + PROCESSORS_ELSEWHERE_PERCENT}%",
        f"CPUWeight={200 if environment == 'prod' else 100}",
        # Reserved on a host of captchad's own; a developer's machine keeps its memory.
        *(["MemoryLow=50%"] if environment == "prod" else []),
        f"MemoryHigh={85 if environment == 'prod' else 70}%",
        f"MemoryMax={90 if environment == 'prod' else 75}%",
        f"TasksMax={workers * WORKER_TASKS + 8 * OTHER_TASKS}",
    ]
    return "\n".join(lines) + "\n"


def worker_limits(environment: Environment) -> tuple[str, ...]:
    """Return a worker's directives: two processors and 4 GiB at most, and in production 2 GiB and a share reserved."""
    reserved = ("CPUWeight=100", "MemoryLow=2G") if environment == "prod" else ("CPUWeight=50",)
    return (
        f"CPUQuota={WORKER_CPU_PERCENT}%",
        *reserved,
        "MemoryHigh=3584M",
        "MemoryMax=4G",
        f"TasksMax={WORKER_TASKS}",
    )


def other_limits(environment: Environment) -> tuple[str, ...]:
    """Return the directives of what has no browser."""
    reserved = ("CPUWeight=200", "MemoryLow=256M") if environment == "prod" else ("CPUWeight=100",)
    return (*reserved, "MemoryHigh=896M", "MemoryMax=1G", f"TasksMax={OTHER_TASKS}")


def redis_limits(environment: Environment) -> tuple[str, ...]:
    """Return the directives of Redis, which must never be the one that is killed for memory."""
    reserved = ("CPUWeight=400", "MemoryLow=1G") if environment == "prod" else ("CPUWeight=200",)
    return (*reserved, f"TasksMax={OTHER_TASKS}", "OOMScoreAdjust=-500")
