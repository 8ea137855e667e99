"""What callers did or tried, for the audit log: each route that changes something, and every refused key or scope."""

from typing import Any

from aiohttp import web

from captchad.broker.audit_trail import AuditTrail
from captchad.domain.audit import DONE, Act
from captchad.domain.errors import CaptchadError, Unauthorized
from captchad.domain.identifier import read_partition
from captchad.web.middleware.access import caller_of
from captchad.web.middleware.rates import ADDRESSES, READING_METHODS
from captchad.web.routes import Route

ALWAYS_AUDITED = frozenset({"unauthorized", "forbidden"})
"""Refusals that are written down on every route, also where something is only read."""
_OUTCOME = web.RequestKey("audit_outcome", str)
_CLAIMED_KEY = web.RequestKey("audit_claimed_key", str)
_ACTION = web.RequestKey("audit_action", str)
_OBJECT = web.RequestKey("audit_object", dict[str, Any])


def audit_object(request: web.Request) -> dict[str, Any]:
    """Return what the request's entry will say of its object, for a handler to add to: ids, hosts, hashes, numbers."""
    if _OBJECT not in request:
        request[_OBJECT] = {}
    return request[_OBJECT]


def audit_as(request: web.Request, action: str) -> None:
    """Have a request be written down as `action`, whatever its route is called in another service's dialect."""
    request[_ACTION] = action


def note_outcome(request: web.Request, error: CaptchadError) -> None:
    """Remember how a request failed."""
    request[_OUTCOME] = error.code
    if isinstance(error, Unauthorized) and error.key_id is not None:
        request[_CLAIMED_KEY] = error.key_id


def note_act(trail: AuditTrail, request: web.Request, route: Route) -> None:
    """Have the audit log say what a request has done, where that belongs there."""
    outcome = request.get(_OUTCOME, DONE)
    is_audited = request.method not in READING_METHODS if route.is_audited is None else route.is_audited
    if not (is_audited or _ACTION in request or outcome in ALWAYS_AUDITED):
        return
    key = caller_of(request)
    trail.note(
        Act(
            action=request.get(_ACTION, route.path.split("/")[1]),
            outcome=outcome,
            key_id=key.key_id if key is not None else request.get(_CLAIMED_KEY),
            address=request.app[ADDRESSES].find(request.remote, request.headers.getall("X-Forwarded-For", [])),
            object=_name_task(request) | audit_object(request),
        )
    )


def _name_task(request: web.Request) -> dict[str, Any]:
    """Return the task that the path names; what is no id may be anything, and is left out."""
    task_id = request.match_info.get("task_id", "")
    return {"task_id": task_id} if read_partition(task_id) is not None else {}
