"""Charges a request to its caller's rate limits and reports what is left in the RateLimit headers.

Only the routes about tasks are limited: submit_task, submit_batch, task_status, cancel_task and tasks. Each call costs
one; a batch costs as many as it has tasks. Figures about the fleet, events, the documentation and the routes for
operators are never limited, so that a busy caller can't lock out a dashboard or a probe at the same address.
"""

import math

from aiohttp import web

from captchad.domain.api_key import ApiKey
from captchad.domain.errors import BrokerRefused, RateLimited
from captchad.intake.rate_decisions import CallerRateLimiter, RateLimitDecision
from captchad.web.middleware.access import caller_of
from captchad.web.middleware.addresses import ClientAddresses

ADDRESSES: web.AppKey[ClientAddresses] = web.AppKey("addresses", ClientAddresses)
SETTINGS = {"address": "gateway.rate_limit", "key": "security.rate_limiting"}
OWN_RATE = "its own --rate"
READING_METHODS = frozenset({"GET", "HEAD"})
_DECISION = web.RequestKey("rate_decision", RateLimitDecision)


async def charge(request: web.Request, rates: CallerRateLimiter, cost: int = 1, paid: int = 0) -> None:
    """Charge `cost` to the limits of the request's address and key; RateLimited where one is used up.

    What was `paid` ahead is given back first, also where the cost is then refused.
    """
    address = request.app[ADDRESSES].find(request.remote, request.headers.getall("X-Forwarded-For", []))
    key = caller_of(request)
    try:
        if paid:
            await rates.give_back(address, key, paid)
        decision = await rates.take(address, key, cost)
    except BrokerRefused:
        # Where nothing can be charged, nothing can be written either; what only reads goes on.
        if request.method not in READING_METHODS:
            raise
        return
    if decision is None:
        return
    request[_DECISION] = decision
    if not decision.is_allowed:
        wait_seconds = max(1, math.ceil(decision.retry_after_seconds))
        raise RateLimited(
            f"too many requests from this {decision.subject}: {_name_limit(decision, key)} is used up, "
            f"try again in {wait_seconds} s",
            decision.retry_after_seconds,
        )


def _name_limit(decision: RateLimitDecision, key: ApiKey | None) -> str:
    has_own = decision.subject == "key" and key is not None and key.limits.requests_per_minute is not None
    return OWN_RATE if has_own else SETTINGS[decision.subject]


def add_rate_limit_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Add the RateLimit headers of the limit with the least left."""
    decision = request.get(_DECISION)
    if decision is None:
        return
    response.headers["RateLimit-Limit"] = str(decision.limit)
    response.headers["RateLimit-Remaining"] = str(decision.remaining)
    response.headers["RateLimit-Reset"] = str(math.ceil(decision.reset_seconds))
