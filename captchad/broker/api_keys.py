"""API keys as they are stored: without their secrets."""

import hmac
from collections.abc import Mapping
from datetime import UTC, datetime

from captchad.broker.connection import Argument, Broker, to_ms
from captchad.broker.redis_keys import API_KEYS, api_key
from captchad.domain.api_key import NO_LIMITS, ApiKey, KeyLimits, Scope, digest_secret, make_key, make_secret, split_key
from captchad.domain.errors import BrokerUnavailable, InvalidRequest, KeyNotFound, Unauthorized

MS = 1000
FIRST_KEY = "first"
"""The name of the key that a deploy makes where keys are asked for and there is none."""
USE_NOTED_MS = 60_000
"""How often the last use of a key is written at most, by each process."""
_NUMBERS = ("revoked_ms", "expires_ms", "last_used_ms", "previous_until_ms")
_LIMITS = ("requests_per_minute", "burst_size", "daily_quota")


class ApiKeys:
    """Creates, rotates, lists, revokes and checks keys."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._noted_ms: dict[str, int] = {}

    async def create(
        self,
        name: str,
        scopes: frozenset[Scope],
        targets: tuple[str, ...],
        limits: KeyLimits = NO_LIMITS,
        expires_in_seconds: int | None = None,
    ) -> tuple[str, ApiKey]:
        """Make a key; return its text, which is shown this once, and its record. A name is used once."""
        if any(key.name == name and key.revoked_ms is None for key in await self.list_all()):
            raise InvalidRequest(f"a key named {name!r} exists; revoke it first or choose another name")
        key_id, text, digest = make_key()
        created_ms = await self._broker.time_ms()
        expires_ms = None if expires_in_seconds is None else created_ms + expires_in_seconds * MS
        key = ApiKey(key_id, name, scopes, targets, created_ms, expires_ms=expires_ms, limits=limits)
        fields: dict[str, Argument | None] = {
            "name": name,
            "digest": digest,
            "scopes": " ".join(sorted(scopes)),
            "targets": " ".join(targets),
            "created_ms": created_ms,
            "expires_ms": expires_ms,
            **{name: getattr(limits, name) for name in _LIMITS},
        }
        stated = {name: value for name, value in fields.items() if value is not None}
        async with self._broker.guard():
            await self._broker.client.hset(api_key(key_id), mapping=stated)
            await self._broker.client.sadd(API_KEYS, key_id)
        return text, key

    async def list_all(self) -> tuple[ApiKey, ...]:
        """Return every key, revoked ones too, oldest first."""
        async with self._broker.guard():
            ids = sorted(await self._broker.client.smembers(API_KEYS))
        keys = [_read_key(key_id.decode(), (await self._read(key_id.decode()))[0]) for key_id in ids]
        return tuple(sorted(filter(None, keys), key=lambda key: key.created_ms))

    async def rotate(
        self, name_or_id: str, overlap_seconds: int, expires_in_seconds: int | None = None
    ) -> tuple[str, ApiKey]:
        """Give a key another secret, and return its text; the one it has is valid for as long as `overlap_seconds`.

        The key stays the same: its tasks, limits, quota and, unless another is given, its expiry.
        """
        key, now_ms = await self._find(name_or_id), await self._broker.time_ms()
        if key.has_expired(now_ms) and expires_in_seconds is None:
            raise InvalidRequest(f"the key {key.name!r} expired on {_show(key.expires_ms)}; give it another --expires")
        text, digest = make_secret(key.key_id)
        expires = "" if expires_in_seconds is None else now_ms + expires_in_seconds * MS
        arguments: list[Argument] = [digest, overlap_seconds * MS, expires]
        if not await self._broker.run_fleet_script("key_rotate", [api_key(key.key_id)], arguments):
            raise _make_unknown(name_or_id)
        return text, await self._find(key.key_id)

    async def revoke(self, name_or_id: str) -> ApiKey:
        """Make a key worthless from now on."""
        key = await self._find(name_or_id)
        async with self._broker.guard():
            await self._broker.client.hset(api_key(key.key_id), "revoked_ms", await self._broker.time_ms())
        found = _read_key(key.key_id, (await self._read(key.key_id))[0])
        assert found is not None
        return found

    async def authenticate(self, text: str) -> ApiKey | None:
        """Return the valid key a text stands for, or None; Unauthorized says of a former one why it is not."""
        parts = split_key(text)
        if parts is None:
            return None
        fields, now_ms = await self._read(parts[0])
        key = _read_key(parts[0], fields)
        if key is None:
            return None
        digest = digest_secret(parts[1])
        if not hmac.compare_digest(fields["digest"], digest):
            if not hmac.compare_digest(fields.get("previous_digest", ""), digest):
                return None
            if (key.previous_until_ms or 0) <= now_ms:
                raise Unauthorized("this API key was replaced by a newer one, use that", key.key_id)
        if key.revoked_ms is not None:
            raise Unauthorized("this API key was revoked; ask whoever runs captchad for another", key.key_id)
        if key.has_expired(now_ms):
            when = _show(key.expires_ms)
            raise Unauthorized(
                f"this API key expired on {when}; whoever runs captchad can rotate it: `captchad keys rotate`",
                key.key_id,
            )
        await self._note_use(key, now_ms)
        return key

    async def _note_use(self, key: ApiKey, now_ms: int) -> None:
        last_ms = max(key.last_used_ms or 0, self._noted_ms.get(key.key_id, 0))
        if now_ms - last_ms < USE_NOTED_MS:
            return
        self._noted_ms[key.key_id] = now_ms
        try:
            await self._broker.run_fleet_script("key_use", [api_key(key.key_id)], [now_ms])
        except BrokerUnavailable:
            # A key is as valid where Redis takes no writes.
            return

    async def _find(self, name_or_id: str) -> ApiKey:
        for key in await self.list_all():
            if name_or_id in (key.key_id, key.name) and key.revoked_ms is None:
                return key
        raise _make_unknown(name_or_id)

    async def _read(self, key_id: str) -> tuple[dict[str, str], int]:
        """Return what is stored of a key, empty where there is none, and Redis TIME (ms)."""
        async with self._broker.guard():
            pipeline = self._broker.client.pipeline(transaction=False)
            pipeline.hgetall(api_key(key_id))
            pipeline.time()
            fields, time = await pipeline.execute()
        return {name.decode(): value.decode() for name, value in fields.items()}, to_ms(time)


def _read_key(key_id: str, fields: Mapping[str, str]) -> ApiKey | None:
    if not fields:
        return None
    numbers = {name: int(fields[name]) if fields.get(name) else None for name in _NUMBERS}
    return ApiKey(
        key_id=key_id,
        name=fields["name"],
        # One that only a newer release knows grants nothing here.
        scopes=frozenset(scope for scope in Scope if scope in fields["scopes"].split()),
        targets=tuple(fields["targets"].split()),
        created_ms=int(fields["created_ms"]),
        limits=KeyLimits(**{name: int(fields[name]) if fields.get(name) else None for name in _LIMITS}),
        **numbers,
    )


def _make_unknown(name_or_id: str) -> KeyNotFound:
    return KeyNotFound(f"there is no key named {name_or_id!r} that is still valid")


def _show(time_ms: int | None) -> str:
    return datetime.fromtimestamp((time_ms or 0) // MS, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
