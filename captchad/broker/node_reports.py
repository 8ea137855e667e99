"""The wire format of a role's report, in which roles of several releases may read each other.

A report's figures stand flat in `details`. Members that this release doesn't know are passed over, and figures that
are missing are None; a report's other members are in every release.
"""

from dataclasses import asdict, fields
from typing import Any

import orjson

from captchad.domain.node import NodeReport, Role, SystemLoad
from captchad.domain.role_figures import BrowserFigures, RoleFigures, SchedulerFigures, WorkerFigures


def encode_report(report: NodeReport) -> bytes:
    """Return a report as JSON."""
    members = asdict(report)
    del members["figures"]
    return orjson.dumps(members | {"details": _encode_figures(report.figures)})


def decode_report(data: bytes) -> NodeReport:
    """Read a report of any release."""
    members: dict[str, Any] = orjson.loads(data)
    role = Role(members["role"])
    known = _select_known(NodeReport, members) | {
        "role": role,
        "load": _decode_load(members.get("load") or {}),
        "figures": _decode_figures(role, members.get("details") or {}),
    }
    return NodeReport(**known)


def _encode_figures(figures: RoleFigures | None) -> dict[str, Any]:
    match figures:
        case WorkerFigures():
            return figures.flatten()
        case SchedulerFigures():
            return asdict(figures)
        case None:
            return {}


def _decode_figures(role: Role, details: dict[str, Any]) -> RoleFigures | None:
    if role is Role.WORKER:
        browser = BrowserFigures(**_select_known(BrowserFigures, details))
        return WorkerFigures(**_select_known(WorkerFigures, details) | {"browser": browser})
    return SchedulerFigures(**_select_known(SchedulerFigures, details)) if role is Role.SCHEDULER else None


def _decode_load(load: dict[str, Any]) -> SystemLoad | None:
    known = _select_known(SystemLoad, load)
    return SystemLoad(**known) if len(known) == len(fields(SystemLoad)) else None


def _select_known(kind: type, members: dict[str, Any]) -> dict[str, Any]:
    names = {field.name for field in fields(kind)}
    return {name: value for name, value in members.items() if name in names}
