"""`captchad logs`: the services' logs, from systemd's journal or from the state folder of `captchad up`."""

import asyncio
import os
import subprocess
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import click

from captchad.cli.printing import say
from captchad.config.state import resolve_state_directory
from captchad.deployment.local_plan import LOGS
from captchad.deployment.log_search import (
    LEVELS,
    LogChoice,
    LogRecord,
    parse_since,
    read_journal_line,
    read_record,
)
from captchad.deployment.systemd import host, systemctl
from captchad.deployment.systemd.service_names import own_name
from captchad.domain.errors import DeploymentFailed
from captchad.domain.node import Role
from captchad.runtime.clock import Clock

POLL_SECONDS = 0.3
MS = 1000
LINES_BY_DEFAULT = 200
LINES_LIMIT = 1_000_000
WORKER = Role.WORKER.value


@click.command()
@click.argument("service", required=False)
@click.option("-f", "--follow", "is_followed", is_flag=True, help="Go on with what is logged from now on.")
@click.option("--since", metavar="TIME", help="From then on: 2024-01-01T10:00:00, or 15m, 2h, 3d ago.")
@click.option("--level", type=click.Choice(LEVELS), default=LEVELS[0], help="Of this level or graver.")
@click.option("--task", "task_id", metavar="ID", default="", help="About this task alone.")
@click.option(
    "-n",
    "--lines",
    type=click.IntRange(1, LINES_LIMIT),
    metavar="N",
    help=f"The last N lines.  [default: {LINES_BY_DEFAULT}]",
)
def logs(
    service: str | None, is_followed: bool, since: str | None, level: str, task_id: str, lines: int | None
) -> None:
    """Show the logs of all services of this host, or of SERVICE; the level stands in capitals in each line."""
    now_seconds = Clock().now_ms() / MS
    try:
        since_seconds = parse_since(since, now_seconds) if since is not None else 0.0
    except ValueError:
        raise click.UsageError(
            f"--since: {since!r} is no time since 1970; write 2024-01-01T10:00:00, or 15m, 2h or 3d"
        ) from None
    choice = LogChoice(level, task_id, since_seconds)
    # All that was asked for by time, else the end.
    limit = lines or (None if since is not None or task_id else LINES_BY_DEFAULT)
    states = systemctl.read_units() if systemctl.is_running() else {}
    units = [name for name in states if name.endswith(".service")]
    if units:
        _show_journal(host.find_named(service, units) if service else tuple(units), choice, limit, is_followed)
    else:
        _show_files(service, choice, limit, is_followed)


def _show_journal(units: tuple[str, ...], choice: LogChoice, limit: int | None, is_followed: bool) -> None:
    bounds = [f"--since=@{choice.since_seconds:.0f}"] if choice.since_seconds else []
    if limit is not None and choice == LogChoice():
        # The last of all lines: the rest of the journal need not be read. With --since they would be the first ones.
        bounds = [f"--lines={limit}"]
    past = subprocess.run(  # noqa: S603 - journalctl, with units that were looked up
        systemctl.journal_command(units, bounds), capture_output=True, text=True, check=False
    )
    if past.returncode != 0:
        raise DeploymentFailed(f"the journal can't be read: {past.stderr.strip() or 'journalctl failed'}")
    _say_last((read_journal_line(line) for line in past.stdout.splitlines()), choice, limit)
    if not is_followed:
        return
    with subprocess.Popen(  # noqa: S603 - as above
        systemctl.journal_command(units, ["--follow", "--lines=0"]), stdout=subprocess.PIPE, text=True
    ) as journal:
        try:
            assert journal.stdout is not None
            for line in journal.stdout:
                _say(read_journal_line(line), choice)
        finally:
            journal.terminate()


def _show_files(service: str | None, choice: LogChoice, limit: int | None, is_followed: bool) -> None:
    folder = resolve_state_directory(os.environ) / LOGS
    files = sorted(folder.glob("*.log")) if folder.is_dir() else []
    if service is not None:
        files = [file for file in files if _is_log_of(file, own_name(service))]
    if not files:
        what = f"of {service!r} " if service else ""
        raise DeploymentFailed(f"there are no logs {what}in {folder}, and captchad is not deployed on this host")
    ends: dict[Path, int] = {}
    records = [record for file in files for record in _read_new(file, ends)]
    records.sort(key=lambda record: record.seconds)
    _say_last(iter(records), choice, limit)
    while is_followed:
        asyncio.run(Clock().sleep(POLL_SECONDS))
        for file in files:
            for record in _read_new(file, ends):
                _say(record, choice)


def _is_log_of(file: Path, service: str) -> bool:
    return file.stem == service or (service == WORKER and file.stem.startswith(f"{WORKER}-"))


def _read_new(file: Path, ends: dict[Path, int]) -> Iterator[LogRecord]:
    """Read what was added to a file since the last time; a file begun anew is read from its start."""
    with file.open("rb") as opened:
        size = opened.seek(0, os.SEEK_END)
        opened.seek(ends.get(file, 0) if size >= ends.get(file, 0) else 0)
        content = opened.read()
        whole = content[: content.rfind(b"\n") + 1]
        ends[file] = opened.tell() - (len(content) - len(whole))
    for line in whole.decode(errors="replace").splitlines():
        yield read_record(line, file.stem, file.stat().st_mtime)


def _say_last(records: Iterator[LogRecord | None], choice: LogChoice, limit: int | None) -> None:
    wanted = (record for record in records if record is not None and choice.wants(record))
    for record in deque(wanted, limit):
        _say(record, choice)


def _say(record: LogRecord | None, choice: LogChoice) -> None:
    if record is not None and choice.wants(record):
        for row in record.word().splitlines():
            say(row)
