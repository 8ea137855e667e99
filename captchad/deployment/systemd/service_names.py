"""The names that services go by: captchad's own, and those of the deployment guide."""

import re
from collections.abc import Collection

from captchad.deployment.systemd import layout
from captchad.domain.errors import DeploymentFailed
from captchad.domain.node import Role

_UNITS = {
    "gateway": layout.role_unit(Role.GATEWAY),
    "scheduler": layout.role_unit(Role.SCHEDULER),
    "monitor": layout.role_unit(Role.MONITOR),
    "redis": layout.REDIS_UNIT,
    "learn": layout.LEARN_UNITS[0],
    "backup": layout.BACKUP_UNIT,
}
_GROUPS = {"worker": layout.WORKER_TEMPLATE, "browser": layout.BROWSER_TEMPLATE}
_SPECIFIED = {
    "api-gateway": "gateway",
    "task-scheduler": "scheduler",
    "monitoring": "monitor",
    "redis-master": "redis",
    "worker-node": "worker",
    "chrome-node": "browser",
    "selenium-hub": "browser",
}
ELSEWHERE = {"redis-sentinel": "redis-sentinel.service"}
"""Not run by captchad: Sentinels guard a Redis of several hosts, and come with Debian's package."""

SCALED = ("worker", "worker-node", "browser", "chrome-node")
_NUMBERED = re.compile(r"(?P<group>[a-z-]+?)[-@](?P<number>[1-9]\d{0,3})")


def own_name(service: str) -> str:
    """Return captchad's own name for a service that the guide may call otherwise."""
    numbered = _NUMBERED.fullmatch(service)
    if numbered is not None:
        return f"{own_name(numbered['group'])}-{numbered['number']}"
    return _SPECIFIED.get(service, service)


def find_units(name: str, present: Collection[str]) -> tuple[str, ...]:
    """Return the units of a service's name among those that are present; DeploymentFailed where there is none."""
    found = _resolve(own_name(name), present)
    missing = [unit for unit in found if unit not in present]
    if not found or missing:
        raise DeploymentFailed(f"there is no service {name!r} on this host; there are: {_list(present)}")
    return found


def _resolve(name: str, present: Collection[str]) -> tuple[str, ...]:
    singles = _UNITS | ELSEWHERE | {unit: unit for unit in present}
    if name in singles:
        return (singles[name],)
    if name in _GROUPS:
        return tuple(sorted(unit for unit in present if layout.template_of(unit) == _GROUPS[name]))
    numbered = _NUMBERED.fullmatch(name)
    if numbered is None or numbered["group"] not in _GROUPS:
        return ()
    is_worker = _GROUPS[numbered["group"]] == layout.WORKER_TEMPLATE
    return ((layout.worker_unit if is_worker else layout.browser_unit)(int(numbered["number"])),)


def _list(present: Collection[str]) -> str:
    return ", ".join(sorted(unit.removeprefix("captchad-").removesuffix(".service") for unit in present)) or "none"
