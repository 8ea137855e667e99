"""`captchad targets`: what is in scope, whose it is, and why a URL is or is not in scope."""

from typing import TYPE_CHECKING, Any

import click

from captchad.cli.command_group import CommandGroup
from captchad.cli.options import config_option, json_option, load
from captchad.cli.printing import print_json, print_table, say, show_time
from captchad.cli.target_limits import find_target as find_declared
from captchad.cli.target_limits import limit
from captchad.config.loader import LoadedConfiguration
from captchad.domain.errors import BrokerUnavailable, DependencyMissing, TargetNotAllowed
from captchad.domain.exit_codes import EXIT_FAILED
from captchad.domain.narrowing import NOT_NARROWED, Narrowing
from captchad.domain.proof import (
    NOTHING_KNOWN,
    KnownProofs,
    Standing,
    explain_publishing,
    find_proof_host,
    name_file,
    name_record,
)
from captchad.domain.target import Target, check_expiry, check_spelled_address, find_target, parse_origin
from captchad.runtime.clock import Clock
from captchad.runtime.extras import Extra, require

if TYPE_CHECKING:
    from captchad.cli.target_rules import Proved

Rules = tuple[KnownProofs, dict[str, Narrowing]]
DAY_LENGTH = len("2027-01-31")


@click.group(cls=CommandGroup)
def targets() -> None:
    """Show what is in scope, and why a URL is or is not; prove, narrow and reopen targets."""


targets.add_command(limit)


@targets.command("list")
@config_option
@json_option
def list_targets(config_path: str | None, is_json: bool) -> None:
    """Show every declared target, how its ownership is shown, and what is narrowed of it."""
    loaded = load(config_path)
    declared = loaded.configuration.security
    for warning in loaded.warnings:
        if warning.path.startswith("security.targets"):
            say(f"{warning.path}: {warning.message}", is_error=True)
    rules = _read_rules(loaded, [target.host for target in declared.declared_targets()])
    if is_json:
        print_json(
            [
                section.model_dump(mode="json") | _represent_rules(section.to_target(), rules)
                for section in declared.targets
            ]
        )
        return
    headings = ("HOST", "PORTS", "OWNER", "REFERENCE", "EXPIRES", "PER MINUTE", "CONCURRENT", "PRIVATE", "STANDING")
    rows = (_describe(target, rules) for target in declared.declared_targets())
    print_table(headings, rows, "no target is declared, so nothing is in scope; add one to security.targets")


@targets.command("check")
@click.argument("url")
@config_option
@json_option
@click.pass_context
def check_url(ctx: click.Context, url: str, config_path: str | None, is_json: bool) -> None:
    """Say whether the page at URL is in scope, and why; exit 1 if it is not."""
    loaded = load(config_path)
    try:
        origin = parse_origin(url)
        target = find_target(loaded.configuration.security.declared_targets(), origin, Clock().today())
        check_spelled_address(target, origin.host)
        _check_rules(loaded, target)
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
@click.pass_context
def prove(ctx: click.Context, host: str, config_path: str | None, is_json: bool) -> None:
    """Say what to publish to show that the declared HOST is yours, and look for it now; exit 1 if it stays closed."""
    require(Extra.SERVER, "reaching Redis")
    from captchad.cli import target_rules  # noqa: PLC0415

    loaded = load(config_path)
    target = find_declared(loaded, host)
    if NOTHING_KNOWN.find_standing(target).standing is Standing.PRIVATE:
        if is_json:
            print_json({"host": target.host, "standing": "private"})
        else:
            say(f"{target.host} is private and needs no proof")
        return
    proved = target_rules.prove(loaded, target)
    if is_json:
        print_json(_represent_proved(target, proved))
    else:
        _say_proved(target, proved)
    ctx.exit(0 if proved[2].is_open else EXIT_FAILED)


@targets.command()
@click.argument("host")
@config_option
@json_option
def reopen(host: str, config_path: str | None, is_json: bool) -> None:
    """Visit the declared target HOST again, although it asked to be left alone for longer, and fill its forms again."""
    require(Extra.SERVER, "reaching Redis")
    from captchad.cli.reopening import reopen_target  # noqa: PLC0415

    loaded = load(config_path)
    target = find_declared(loaded, host)
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


def _read_rules(loaded: LoadedConfiguration, hosts: list[str]) -> Rules | None:
    """Return what Redis holds of targets; None, and a line that says so, where it can't be reached."""
    if not hosts:
        return None
    try:
        require(Extra.SERVER, "reaching Redis")
        from captchad.cli.target_rules import read_rules  # noqa: PLC0415

        return read_rules(loaded, hosts)
    except (BrokerUnavailable, DependencyMissing) as error:
        say(f"proofs and narrowed limits are not known here: {error.message}", is_error=True)
        return None


def _check_rules(loaded: LoadedConfiguration, target: Target) -> None:
    """Raise TargetNotAllowed where a target is closed for want of a proof, or was narrowed to an earlier day."""
    rules = _read_rules(loaded, [target.host])
    if rules is None:
        return
    known, narrowed = rules
    check_expiry(narrowed.get(target.host, NOT_NARROWED).apply(target), Clock().today())
    known.check(target)


def _describe(target: Target, rules: Rules | None) -> tuple[object, ...]:
    narrowing = NOT_NARROWED if rules is None else rules[1].get(target.host, NOT_NARROWED)
    now = narrowing.apply(target)
    return (
        target.host,
        " ".join(str(port) for port in target.ports),
        target.owner or None,
        target.reference or None,
        _describe_expiry(now),
        _describe_limit(now.max_per_minute, target.max_per_minute),
        _describe_limit(now.max_concurrent, target.max_concurrent),
        target.allow_private_addresses,
        _describe_standing(target, rules) + (", paused" if narrowing.paused_ms is not None else ""),
    )


def _describe_limit(now: int, declared: int) -> str:
    return str(now) if now == declared else f"{now} of {declared}"


def _describe_standing(target: Target, rules: Rules | None) -> str:
    known = NOTHING_KNOWN if rules is None else rules[0]
    standing = known.find_standing(target)
    if rules is None and not standing.is_open:
        return "unknown"
    until = show_time(standing.until_ms)
    return str(standing.standing) if until is None else f"{standing.standing} until {until[:DAY_LENGTH]}"


def _represent_rules(target: Target, rules: Rules | None) -> dict[str, Any]:
    """Return what is known beside the declaration; null where Redis would have to say it and can't be reached."""
    known, narrowed = (NOTHING_KNOWN, {}) if rules is None else rules
    standing, narrowing = known.find_standing(target), narrowed.get(target.host, NOT_NARROWED)
    is_known = rules is not None or standing.is_open
    limits = {
        "expires": narrowing.expires,
        "max_per_minute": narrowing.max_per_minute,
        "max_concurrent": narrowing.max_concurrent,
        "paused_at": show_time(narrowing.paused_ms),
    }
    return {
        "standing": str(standing.standing) if is_known else None,
        "grace_until": show_time(standing.until_ms),
        "narrowed": None if rules is None else limits,
    }


def _represent_proved(target: Target, proved: "Proved") -> dict[str, Any]:
    installation, record, standing = proved
    host = find_proof_host(target)
    return {
        "host": target.host,
        "standing": str(standing.standing),
        "grace_until": show_time(standing.until_ms),
        "token": installation.token,
        "record": name_record(host),
        "file": name_file(host),
        "way": None if record.way is None else str(record.way),
        "finding": record.finding,
    }


def _say_proved(target: Target, proved: "Proved") -> None:
    installation, record, standing = proved
    say(f"publish {explain_publishing(find_proof_host(target), installation.token)}")
    say(f"found: {record.finding}")
    until = show_time(standing.until_ms)
    meaning = {
        Standing.PROVEN: "is proven to be yours, and open",
        Standing.WAIVED: "is open, since its proof is waived",
        Standing.GRACE: f"is open until {until}, and closed then unless a proof is found",
        Standing.UNPROVEN: "is closed",
        Standing.PRIVATE: "is private and needs no proof",
    }
    say(f"{target.host} {meaning[standing.standing]}")


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
