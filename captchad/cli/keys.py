"""`captchad keys`: API keys, in Redis."""

from collections.abc import Sequence
from typing import Any

import click

from captchad.broker.api_keys import ApiKeys
from captchad.broker.key_quotas import KeyQuotas
from captchad.cli.broker_connection import open_broker, run_connected
from captchad.cli.command_group import CommandGroup
from captchad.cli.options import DurationType, config_option, json_option, load
from captchad.cli.printing import print_json, print_table, say, show_time, told_if_lost
from captchad.config.loader import LoadedConfiguration
from captchad.domain.api_key import ApiKey, KeyLimits, Scope
from captchad.domain.errors import TargetNotAllowed
from captchad.domain.target import Target, find_declared_target
from captchad.operations.audited import audited

DEFAULT_SCOPES = (Scope.SUBMIT.value, Scope.READ.value)
NAME_LENGTH_LIMIT = 64
HIGHEST_LIMIT = 1_000_000_000
OVERLAP_BY_DEFAULT = "24h"
LONGEST_OVERLAP = "90d"
_life = DurationType(shortest="1s")
_overlap = DurationType(longest=LONGEST_OVERLAP)
_limit = click.IntRange(1, HIGHEST_LIMIT)
_HEADINGS = ("NAME", "ID", "SCOPES", "TARGETS", "RATE", "TODAY", "CREATED", "LAST USED", "EXPIRES", "STATE")


@click.group(cls=CommandGroup)
def keys() -> None:
    """Create, rotate, list and revoke API keys."""


@keys.command()
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice([scope.value for scope in Scope]),
    default=DEFAULT_SCOPES,
    help="What the key may do; repeat for several.  [default: submit and read]",
)
@click.option("--target", "hosts", multiple=True, metavar="HOST", help="Only this declared target; repeat for several.")
@click.option("--expires", type=_life, help="How long the key is valid, such as 90d.  [default: until revoked]")
@click.option("--rate", type=_limit, metavar="N", help="Requests a minute, instead of security.rate_limiting.")
@click.option("--burst", type=_limit, metavar="N", help="Requests that may come at once, with --rate.")
@click.option("--quota", type=_limit, metavar="N", help="Tasks a day (UTC).  [default: no limit]")
@config_option
@json_option
def create(
    name: str,
    scopes: Sequence[str],
    hosts: Sequence[str],
    expires: int | None,
    rate: int | None,
    burst: int | None,
    quota: int | None,
    config_path: str | None,
    is_json: bool,
) -> None:
    """Create a key called NAME and print it; it is stored as a hash and can't be shown again."""
    if not name.strip() or len(name) > NAME_LENGTH_LIMIT or not name.isprintable():
        raise click.UsageError(f"NAME must have 1 to {NAME_LENGTH_LIMIT} printable characters")
    if burst is not None and rate is None:
        raise click.UsageError("--burst belongs to --rate")
    loaded = load(config_path)
    targets = tuple(_find_declared(host, loaded.configuration.security.declared_targets()) for host in hosts)
    limits = KeyLimits(rate, burst, quota)
    text, key = run_connected(
        _create(loaded, name, frozenset(Scope(scope) for scope in scopes), targets, limits, expires)
    )
    if not is_json and not loaded.configuration.security.api_key_required:
        say("keys are not asked for yet: security.api_key_required is false", is_error=True)
    with told_if_lost(
        f"the key {key.name} ({key.key_id}) was created, but its text is lost: `captchad keys revoke {key.key_id}`, "
        "and create another"
    ):
        _show_new(text, key, is_json)


@keys.command()
@click.argument("name")
@click.option(
    "--overlap",
    type=_overlap,
    default=OVERLAP_BY_DEFAULT,
    show_default=True,
    help=f"How long the former text is valid too, {LONGEST_OVERLAP} at most; 0s: not at all.",
)
@click.option("--expires", type=_life, help="How long the key is valid from now on.  [default: as before]")
@config_option
@json_option
def rotate(name: str, overlap: int, expires: int | None, config_path: str | None, is_json: bool) -> None:
    """Give the key called NAME (or with this id) another text, and print it; the former one is valid for a while.

    The key keeps its id, tasks, scopes, targets, limits and quota.
    """
    text, key = run_connected(_rotate(load(config_path), name, overlap, expires))
    with told_if_lost(
        f"the key {key.name} ({key.key_id}) was rotated, but its new text is lost: "
        f"`captchad keys rotate {key.key_id}` again, after which the former text is not valid any more"
    ):
        _show_new(text, key, is_json)
    if not is_json:
        say(f"the former text is valid until {show_time(key.previous_until_ms)}", is_error=True)


@keys.command("list")
@config_option
@json_option
def list_keys(config_path: str | None, is_json: bool) -> None:
    """Show every key, without its secret."""
    found = run_connected(_list(load(config_path)))
    if is_json:
        print_json([_represent(*one) for one in found])
        return
    print_table(_HEADINGS, (_describe(*one) for one in found), "no keys; `captchad keys create NAME`", whole=("ID",))


@keys.command()
@click.argument("name")
@config_option
@json_option
def revoke(name: str, config_path: str | None, is_json: bool) -> None:
    """Make the key called NAME (or with this id) invalid at once."""
    key, state = run_connected(_revoke(load(config_path), name))
    print_json(_represent(key, state, None)) if is_json else say(f"{key.name} ({key.key_id}) is revoked")


async def _create(
    loaded: LoadedConfiguration,
    name: str,
    scopes: frozenset[Scope],
    targets: tuple[str, ...],
    limits: KeyLimits,
    expires_in_seconds: int | None,
) -> tuple[str, ApiKey]:
    async with open_broker(loaded) as broker, audited(broker, loaded.configuration, "keys_create", name=name) as act:
        text, key = await ApiKeys(broker).create(name, scopes, targets, limits, expires_in_seconds)
        act.object |= {"key_id": key.key_id, "scopes": sorted(scopes), "targets": list(targets)}
        return text, key


async def _rotate(
    loaded: LoadedConfiguration, name: str, overlap_seconds: int, expires_in_seconds: int | None
) -> tuple[str, ApiKey]:
    async with open_broker(loaded) as broker, audited(broker, loaded.configuration, "keys_rotate", name=name) as act:
        text, key = await ApiKeys(broker).rotate(name, overlap_seconds, expires_in_seconds)
        act.object |= {"key_id": key.key_id, "name": key.name}
        return text, key


async def _list(loaded: LoadedConfiguration) -> list[tuple[ApiKey, str, int]]:
    async with open_broker(loaded) as broker:
        quotas, now_ms = KeyQuotas(broker), await broker.time_ms()
        return [
            (key, _find_state(key, now_ms), await quotas.read_used(key.key_id))
            for key in await ApiKeys(broker).list_all()
        ]


async def _revoke(loaded: LoadedConfiguration, name: str) -> tuple[ApiKey, str]:
    async with open_broker(loaded) as broker, audited(broker, loaded.configuration, "keys_revoke", name=name) as act:
        key = await ApiKeys(broker).revoke(name)
        act.object |= {"key_id": key.key_id, "name": key.name}
        return key, _find_state(key, await broker.time_ms())


def _find_declared(host: str, declared: Sequence[Target]) -> str:
    try:
        return find_declared_target(declared, host).host
    except TargetNotAllowed as error:
        raise click.ClickException(error.message) from None


def _find_state(key: ApiKey, now_ms: int) -> str:
    if key.revoked_ms is not None:
        return "revoked"
    if key.has_expired(now_ms):
        return "expired"
    return "rotating" if (key.previous_until_ms or 0) > now_ms else "valid"


def _show_new(text: str, key: ApiKey, is_json: bool) -> None:
    if is_json:
        print_json({"key": text, **_represent(key, "rotating" if key.previous_until_ms else "valid", None)})
        return
    say(text)
    say("save it now: only its hash is stored, so it can't be shown again", is_error=True)
    if key.expires_ms is not None:
        say(f"it expires on {show_time(key.expires_ms)}", is_error=True)


def _describe(key: ApiKey, state: str, used: int) -> Sequence[object]:
    limits = key.limits
    rate = None if limits.requests_per_minute is None else f"{limits.requests_per_minute}/min"
    today = None if limits.daily_quota is None else f"{used} of {limits.daily_quota}"
    times = (show_time(key.created_ms), show_time(key.last_used_ms), show_time(key.expires_ms))
    scopes, targets = " ".join(sorted(key.scopes)), " ".join(key.targets) or "all"
    return (key.name, key.key_id, scopes, targets, rate, today, *times, state)


def _represent(key: ApiKey, state: str, used: int | None) -> dict[str, Any]:
    limits = key.limits
    return {
        "id": key.key_id,
        "name": key.name,
        "state": state,
        "scopes": sorted(key.scopes),
        "targets": list(key.targets),
        "requests_per_minute": limits.requests_per_minute,
        "burst_size": limits.burst_size,
        "daily_quota": limits.daily_quota,
        "used_today": used,
        "created_at": show_time(key.created_ms),
        "last_used_at": show_time(key.last_used_ms),
        "expires_at": show_time(key.expires_ms),
        "former_text_valid_until": show_time(key.previous_until_ms),
        "revoked_at": show_time(key.revoked_ms),
    }
