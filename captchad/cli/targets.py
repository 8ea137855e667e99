"""`captchad targets`: what is in scope, and why a URL is or is not."""

import click

from captchad.cli.command_group import CommandGroup
from captchad.cli.options import config_option, json_option, load
from captchad.cli.printing import print_json, print_table, say
from captchad.domain.errors import TargetNotAllowed
from captchad.domain.exit_codes import EXIT_FAILED
from captchad.domain.target import (
    Target,
    check_expiry,
    check_spelled_address,
    find_declared_target,
    find_target,
    parse_origin,
)
from captchad.runtime.clock import Clock
from captchad.runtime.extras import Extra, require


@click.group(cls=CommandGroup)
def targets() -> None:
    """Show what is in scope, and why a URL is or is not; reopen a target."""


@targets.command("list")
@config_option
@json_option
def list_targets(config_path: str | None, is_json: bool) -> None:
    """Show every declared target."""
    loaded = load(config_path)
    declared = loaded.configuration.security
    for warning in loaded.warnings:
        if warning.path.startswith("security.targets"):
            say(f"{warning.path}: {warning.message}", is_error=True)
    if is_json:
        print_json([section.model_dump(mode="json") for section in declared.targets])
        return
    headings = ("HOST", "PORTS", "OWNER", "REFERENCE", "EXPIRES", "PER MINUTE", "CONCURRENT", "PRIVATE")
    rows = (_describe(target) for target in declared.declared_targets())
    print_table(headings, rows, "no target is declared, so nothing is in scope; add one to security.targets")


@targets.command("check")
@click.argument("url")
@config_option
@json_option
@click.pass_context
def check_url(ctx: click.Context, url: str, config_path: str | None, is_json: bool) -> None:
    """Say whether the page at URL is in scope, and why; exit 1 if it is not."""
    declared = load(config_path).configuration.security.declared_targets()
    try:
        origin = parse_origin(url)
        target = find_target(declared, origin, Clock().today())
        check_spelled_address(target, origin.host)
    except TargetNotAllowed as error:
        if is_json:
            print_json({"url": url, "allowed": False, "reason": error.message, "target": None})
            ctx.exit(EXIT_FAILED)
        raise click.ClickException(f"{url} is out of scope: {error.message}") from None
    if is_json:
        print_json({"url": url, "allowed": True, "reason": f"covered by {target.host}", "target": target.host})
    else:
        say(f"{url} is in scope: covered by {target.host}, port {origin.port}{_describe_authority(target)}")


@targets.command()
@click.argument("host")
@config_option
@json_option
def reopen(host: str, config_path: str | None, is_json: bool) -> None:
    """Visit the declared target HOST again, although it asked to be left alone for longer, and fill its forms again."""
    require(Extra.SERVER, "reaching Redis")
    from captchad.cli.reopening import reopen_target  # noqa: PLC0415

    loaded = load(config_path)
    try:
        target = find_declared_target(loaded.configuration.security.declared_targets(), host)
    except TargetNotAllowed as error:
        raise click.ClickException(error.message) from None
    reopening = reopen_target(loaded, target.host)
    if is_json:
        closed = {"was_closed": reopening.was_closed, "closed_seconds": reopening.closed_seconds}
        others = {"waiting_tasks": reopening.waiting, "was_fill_closed": reopening.was_fill_closed}
        print_json({"host": target.host, **closed, **others})
        return
    if not reopening.was_closed:
        say(f"{target.host} was not closed")
    if reopening.was_fill_closed:
        say(f"forms of {target.host} are filled again; its count of rejections begins anew")
    if reopening.closed_seconds:
        waiting = f"{reopening.waiting} tasks wait for it" if reopening.waiting != 1 else "1 task waits for it"
        say(f"{target.host} is open again, {reopening.closed_seconds:.0f} s early; {waiting}")


def _describe(target: Target) -> tuple[object, ...]:
    return (
        target.host,
        " ".join(str(port) for port in target.ports),
        target.owner or None,
        target.reference or None,
        _describe_expiry(target),
        target.max_per_minute,
        target.max_concurrent,
        target.allow_private_addresses,
    )


def _describe_expiry(target: Target) -> str | None:
    if target.expires is None:
        return None
    try:
        check_expiry(target, Clock().today())
    except TargetNotAllowed:
        return f"{target.expires.isoformat()} (expired)"
    return target.expires.isoformat()


def _describe_authority(target: Target) -> str:
    if not target.owner:
        return ""
    until = f", until {target.expires.isoformat()}" if target.expires else ""
    return f"; authorised by {target.owner} ({target.reference}){until}"
