"""Verifies callbacks: that captchad has sent one, just now, and that nothing in it was changed."""

import hmac
import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

from captchad.domain.callback import ID_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER, read_secret, sign

TOLERANCE_SECONDS = 300


class CallbackRejected(Exception):
    """A request that is no callback of captchad's, is too old, or was changed on its way: answer it with 400."""


def verify_callback(
    secret: str | Sequence[str],
    headers: Mapping[str, str],
    body: bytes,
    *,
    tolerance_seconds: float = TOLERANCE_SECONDS,
    now: float | None = None,
) -> dict[str, Any]:
    """Return the task that a callback is about; CallbackRejected says why it is not to be believed.

    `body` is what came, byte for byte. While the secret is being changed, give both. `now` (seconds since 1970) is for
    tests. A callback may come more than once: tell them apart by `task_id`.
    """
    found = {name.lower(): value for name, value in headers.items()}
    try:
        message_id, timestamp_text, signatures = (
            found[name] for name in (ID_HEADER, TIMESTAMP_HEADER, SIGNATURE_HEADER)
        )
        timestamp = int(timestamp_text)
    except (KeyError, ValueError):
        names = f"{ID_HEADER}, {TIMESTAMP_HEADER} and {SIGNATURE_HEADER}"
        raise CallbackRejected(f"the headers {names} are not all there, or not as captchad sends them") from None
    keys = [read_secret(one) for one in ([secret] if isinstance(secret, str) else secret)]
    expected = [sign(key, message_id, timestamp, body).encode() for key in keys]
    given = [one.encode(errors="surrogateescape") for one in signatures.split(" ")]
    if not any(hmac.compare_digest(one, other) for one in expected for other in given):
        raise CallbackRejected("the signature is not that of this secret over this id, timestamp and body")
    if abs((time.time() if now is None else now) - timestamp) > tolerance_seconds:  # noqa: TID251
        raise CallbackRejected(f"the timestamp is more than {tolerance_seconds:g} s off; is the clock right?")
    task = json.loads(body)
    assert isinstance(task, dict)
    return task
