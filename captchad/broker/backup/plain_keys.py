"""Reads single keys as they are, and says which can be written."""

from typing import Any

from captchad.broker.backup.entries import PlainKey, PlainType
from captchad.broker.connection import Broker, to_ms
from captchad.broker.redis_keys import NAMESPACE
from captchad.domain.errors import BackupRefused

GONE_MS = -2


async def read_plain_key(broker: Broker, name: str, type_: PlainType) -> PlainKey | None:
    """Return a key of that type as it is; None where there is none."""
    async with broker.guard():
        pipeline = broker.client.pipeline(transaction=False)
        match type_:
            case PlainType.STRING:
                pipeline.get(name)
            case PlainType.HASH:
                pipeline.hgetall(name)
            case PlainType.SET:
                pipeline.smembers(name)
            case PlainType.ZSET:
                pipeline.zrange(name, 0, -1, withscores=True, score_cast_func=_write_score)
        pipeline.pttl(name)
        pipeline.time()
        value, left_ms, time = await pipeline.execute()
    now_ms = to_ms(time)
    if left_ms == GONE_MS or not value:
        return None
    return PlainKey(name, type_, None if left_ms < 0 else now_ms + left_ms, flatten_value(type_, value))


def _write_score(score: object) -> bytes:
    return score if isinstance(score, bytes) else repr(score).encode()


def flatten_value(type_: PlainType, value: Any) -> tuple[bytes, ...]:
    """Return what a key holds as a flat list, in an order that is always the same."""
    if type_ is PlainType.STRING:
        return (value,)
    if type_ is PlainType.SET:
        return tuple(sorted(value))
    pairs = value.items() if isinstance(value, dict) else value
    return tuple(part for pair in sorted(pairs) for part in pair)


def check_plain_key(key: PlainKey) -> None:
    """Raise BackupRefused where a backup's key is not captchad's, ValueError where its members can't be written."""
    if not key.name.startswith(f"{NAMESPACE}:{{"):
        raise BackupRefused(f"the backup holds a key that is not captchad's: {key.name}")
    is_paired = key.type in (PlainType.HASH, PlainType.ZSET)
    is_right = len(key.values) == 1 if key.type is PlainType.STRING else bool(key.values)
    if not is_right or (is_paired and len(key.values) % 2):
        raise ValueError(f"the members of {key.name} do not fit together")
