"""`captchad demo`: `up` on free ports with the sample site beside it, and its captchas solved once."""

import asyncio
import os
import sys
import tempfile
from pathlib import Path

import click

from captchad.cli.demo_report import DemoResult, Outcome, print_results, represent_results
from captchad.cli.demo_run import DemoRun, write_configuration
from captchad.cli.event_printer import EventPrinter
from captchad.cli.foreground import run_until_signal
from captchad.cli.options import json_option
from captchad.cli.printing import print_json
from captchad.deployment.local_plan import LocalPlan, UpOptions, plan_local_fleet
from captchad.deployment.private_fleet import choose_base, make_private_environment
from captchad.domain.exit_codes import EXIT_DONE, EXIT_FAILED
from captchad.domain.node import Role
from captchad.runtime.clock import Clock
from captchad.sample_site.site import SampleSite

TASKS_LIMIT = 10_000
FOLDER_PREFIX = "captchad-demo-"


@click.command()
@click.option(
    "--tasks",
    type=click.IntRange(1, TASKS_LIMIT),
    default=5,
    show_default=True,
    metavar="N",
    help="Number of pages to solve; the kinds come in turn.",
)
@click.option("--keep", is_flag=True, help="Keep running afterwards, until Ctrl-C.")
@json_option
def demo(tasks: int, keep: bool, is_json: bool) -> None:
    """Solve pages of the bundled sample site, one kind after the other, and show the results.

    Whether an answer was right is said by the site.

    Everything runs on free ports of this machine, in a folder that is removed afterwards; nothing that runs here
    already is touched.
    """
    click.get_current_context().exit(asyncio.run(_demo(tasks, keep, is_json)))


async def _demo(tasks: int, keep: bool, is_json: bool) -> int:
    printer = EventPrinter(is_brief=True, is_quiet=is_json)
    site = SampleSite()
    await site.start()
    try:
        with tempfile.TemporaryDirectory(prefix=FOLDER_PREFIX, dir=choose_base()) as folder:
            return await _run(Path(folder), site, tasks, keep, is_json, printer)
    finally:
        await site.close()


async def _run(folder: Path, site: SampleSite, tasks: int, keep: bool, is_json: bool, printer: EventPrinter) -> int:
    clock = Clock()
    options = UpOptions(
        workers=1,
        config_path=str(write_configuration(folder, site)),
        gateway_port=0,
        scheduler_port=0,
        monitor_port=0,
        first_worker_port=0,
    )
    plan = await plan_local_fleet(options, make_private_environment(os.environ, folder), printer.print_event, clock)
    fleet = plan.build_fleet(printer.print_event, clock)
    printer.say("starting captchad and the sample site")

    results: list[DemoResult] = []

    async def work() -> None:
        results.extend(await DemoRun(site, plan.url(Role.GATEWAY), is_progress_shown=not is_json).solve(tasks))
        printer.flush()
        _print(results, is_json)
        if keep:
            _announce(plan, site)
            await fleet.wait_for_failure()

    await run_until_signal(fleet, work, printer)
    return EXIT_DONE if results and all(result.outcome is Outcome.RIGHT for result in results) else EXIT_FAILED


def _print(results: list[DemoResult], is_json: bool) -> None:
    if is_json:
        print_json(represent_results(results))
    else:
        print_results(results)
    sys.stdout.flush()


def _announce(plan: LocalPlan, site: SampleSite) -> None:
    EventPrinter().summarise(
        "Still up; Ctrl-C ends it",
        {
            "gateway": plan.url(Role.GATEWAY),
            "dashboard": plan.url(Role.MONITOR),
            "sample site": site.base_url,
        },
    )
