"""Narrowing a target while everything runs, as an operator does by the API and the command line."""

from captchad.broker.connection import Broker
from captchad.broker.target_narrowings import TargetNarrowings
from captchad.domain.narrowing import NOT_NARROWED, Narrowing, check_narrowing
from captchad.domain.target import Target


async def limit_target(broker: Broker, target: Target, wanted: Narrowing) -> Narrowing:
    """Narrow the given limits of a declared target; TargetNotAllowed where one would be wider than declared."""
    check_narrowing(target, wanted)
    narrowings = TargetNarrowings(broker)
    await narrowings.limit(target.host, wanted)
    return await read_narrowing(broker, target)


async def reset_target(broker: Broker, target: Target) -> Narrowing:
    """Have the declared limits of a target count again."""
    await TargetNarrowings(broker).reset(target.host)
    return await read_narrowing(broker, target)


async def pause_target(broker: Broker, target: Target) -> Narrowing:
    """Begin nothing more of a target until it is resumed; what is under way goes on."""
    await TargetNarrowings(broker).pause(target.host)
    return await read_narrowing(broker, target)


async def resume_target(broker: Broker, target: Target) -> int:
    """Let tasks of a target begin again; return how many waited for that."""
    return await TargetNarrowings(broker).resume(target.host)


async def read_narrowing(broker: Broker, target: Target) -> Narrowing:
    """Return what is narrowed of a target."""
    found = await TargetNarrowings(broker).read([target.host])
    return found.get(target.host, NOT_NARROWED)
