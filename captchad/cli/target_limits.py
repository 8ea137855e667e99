"""`captchad targets limit`, `captchad pause` and `captchad resume`: what is narrowed without a restart."""

from datetime import date, datetime

import click

from captchad.cli.options import config_option, json_option, load
from captchad.cli.printing import print_json, say
from captchad.config.loader import LoadedConfiguration
from captchad.domain.errors import TargetNotAllowed
from captchad.domain.narrowing import Narrowing
from captchad.domain.target import Target, find_declared_target
from captchad.runtime.clock import Clock
from captchad.runtime.extras import Extra, require

_count = click.IntRange(min=1)
_target_option = click.option("--target", "host", metavar="HOST", required=True, help="The declared target.")


def find_target(loaded: LoadedConfiguration, host: str) -> Target:
    """Return the target that is declared as `host`."""
    try:
        return find_declared_target(loaded.configuration.security.declared_targets(), host)
    except TargetNotAllowed as error:
        raise click.ClickException(error.message) from None


@click.command()
@click.argument("host")
@click.option("--expires", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="Its last day (UTC).")
@click.option("--max-per-minute", type=_count, metavar="N", help="Visits a minute.")
@click.option("--max-concurrent", type=_count, metavar="N", help="Pages open at once.")
@click.option("--reset", "is_reset", is_flag=True, help="Have the declared limits count again, before the others.")
@config_option
@json_option
def limit(
    host: str,
    expires: datetime | None,
    max_per_minute: int | None,
    max_concurrent: int | None,
    is_reset: bool,
    config_path: str | None,
    is_json: bool,
) -> None:
    """Narrow the limits of the declared target HOST at once, never beyond the declared ones."""
    day: date | None = None if expires is None else expires.date()
    wanted = Narrowing(day, max_per_minute, max_concurrent)
    if wanted == Narrowing() and not is_reset:
        raise click.UsageError("give --expires, --max-per-minute or --max-concurrent, or --reset")
    require(Extra.SERVER, "reaching Redis")
    from captchad.cli import target_rules  # noqa: PLC0415

    loaded = load(config_path)
    declared = find_target(loaded, host)
    try:
        now = target_rules.limit(loaded, declared, wanted, is_reset=is_reset).apply(declared)
    except TargetNotAllowed as error:
        raise click.ClickException(error.message) from None
    until = None if now.expires is None else now.expires.isoformat()
    if is_json:
        limits = {"max_per_minute": now.max_per_minute, "max_concurrent": now.max_concurrent}
        print_json({"host": declared.host, "expires": until, **limits})
        return
    end = f", until {until}" if until else ""
    if now.expires is not None and now.expires < Clock().today():
        say(f"{declared.host} is closed now: its last day was {until}; with --reset the declared limits count again")
        return
    say(f"{declared.host}: {now.max_per_minute} visits a minute, {now.max_concurrent} pages at once{end}")


@click.command()
@_target_option
@config_option
@json_option
def pause(host: str, config_path: str | None, is_json: bool) -> None:
    """Begin no more tasks of a target; what is under way goes on, and what comes waits."""
    from captchad.cli import target_rules  # noqa: PLC0415

    loaded = load(config_path)
    target = find_target(loaded, host)
    target_rules.pause(loaded, target)
    if is_json:
        print_json({"host": target.host, "paused": True})
        return
    say(f"{target.host} is paused: its tasks wait until `captchad resume --target {target.host}`")


@click.command()
@_target_option
@config_option
@json_option
def resume(host: str, config_path: str | None, is_json: bool) -> None:
    """Begin a paused target's tasks again."""
    from captchad.cli import target_rules  # noqa: PLC0415

    loaded = load(config_path)
    target = find_target(loaded, host)
    waiting = target_rules.resume(loaded, target)
    if is_json:
        print_json({"host": target.host, "paused": False, "waiting_tasks": waiting})
        return
    say(f"{target.host} is resumed; {'1 task waits' if waiting == 1 else f'{waiting} tasks wait'} for it")
