"""Makes a repeated submit find the task of the first one: digests of who asks, and of what is asked."""

import hashlib
from typing import Any

import orjson

from captchad.broker.idempotency_keys import derive_digest
from captchad.broker.tasks import Idempotency

EXACT_INTEGER_LIMIT = 2**53


def digest_key(header: str, key_id: str | None) -> str:
    """Return the digest (hex) of an Idempotency-Key as used by one API key."""
    return hashlib.sha256(f"{key_id or ''}\n{header}".encode()).hexdigest()


def digest_body(body: Any) -> str:
    """Return the digest (hex) of a body's meaning: order of names, white space and 1 or 1.0 make no difference."""
    return hashlib.sha256(orjson.dumps(_normalise(body), option=orjson.OPT_SORT_KEYS)).hexdigest()


def make_idempotency(key_digest: str, body_digest: str, index: int) -> Idempotency:
    """Return what the `index`-th task of a submit is remembered by; the first bears the key's own digest."""
    return Idempotency(derive_digest(key_digest, index), body_digest)


def _normalise(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _normalise(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_normalise(inner) for inner in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < EXACT_INTEGER_LIMIT:
        return int(value)
    return value
