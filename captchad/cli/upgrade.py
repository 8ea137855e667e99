"""`captchad upgrade`: another release in place of the one that runs, and back again where it does not come up."""

from pathlib import Path

import click

from captchad.cli.deploy_checks import check_host, check_ports, check_room
from captchad.cli.host_steps import carry_out, dry_run_option, print_plan
from captchad.cli.printing import say
from captchad.cli.wanted_host import read_roles
from captchad.deployment.systemd import host, layout
from captchad.deployment.systemd.configuration_files import read_request
from captchad.deployment.systemd.installation import check_obtainable
from captchad.deployment.systemd.lock import lock_host
from captchad.deployment.systemd.origins import Origin, describe_release, of_next
from captchad.deployment.systemd.steps import Step
from captchad.deployment.systemd.switch import current_release
from captchad.deployment.systemd.upgrade_plan import plan_completion, plan_rollback, plan_upgrade
from captchad.deployment.systemd.wanted import Found, Release
from captchad.domain.errors import DeploymentFailed


@click.command()
@click.option(
    "--to",
    "asked",
    metavar="WHEEL|VERSION",
    help="A wheel, or a version that is kept here or in pip's index.  [default: the captchad that runs this]",
)
@click.option("--rollback", "is_rollback", is_flag=True, help="Go back to the release that ran before.")
@dry_run_option
def upgrade(asked: str | None, is_rollback: bool, is_dry: bool) -> None:
    """Replace the captchad of this host by another release, while it serves.

    A backup first; then the new release is installed beside the old one and looks at this host and its configuration.
    Only then are the services restarted, one after another. Where one does not come up, the old release is put back.
    """
    if is_rollback and asked is not None:
        raise click.UsageError("--rollback goes back to the release before; it does not go with --to")
    check_host(is_copying=asked is None and not is_rollback)
    if not is_dry:
        lock_host()
    found = host.look()
    check_ports(read_roles(read_request(found)), found)
    current = current_release(found)
    if current is None:
        raise DeploymentFailed("captchad is not deployed on this host: `captchad deploy` first")
    steps, origin = _plan(found, current, asked, is_rollback=is_rollback)
    if not steps:
        say(f"captchad {current} runs already: nothing {'would be' if is_dry else 'was'} changed")
        return
    if is_dry:
        print_plan(steps, found)
        return
    check_room(steps)
    carry_out(steps, origin)


def _plan(found: Found, current: str, asked: str | None, *, is_rollback: bool) -> tuple[list[Step], Origin | None]:
    if is_rollback:
        return plan_rollback(found), None
    begun = plan_completion(found)
    if begun:
        say("an upgrade was broken off: it is ended first")
        return begun, None
    if asked is not None and asked in found.installed:
        return plan_upgrade(Release(asked, found.installed[asked], ""), found), None
    origin = of_next(asked, Path(layout.release_path(current))) if asked is not None else None
    if origin is not None:
        check_obtainable(origin)
    return plan_upgrade(describe_release(origin, found.installed), found), origin
