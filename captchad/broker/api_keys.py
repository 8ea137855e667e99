"""API keys as they are stored: without their secrets."""

import hmac

from captchad.broker.connection import Broker
from captchad.broker.redis_keys import API_KEYS, api_key
from captchad.domain.api_key import ApiKey, Scope, digest_secret, make_key, split_key
from captchad.domain.errors import CaptchadError, InvalidRequest

MS = 1000


class ApiKeys:
    """Creates, lists, revokes and checks keys."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    async def create(self, name: str, scopes: frozenset[Scope], targets: tuple[str, ...]) -> tuple[str, ApiKey]:
        """Make a key; return its text, which is shown this once, and its record. A name is used once."""
        if any(key.name == name and key.revoked_ms is None for key in await self.list_all()):
            raise InvalidRequest(f"a key named {name!r} exists; revoke it first or choose another name")
        key_id, text, digest = make_key()
        key = ApiKey(key_id, name, scopes, targets, await self._now_ms())
        async with self._broker.guard():
            await self._broker.client.hset(
                api_key(key_id),
                mapping={
                    "name": name,
                    "digest": digest,
                    "scopes": " ".join(sorted(scopes)),
                    "targets": " ".join(targets),
                    "created_ms": key.created_ms,
                },
            )
            await self._broker.client.sadd(API_KEYS, key_id)
        return text, key

    async def list_all(self) -> tuple[ApiKey, ...]:
        """Return every key, revoked ones too, oldest first."""
        async with self._broker.guard():
            ids = sorted(await self._broker.client.smembers(API_KEYS))
        keys = [await self._read(key_id.decode()) for key_id in ids]
        return tuple(sorted((key for key, _ in filter(None, keys)), key=lambda key: key.created_ms))

    async def revoke(self, name_or_id: str) -> ApiKey:
        """Make a key worthless from now on."""
        for key in await self.list_all():
            if name_or_id in (key.key_id, key.name) and key.revoked_ms is None:
                async with self._broker.guard():
                    await self._broker.client.hset(api_key(key.key_id), "revoked_ms", await self._now_ms())
                found = await self._read(key.key_id)
                assert found is not None
                return found[0]
        raise CaptchadError(f"there is no key named {name_or_id!r} that is still valid")

    async def authenticate(self, text: str) -> ApiKey | None:
        """Return the valid key a text stands for, or None."""
        parts = split_key(text)
        if parts is None:
            return None
        found = await self._read(parts[0])
        if found is None or not hmac.compare_digest(found[1], digest_secret(parts[1])):
            return None
        return found[0] if found[0].revoked_ms is None else None

    async def _read(self, key_id: str) -> tuple[ApiKey, str] | None:
        async with self._broker.guard():
            fields = await self._broker.client.hgetall(api_key(key_id))
        if not fields:
            return None
        text = {name.decode(): value.decode() for name, value in fields.items()}
        revoked_ms = text.get("revoked_ms")
        key = ApiKey(
            key_id=key_id,
            name=text["name"],
            # One that only a newer release knows grants nothing here.
            scopes=frozenset(scope for scope in Scope if scope in text["scopes"].split()),
            targets=tuple(text["targets"].split()),
            created_ms=int(text["created_ms"]),
            revoked_ms=int(revoked_ms) if revoked_ms else None,
        )
        return key, text["digest"]

    async def _now_ms(self) -> int:
        async with self._broker.guard():
            seconds, microseconds = await self._broker.client.time()
        return int(seconds * MS + microseconds // MS)
