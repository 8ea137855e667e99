"""Prints the steps of a plan, or does them one after another."""

import difflib
import itertools
from collections.abc import Sequence

import click

from captchad.cli.printing import say
from captchad.deployment.systemd import host
from captchad.deployment.systemd.origins import Origin
from captchad.deployment.systemd.steps import Step, WaitHealthy, WriteFile
from captchad.deployment.systemd.wanted import Found
from captchad.runtime.clock import Clock

BAR_WIDTH = 24

dry_run_option = click.option(
    "--dry-run", "is_dry", is_flag=True, help="Print each file's difference and each command, and change nothing."
)


def print_plan(steps: Sequence[Step], found: Found) -> None:
    """Print the steps, and of each file what differs."""
    for step in steps:
        say(step.describe())
        if not isinstance(step, WriteFile):
            continue
        if step.is_secret:
            say("    (secrets, not shown)")
            continue
        there = found.files.get(step.path)
        before = (there.text or "").splitlines() if there is not None else []
        for line in difflib.unified_diff(before, step.text.splitlines(), lineterm="", n=1):
            if not line.startswith(("---", "+++")):
                say(f"    {line}")


def carry_out(steps: Sequence[Step], origin: Origin | None) -> None:
    """Do the steps, and say each before it is begun."""
    clock = Clock()
    total = sum(not isinstance(step, WaitHealthy) for step in steps)
    numbers = itertools.count(1)
    for step in steps:
        if not isinstance(step, WaitHealthy):
            say(f"[{next(numbers)}/{total}] {step.describe()}")
        host.perform(step, origin, clock, _Bar().show)
    if not total:
        say("nothing differs: nothing was changed")


class _Bar:
    """Says how many units are ready, as a bar, whenever that changes."""

    def __init__(self) -> None:
        self._shown = -1

    def show(self, ready: int, total: int) -> None:
        """Print the bar where it is another one than before."""
        if ready != self._shown:
            self._shown = ready
            filled = BAR_WIDTH * ready // max(1, total)
            say(f"[{'#' * filled}{'.' * (BAR_WIDTH - filled)}] {ready} of {total} ready")
