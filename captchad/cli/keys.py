"""`captchad keys`: API keys, in Redis."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import click

from captchad.broker.api_keys import ApiKeys
from captchad.cli.broker_connection import open_broker, run_connected
from captchad.cli.command_group import CommandGroup
from captchad.cli.options import config_option, json_option, load
from captchad.cli.printing import print_json, print_table, say
from captchad.config.loader import LoadedConfiguration
from captchad.domain.api_key import ApiKey, Scope
from captchad.domain.errors import TargetNotAllowed
from captchad.domain.target import Target, find_declared_target

DEFAULT_SCOPES = (Scope.SUBMIT.value, Scope.READ.value)
MS = 1000
NAME_LENGTH_LIMIT = 64


@click.group(cls=CommandGroup)
def keys() -> None:
    """Create, list and revoke API keys."""


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
@config_option
@json_option
def create(name: str, scopes: Sequence[str], hosts: Sequence[str], config_path: str | None, is_json: bool) -> None:
    """Create a key called NAME and print it; it is stored as a hash and can't be shown again."""
    if not name.strip() or len(name) > NAME_LENGTH_LIMIT or not name.isprintable():
        raise click.UsageError(f"NAME must have 1 to {NAME_LENGTH_LIMIT} printable characters")
    loaded = load(config_path)
    targets = tuple(_find_declared(host, loaded.configuration.security.declared_targets()) for host in hosts)
    text, key = run_connected(_create(loaded, name, frozenset(Scope(scope) for scope in scopes), targets))
    if is_json:
        print_json({"key": text, **_represent(key)})
        return
    say(text)
    if not loaded.configuration.security.api_key_required:
        say("keys are not asked for yet: security.api_key_required is false", is_error=True)
    say("save it now: only its hash is stored, so it can't be shown again", is_error=True)


@keys.command("list")
@config_option
@json_option
def list_keys(config_path: str | None, is_json: bool) -> None:
    """Show every key, without its secret."""
    found = run_connected(_list(load(config_path)))
    if is_json:
        print_json([_represent(key) for key in found])
        return
    rows = (
        (key.name, key.key_id, " ".join(sorted(key.scopes)), " ".join(key.targets) or "all", *_times(key))
        for key in found
    )
    headings = ("NAME", "ID", "SCOPES", "TARGETS", "CREATED", "REVOKED")
    print_table(headings, rows, "no keys; `captchad keys create NAME`", whole=("ID",))


@keys.command()
@click.argument("name")
@config_option
@json_option
def revoke(name: str, config_path: str | None, is_json: bool) -> None:
    """Make the key called NAME (or with this id) invalid at once."""
    key = run_connected(_revoke(load(config_path), name))
    print_json(_represent(key)) if is_json else say(f"{key.name} ({key.key_id}) is revoked")


async def _create(
    loaded: LoadedConfiguration, name: str, scopes: frozenset[Scope], targets: tuple[str, ...]
) -> tuple[str, ApiKey]:
    async with open_broker(loaded) as broker:
        return await ApiKeys(broker).create(name, scopes, targets)


async def _list(loaded: LoadedConfiguration) -> tuple[ApiKey, ...]:
    async with open_broker(loaded) as broker:
        return await ApiKeys(broker).list_all()


async def _revoke(loaded: LoadedConfiguration, name: str) -> ApiKey:
    async with open_broker(loaded) as broker:
        return await ApiKeys(broker).revoke(name)


def _find_declared(host: str, declared: Sequence[Target]) -> str:
    try:
        return find_declared_target(declared, host).host
    except TargetNotAllowed as error:
        raise click.ClickException(error.message) from None


def _times(key: ApiKey) -> tuple[str | None, str | None]:
    return _show_time(key.created_ms), _show_time(key.revoked_ms)


def _show_time(time_ms: int | None) -> str | None:
    if time_ms is None:
        return None
    return datetime.fromtimestamp(time_ms // MS, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _represent(key: ApiKey) -> dict[str, Any]:
    created, revoked = _times(key)
    return {
        "id": key.key_id,
        "name": key.name,
        "scopes": sorted(key.scopes),
        "targets": list(key.targets),
        "created_at": created,
        "revoked_at": revoked,
    }
