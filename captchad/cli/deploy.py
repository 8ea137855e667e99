"""`captchad deploy` and `scale`: what this host runs, as units of systemd."""

from pathlib import Path
from typing import Any

import click

from captchad.broker.api_keys import FIRST_KEY, ApiKeys
from captchad.cli.broker_connection import PATIENT_LIMIT_SECONDS, open_broker, run_connected
from captchad.cli.deploy_checks import check_host, check_ports, check_room, examine_browser, find_warnings
from captchad.cli.deploy_options import check_combination, several_hosts_options
from captchad.cli.deployed_configuration import find_contradictions, list_decided, read_as_decided, read_as_units
from captchad.cli.failures import describe_problem
from captchad.cli.host_steps import carry_out, dry_run_option, print_plan
from captchad.cli.joining import check_joining, read_joining
from captchad.cli.printing import print_pairs, say, told_if_lost
from captchad.cli.switching import hand_back_where_owed, say_end_of_switch, undone_where_it_fails
from captchad.cli.wanted_host import want
from captchad.config.loader import LoadedConfiguration
from captchad.config.redis_choice import choose_redis_or_local
from captchad.config.settings import WORKER_NODES_LIMIT
from captchad.deployment.systemd import host, layout, systemctl
from captchad.deployment.systemd.configuration_files import BROWSER_NODES_LIMIT
from captchad.deployment.systemd.lock import lock_host
from captchad.deployment.systemd.origins import describe_release, of_wheels
from captchad.deployment.systemd.plan import plan_deploy
from captchad.deployment.systemd.service_names import SCALED
from captchad.deployment.systemd.switch import current_release, find_switch, read_switch
from captchad.deployment.systemd.unit_files import list_services, list_sockets
from captchad.deployment.systemd.wanted import Found, Release, Wanted
from captchad.domain.api_key import Scope
from captchad.domain.errors import DeploymentFailed
from captchad.domain.node import Role
from captchad.domain.ports import LOOPBACK_HOST, REDIS_PORT, ROLE_PORTS, show_host
from captchad.operations.audited import audited


@click.command()
@click.option("-e", "--environment", type=click.Choice(["dev", "prod"]), help="Rules and limits.  [default: dev]")
@click.option("-m", "--mode", type=click.Choice(["single", "multi"]), help="One host, or several.  [default: single]")
@click.option("-n", "--workers", type=click.IntRange(1, WORKER_NODES_LIMIT), metavar="N", help="Workers.  [default: 2]")
@click.option(
    "--wheels",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="Install from the wheels in this folder instead of copying the environment that runs this.",
)
@several_hosts_options
@dry_run_option
def deploy(wheels: Path | None, is_dry: bool, **options: Any) -> None:
    """Run captchad on this host as units of systemd, from the first start to the last change.

    What is there already is kept: a second deploy changes only what differs. What is not given stays as it was.
    """
    asked = {name: value for name, value in options.items() if value}
    check_combination(asked)
    check_host(is_copying=wheels is None)
    if not is_dry:
        lock_host()
    found = host.look()
    origin = of_wheels(wheels) if wheels is not None else None
    release = describe_release(origin, found.installed)
    if not is_dry:
        hand_back_where_owed(found, release.name)
    joining = read_joining(asked, found)
    wanted = want(found, release, asked, joining)
    check_ports(wanted.roles, found, wanted.listening)
    if joining is not None:
        check_joining(wanted, found)
    is_first = current_release(found) is None and Role.WORKER in wanted.roles and origin is None
    for warning in (*find_warnings(), *(examine_browser(read_as_decided(wanted, found)) if is_first else ())):
        say(f"captchad: warning: {warning}", is_error=True)
    steps = plan_deploy(wanted, found)
    if is_dry:
        print_plan(steps, found)
        return
    check_room(steps)
    _say_contradictions(wanted, found)
    with undone_where_it_fails(release.name):
        carry_out(steps, origin)
    say_end_of_switch(find_switch(found, release.name), release.name)
    _say_where(wanted, found)


@click.command()
@click.argument("service", type=click.Choice(SCALED), metavar="SERVICE")
@click.argument("count", type=click.IntRange(0, WORKER_NODES_LIMIT), metavar="N")
@dry_run_option
def scale(service: str, count: int, is_dry: bool) -> None:
    """Run N workers (worker, worker-node) or N browser nodes (browser, chrome-node) on this host.

    What is too many drains first. With browser nodes the workers use those instead of browsers of their own; 0 of them
    gives the workers their own again.
    """
    is_of_workers = service.startswith("worker")
    if is_of_workers and count == 0:
        raise click.UsageError("there must be a worker; `captchad stop worker` stops them all")
    if not is_of_workers and count > BROWSER_NODES_LIMIT:
        raise click.UsageError(f"a host runs at most {BROWSER_NODES_LIMIT} browser nodes")
    host.check_rights()
    if not is_dry:
        lock_host()
    found = host.look()
    if current_release(found) is None:
        raise DeploymentFailed("captchad is not deployed on this host: `captchad deploy` first")
    if read_switch(found) is not None:
        raise DeploymentFailed("an upgrade was broken off: `captchad deploy` first, which ends it")
    wanted = want(found, _installed_release(found), {"workers" if is_of_workers else "browser_nodes": count})
    if Role.WORKER not in wanted.roles:
        raise DeploymentFailed(
            f"this host runs no workers, only {', '.join(wanted.roles)}: `captchad deploy --role` adds them"
        )
    steps = plan_deploy(wanted, found)
    if is_dry:
        print_plan(steps, found)
        return
    carry_out(steps, None)
    _say_contradictions(wanted, found)
    say(f"{wanted.workers} workers and {wanted.browser_nodes} browser nodes run")


def _say_contradictions(wanted: Wanted, found: Found) -> None:
    if layout.CONFIGURATION in found.files:
        for one in find_contradictions(read_as_units(found), list_decided(wanted)):
            say(f"captchad: warning: {describe_problem(one)}", is_error=True)


def _installed_release(found: Found) -> Release:
    name = Path(found.links[layout.CURRENT]).name
    return Release(name, found.installed.get(name, ""), found.links.get(layout.REDIS_PROGRAM, ""))


def _say_where(wanted: Wanted, found: Found) -> None:
    units = systemctl.read_units([*list_services(wanted), *list_sockets(wanted)])
    loaded = read_as_units(found)
    lines: list[tuple[str, object]] = [
        (role, f"{loaded.configuration.find_scheme(role)}://{LOOPBACK_HOST}:{ROLE_PORTS[role]}")
        for role in (Role.GATEWAY, Role.MONITOR)
        if role in wanted.roles
    ]
    print_pairs(
        [
            *lines,
            ("redis", layout.REDIS_SOCKET if wanted.has_own_redis else _describe_redis(loaded)),
            *_describe_listening(wanted),
            ("configuration", layout.CONFIGURATION),
            ("secrets", f"{layout.SECRETS} (readable by root alone)"),
            ("program", f"{layout.PROGRAM_FOLDER}/{wanted.release.name}"),
            ("services", f"{sum(unit.is_active for unit in units.values())} of {len(units)} ready"),
        ]
    )
    key = run_connected(_make_first_key(loaded)) if Role.GATEWAY in wanted.roles else None
    if key is not None:
        with told_if_lost(
            f"the API key {FIRST_KEY} was created, but its text is lost: `captchad keys rotate {FIRST_KEY}`"
        ):
            say(key)
        say("the API key above has every scope; save it now: it can't be shown again", is_error=True)
    if not loaded.configuration.security.targets:
        say(
            f"nothing is in scope yet: declare targets in {layout.CONFIGURATION}, then `captchad deploy`", is_error=True
        )


def _describe_redis(loaded: LoadedConfiguration) -> str:
    return choose_redis_or_local(loaded.configuration.redis).describe()


def _describe_listening(wanted: Wanted) -> list[tuple[str, object]]:
    listening = wanted.listening
    if listening is None:
        return []
    place = f"{show_host(listening.address)}:{REDIS_PORT}"
    return [
        ("listens at", f"{place}, by TLS, for {', '.join(listening.networks)}"),
        ("to join", f"copy {layout.JOIN} to a host (it has passwords), then `captchad deploy --join FILE` there"),
    ]


async def _make_first_key(loaded: LoadedConfiguration) -> str | None:
    if not loaded.configuration.security.api_key_required:
        return None
    async with open_broker(loaded, PATIENT_LIMIT_SECONDS) as broker:
        keys = ApiKeys(broker)
        if await keys.list_all():
            return None
        async with audited(broker, loaded.configuration, "keys_create", name=FIRST_KEY, scopes=sorted(Scope)) as act:
            text, key = await keys.create(FIRST_KEY, frozenset(Scope), ())
            act.object["key_id"] = key.key_id
        return text
