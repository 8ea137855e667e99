"""`captchad doctor --fix`: what can be put right safely, and what is only done after a question."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import click

from captchad.cli.doctor.finding import Finding, Mend
from captchad.cli.printing import say
from captchad.domain.errors import CaptchadError

PRIVATE_MODE = 0o700
APT_GET = ("apt-get", "install", "-y", "--no-install-recommends")


class Outcome(StrEnum):
    """What became of a mend."""

    DONE = "done"
    DECLINED = "declined"
    NOT_ASKED = "not asked"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Mended:
    """One mend: what it is about, what it does, and what became of it; `reason` is empty unless it failed."""

    subject: str
    does: str
    outcome: Outcome
    reason: str = ""


def make_private(folder: Path) -> Mend:
    """Give a folder to its owner alone."""
    return Mend(f"chmod 700 {folder}", lambda: folder.chmod(PRIVATE_MODE))


def install(*packages: str) -> Mend | None:
    """Install packages of the distribution, after a question; None where this process may not."""
    if os.geteuid() != 0 or shutil.which(APT_GET[0]) is None:
        return None
    command = (*APT_GET, *packages)
    return Mend(" ".join(command), lambda: _run(command), needs_consent=True)


def apply_mends(findings: Iterable[Finding], ask: Callable[[str], bool] | None) -> list[Mended]:
    """Apply every mend there is, each once; `ask` is None where nobody can be asked."""
    wanted = {finding.mend.does: finding for finding in findings if finding.mend is not None}
    return [_apply(finding, ask) for finding in wanted.values()]


def ask_at_terminal() -> Callable[[str], bool] | None:
    """Return how to ask, or None where standard input or output is no terminal."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return None
    return lambda question: click.confirm(question, default=False)


def report(mended: Iterable[Mended]) -> None:
    """Print one line for each mend."""
    for one in mended:
        words = {
            Outcome.DONE: f"{one.subject}: fixed ({one.does})",
            Outcome.DECLINED: f"{one.subject}: left as it is",
            Outcome.NOT_ASKED: f"{one.subject}: would run `{one.does}`, but asks first, on a terminal",
            Outcome.FAILED: f"{one.subject}: not fixed: {one.does}: {one.reason}",
        }
        say(words[one.outcome], is_error=one.outcome is Outcome.FAILED)


def _apply(finding: Finding, ask: Callable[[str], bool] | None) -> Mended:
    mend = finding.mend
    assert mend is not None
    if mend.needs_consent:
        if ask is None:
            return Mended(finding.subject, mend.does, Outcome.NOT_ASKED)
        if not ask(f"{finding.subject}: {finding.found}. Run `{mend.does}`?"):
            return Mended(finding.subject, mend.does, Outcome.DECLINED)
    try:
        mend.act()
    except (OSError, CaptchadError, subprocess.CalledProcessError) as error:
        return Mended(finding.subject, mend.does, Outcome.FAILED, _describe(error))
    return Mended(finding.subject, mend.does, Outcome.DONE)


def _run(command: tuple[str, ...]) -> None:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, check=True)  # noqa: S603 - consented to


def _describe(error: Exception) -> str:
    if isinstance(error, subprocess.CalledProcessError):
        return f"exit code {error.returncode}"
    if isinstance(error, OSError):
        return (error.strerror or str(error)).lower()
    return str(error)
