"""What becomes of every Redis key in a backup: a key that is listed in redis_keys.py is listed here too."""

from enum import StrEnum


class Fate(StrEnum):
    """Whether a backup has a key."""

    KEPT = "kept"
    DERIVED = "derived"
    """Made again from what is kept when a backup is restored."""
    OPTIONAL = "optional"
    """Kept where that is asked for."""
    LEFT_OUT = "left out"
    """It tells of the moment alone: who runs, leads, holds or waits now."""


FATES: dict[str, Fate] = {
    "PREFIX:queue:recovered|high|normal|low": Fate.DERIVED,
    "PREFIX:task:ID": Fate.KEPT,
    "PREFIX:open": Fate.DERIVED,
    "PREFIX:delayed": Fate.KEPT,
    "PREFIX:deferred:QUEUE": Fate.KEPT,
    "PREFIX:deferred": Fate.KEPT,
    "PREFIX:deferred_paces": Fate.KEPT,
    "PREFIX:deferred_reasons": Fate.KEPT,
    "PREFIX:free_slots": Fate.LEFT_OUT,
    "PREFIX:recent": Fate.KEPT,
    "PREFIX:dead": Fate.KEPT,
    "PREFIX:dead:ID": Fate.KEPT,
    "PREFIX:evidence": Fate.OPTIONAL,
    "PREFIX:evidence:ID": Fate.OPTIONAL,
    "PREFIX:answers": Fate.KEPT,
    "PREFIX:answers:ID": Fate.KEPT,
    "PREFIX:labels": Fate.KEPT,
    "PREFIX:callbacks": Fate.KEPT,
    "PREFIX:callbacks:ID": Fate.KEPT,
    "PREFIX:callbacks_due:HOST": Fate.DERIVED,
    "PREFIX:callback_hosts": Fate.DERIVED,
    "PREFIX:dead_callbacks": Fate.KEPT,
    "PREFIX:dead_callbacks:ID": Fate.KEPT,
    "PREFIX:counters": Fate.KEPT,
    "PREFIX:history:MINUTE": Fate.KEPT,
    "PREFIX:idempotency:DIGEST": Fate.KEPT,
    "PREFIX:acknowledged": Fate.LEFT_OUT,
    "captchad:{fleet}:nodes": Fate.LEFT_OUT,
    "captchad:{fleet}:alive": Fate.LEFT_OUT,
    "captchad:{fleet}:leader": Fate.LEFT_OUT,
    "captchad:{fleet}:counters": Fate.KEPT,
    "captchad:{fleet}:lost": Fate.LEFT_OUT,
    "captchad:{fleet}:epoch": Fate.LEFT_OUT,
    "captchad:{fleet}:restoring": Fate.LEFT_OUT,
    "captchad:{fleet}:restore_lock": Fate.LEFT_OUT,
    "captchad:{fleet}:keys": Fate.KEPT,
    "captchad:{fleet}:captcha_observations": Fate.LEFT_OUT,
    "captchad:{fleet}:captcha_states": Fate.KEPT,
    "captchad:{fleet}:captchas_seen": Fate.KEPT,
    "captchad:{fleet}:captcha_changes": Fate.KEPT,
    "captchad:{fleet}:audit_log": Fate.KEPT,
    "captchad:{fleet}:audit_chain": Fate.KEPT,
    "captchad:{fleet}:proof": Fate.KEPT,
    "captchad:{key:ID}": Fate.KEPT,
    "captchad:{key:ID}:quota": Fate.KEPT,
    "captchad:{target:HOST}:visits": Fate.LEFT_OUT,
    "captchad:{target:HOST}:holders": Fate.LEFT_OUT,
    "captchad:{target:HOST}:closed": Fate.KEPT,
    "captchad:{target:HOST}:rejections": Fate.KEPT,
    "captchad:{target:HOST}:fill_closed": Fate.KEPT,
    "captchad:{target:HOST}:model": Fate.KEPT,
    "captchad:{target:HOST}:model:DIGEST": Fate.KEPT,
    "captchad:{target:HOST}:proof": Fate.KEPT,
    "captchad:{target:HOST}:narrowing": Fate.KEPT,
    "captchad:{target:HOST}:waiting": Fate.LEFT_OUT,
    "captchad:{rate:NAME}": Fate.LEFT_OUT,
}
