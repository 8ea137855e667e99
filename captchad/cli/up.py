"""`captchad up`: all roles on this machine, supervised, until Ctrl-C."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable

import click

from captchad.cli.command_beside import CommandBeside
from captchad.cli.event_printer import EventPrinter
from captchad.cli.foreground import run_until_signal
from captchad.cli.options import Decorated, config_option, json_option
from captchad.config.environment import REDIS_PASSWORD_VARIABLE
from captchad.config.settings import WORKER_NODES_LIMIT
from captchad.deployment.local_plan import LocalPlan, UpOptions, plan_local_fleet
from captchad.domain.exit_codes import EXIT_FAILED
from captchad.domain.node import Role
from captchad.domain.ports import GATEWAY_VARIABLE, HIGHEST_PORT, LOOPBACK_HOST, ROLE_PORTS
from captchad.runtime.clock import Clock
from captchad.runtime.spawn import TaskSet

PORT = click.IntRange(0, HIGHEST_PORT)


def _port_option(role: Role) -> Callable[[Decorated], Decorated]:
    help_text = f"The {role}'s port; 0: any."
    return click.option(f"--{role}-port", type=PORT, default=ROLE_PORTS[role], show_default=True, help=help_text)


@click.command()
@click.option(
    "--workers",
    type=click.IntRange(1, WORKER_NODES_LIMIT),
    metavar="N",
    help="Worker processes.  [default: configured]",
)
@config_option
@click.option("--host", default=LOOPBACK_HOST, show_default=True, metavar="HOST", help="The address to listen on.")
@_port_option(Role.GATEWAY)
@_port_option(Role.SCHEDULER)
@_port_option(Role.MONITOR)
@click.option("--verbose", is_flag=True, help="Show everything the roles log, not just warnings.")
@json_option
@click.argument("command", metavar="[-- COMMAND…]", nargs=-1, type=click.UNPROCESSED)
def up(
    workers: int | None,
    config_path: str | None,
    host: str,
    gateway_port: int,
    scheduler_port: int,
    monitor_port: int,
    verbose: bool,
    is_json: bool,
    command: tuple[str, ...],
) -> None:
    """Run all roles on this machine until Ctrl-C, or for as long as COMMAND runs.

    With no Redis configured, a private one runs along and keeps its data in the state folder. A role that ends by
    itself is started again. Ctrl-C lets everything finish what it does; a second one ends it at once. SIGHUP has every
    role read its configuration again; a closed terminal stops them.

    COMMAND is started once all roles are ready, with the gateway's address in CAPTCHAD_GATEWAY_URL. Standard output is
    its own, and so is the exit code.
    """
    options = UpOptions(workers, config_path, host, gateway_port, scheduler_port, monitor_port)
    if not command:
        asyncio.run(_up(options, EventPrinter(is_json=is_json, is_verbose=verbose)))
        return
    printer = EventPrinter(is_json=is_json, is_brief=not verbose, is_verbose=verbose, stream=sys.stderr)
    beside = CommandBeside(command, os.environ)
    code = asyncio.run(_up_beside(options, beside, printer))
    click.get_current_context().exit(EXIT_FAILED if code is None else code)


async def _up(options: UpOptions, printer: EventPrinter) -> None:
    clock = Clock()
    plan = await plan_local_fleet(options, os.environ, printer.print_event, clock)
    fleet = plan.build_fleet(printer.print_event, clock)

    async def announce() -> None:
        _announce(plan, printer)
        await fleet.wait_for_failure()

    await run_until_signal(fleet, announce, printer, reloads_on_hangup=True)


async def _up_beside(options: UpOptions, beside: CommandBeside, printer: EventPrinter) -> int | None:
    """Run the fleet for as long as the command runs; return its exit code, None where it was never started."""
    clock = Clock()
    plan = await plan_local_fleet(options, os.environ, printer.print_event, clock)
    fleet = plan.build_fleet(printer.print_event, clock)
    tasks = TaskSet("up")

    async def run_command() -> int:
        gateway = plan.url(Role.GATEWAY)
        printer.say(f"captchad is up at {gateway}")
        printer.flush()
        running = tasks.spawn(beside.run(**{GATEWAY_VARIABLE: gateway}), "command")
        failing = tasks.spawn(fleet.wait_for_failure(), "failure")
        await asyncio.wait({running, failing}, return_when=asyncio.FIRST_COMPLETED)
        return await (running if running.done() else failing)

    try:
        return await run_until_signal(fleet, run_command, printer, reloads_on_hangup=True, wind_down=beside.end)
    finally:
        await beside.end(signal.SIGTERM)
        await tasks.cancel_all()


def _announce(plan: LocalPlan, printer: EventPrinter) -> None:
    redis = "as configured"
    if plan.redis is not None:
        redis = f"{plan.redis.url} ({plan.redis.dump})" if plan.redis.dump else plan.redis.url
        if os.environ.get(REDIS_PASSWORD_VARIABLE) or plan.loaded.configuration.redis.master is not None:
            redis += " (a private one; the password is not used, since no server is named: set redis.master.host)"
    printer.summarise(
        "captchad is up; Ctrl-C stops it",
        {
            "gateway": plan.url(Role.GATEWAY),
            "monitor": plan.url(Role.MONITOR),
            "scheduler": plan.url(Role.SCHEDULER),
            **{child.name: child.url for child in plan.workers},
            "redis": redis,
            "configuration": str(plan.loaded.path or "none found; nothing is in scope yet"),
            "logs": str(plan.logs),
        },
    )
