"""What a restore has in Redis: a lock, for there is one at a time, and a mark, which stays if it is broken off."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from enum import StrEnum

from captchad.broker.connection import Broker
from captchad.broker.redis_keys import RESTORE_LOCK, RESTORING
from captchad.domain.errors import BackupRefused, BrokerUnavailable
from captchad.runtime.periodic import Periodic
from captchad.runtime.spawn import TaskSet

LOCK_MS = 15_000
"""A killed restore is in nobody's way for longer."""
RENEWAL_SECONDS = 5.0
TOKEN_BYTES = 16


class RestoreState(StrEnum):
    """What is to be said of an installation into which a restore was begun."""

    UNDER_WAY = "a restore is under way"
    BROKEN_OFF = "a restore was broken off, so not all of its backup is here: run `captchad restore` again"


async def read_mark_ms(broker: Broker) -> int | None:
    """Return when the restore was begun (Redis TIME) that has not come to its end; None where there is none."""
    async with broker.guard():
        value = await broker.client.get(RESTORING)
    return int(value) if value is not None else None


async def find_restore_state(broker: Broker) -> RestoreState | None:
    """Return whether a restore is under way or was broken off."""
    if await read_mark_ms(broker) is None:
        return None
    async with broker.guard():
        return RestoreState.UNDER_WAY if await broker.client.exists(RESTORE_LOCK) else RestoreState.BROKEN_OFF


@asynccontextmanager
async def locked_for_restore(broker: Broker) -> AsyncIterator[None]:
    """Keep other restores out of this Redis meanwhile; BackupRefused where one is at work, or has taken over."""
    token, owner, renewal = secrets.token_hex(TOKEN_BYTES), asyncio.current_task(), TaskSet("restore")
    is_lost = False

    async def hold(lock_ms: int) -> bool:
        return bool(await broker.run_fleet_script("lead", [RESTORE_LOCK], [token, lock_ms]))

    async def renew() -> None:
        nonlocal is_lost
        if not is_lost and not await hold(LOCK_MS):
            is_lost = True
            if owner is not None:
                owner.cancel()

    if not await hold(LOCK_MS):
        raise BackupRefused(
            f"another restore into this Redis is at work; if it was killed, try again in {LOCK_MS // 1000} s"
        )
    renewal.spawn(Periodic("restore_lock", RENEWAL_SECONDS, renew).run(), "lock")
    try:
        yield
    except asyncio.CancelledError:
        if not is_lost or owner is None:
            raise
        owner.uncancel()
        raise BackupRefused(
            "Redis was away for too long, and another restore has begun; this one is given up"
        ) from None
    finally:
        await renewal.cancel_all()
        if not is_lost:
            # Where Redis is away, the lock expires.
            with suppress(BrokerUnavailable):
                await hold(0)
