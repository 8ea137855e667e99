"""`captchad undeploy`: takes captchad off this host, and with `--purge` its data."""

import os

import click

from captchad.cli.host_steps import carry_out, dry_run_option, print_plan
from captchad.cli.printing import say
from captchad.deployment.systemd import host, layout
from captchad.deployment.systemd.holdings import Holding, find_backups, find_holdings
from captchad.deployment.systemd.lock import lock_host
from captchad.deployment.systemd.plan import plan_undeploy
from captchad.deployment.systemd.timers import find_timers
from captchad.deployment.systemd.wanted import Found
from captchad.domain.errors import DeploymentFailed


@click.command()
@click.option("--purge", "is_purged", is_flag=True, help="Remove the configuration and all data too, but for backups.")
@click.option("--backups", "with_backups", is_flag=True, help="With --purge: the backups in the state folder as well.")
@dry_run_option
def undeploy(is_purged: bool, with_backups: bool, is_dry: bool) -> None:
    """Stop captchad and remove its programs and units; configuration and data stay, without --purge.

    What --purge takes is named first, with its size. Backups in the state folder stay, without --backups.
    """
    if with_backups and not is_purged:
        raise click.UsageError("--backups goes with --purge")
    host.check_rights()
    if not is_dry:
        lock_host()
    found, taken, backups = host.look(), find_holdings() if is_purged else [], find_backups()
    keeps_backups = backups is not None and not with_backups
    is_data_there = is_purged and _is_data_there(taken, keeps_backups=keeps_backups)
    if not (is_data_there or _is_program_there(found)):
        raise DeploymentFailed("captchad is not deployed on this host: there is nothing to remove")
    steps = plan_undeploy(found, is_purged, keeps_backups)
    if is_purged:
        _say_purge(taken, backups, keeps_backups=keeps_backups)
    if is_dry:
        print_plan(steps, found)
        return
    carry_out(steps, None)
    say("captchad is removed" if is_purged else f"captchad is removed; {layout.CONFIGURATION_FOLDER} and its data stay")
    timers = () if is_purged else find_timers(found)
    if timers:
        say(f"the next `captchad deploy` enables what was enabled: {', '.join(timers)}")


def _say_purge(taken: list[Holding], backups: Holding | None, *, keeps_backups: bool) -> None:
    for one in taken:
        say(f"{_describe(one)}, is removed")
    if backups is not None:
        end = "stays; --purge --backups removes that too" if keeps_backups else "is removed"
        say(f"{_describe(backups)}, {end}")


def _describe(one: Holding) -> str:
    return f"{one.place}: {one.what}, {one.files} file{'' if one.files == 1 else 's'}, {one.size_bytes} bytes"


def _is_program_there(found: Found) -> bool:
    is_left = any(os.path.lexists(path) for path in (layout.PROGRAM_FOLDER, layout.COMMAND))
    return is_left or bool(found.active or found.enabled) or any(map(_is_unit_file, found.files))


def _is_data_there(taken: list[Holding], *, keeps_backups: bool) -> bool:
    # The folder with the backups in it stays, and the link to it.
    kept = (layout.STATE_LINKS[0], layout.STATE_FOLDERS[0]) if keeps_backups else ()
    places = {layout.CONFIGURATION_FOLDER, *layout.STATE_LINKS, *layout.STATE_FOLDERS}.difference(kept)
    return bool(taken) or any(map(os.path.lexists, places))


def _is_unit_file(path: str) -> bool:
    return path.startswith(layout.UNIT_FOLDER)
