"""`captchad audit-log`: who did what, and whether somebody has tampered with that."""

import sys
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import IO, Any

import click
import orjson

from captchad.broker.audit_log import AuditLog
from captchad.broker.connection import Broker
from captchad.cli.broker_connection import open_broker, run_connected
from captchad.cli.command_group import CommandGroup
from captchad.cli.options import config_option, json_option, load
from captchad.cli.printing import print_json, print_table, say, show_time, written_out
from captchad.config.loader import LoadedConfiguration
from captchad.domain.audit import AuditEntry, Chain, Fault, Mark, find_faults
from captchad.domain.audit_export import compare_with_export, read_export, write_line
from captchad.domain.errors import CaptchadError
from captchad.domain.exit_codes import EXIT_FAILED

DEFAULT_LIMIT = 50
_HEADINGS = ("NO", "AT", "WHO", "ADDRESS", "ACTION", "OUTCOME", "OBJECT")


@click.group("audit-log", cls=CommandGroup)
def audit_log() -> None:
    """Show who did what, check that nobody has tampered with it, or export it."""


@audit_log.command()
@click.option(
    "--limit", type=click.IntRange(min=1), default=DEFAULT_LIMIT, show_default=True, metavar="N", help="Most entries."
)
@click.option("--action", metavar="NAME", help="Only this action, such as submit_task or keys_create.")
@click.option("--key", "key_id", metavar="ID", help="Only what was done with this API key.")
@click.option("--refused", "is_refused", is_flag=True, help="Only what was refused or failed.")
@config_option
@json_option
def show(
    limit: int, action: str | None, key_id: str | None, is_refused: bool, config_path: str | None, is_json: bool
) -> None:
    """Show the newest entries, the newest last."""

    def is_wanted(act: dict[str, Any]) -> bool:
        return (
            action in (None, act.get("action"))
            and key_id in (None, act.get("key_id"))
            and not (is_refused and act.get("outcome") == "done")
        )

    entries = run_connected(_read(load(config_path), limit, is_wanted))
    if is_json:
        print_json([_represent(entry) for entry in entries])
        return
    rows = (_describe(entry) for entry in entries)
    print_table(_HEADINGS, rows, "the audit log has no such entry", whole=("NO", "AT"))


@audit_log.command()
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@config_option
@json_option
@click.pass_context
def verify(ctx: click.Context, /, file: Path | None, config_path: str | None, is_json: bool) -> None:
    """Check every entry's hash, and name what was changed, removed, reordered or added; exit 1 if anything was.

    With FILE, an earlier export, also whether what was exported then still stands: whoever can write to Redis could
    make a whole new chain there, but not in the file.
    """
    with file.open("rb") if file is not None else nullcontext() as stream:
        count, faults, chain = run_connected(_verify(load(config_path), stream))
    head = chain.head if chain is not None else Mark(0, "")
    if is_json:
        print_json(
            {
                "entries": count,
                "last": head.sequence,
                "link": head.link,
                "faults": [{"kind": one.kind, "entry": one.sequence, "message": one.message} for one in faults],
            }
        )
    else:
        for fault in faults:
            say(f"{fault.kind}: {fault.message}", is_error=True)
        if not faults and chain is None:
            say("the log is empty; whether it ever had an entry, only an export can tell: verify FILE")
        elif not faults:
            say(f"{count} entries, whole; the last is {head.sequence}, {head.link or 'none'}")
    ctx.exit(EXIT_FAILED if faults else 0)


@audit_log.command()
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
@config_option
def export(file: Path | None, config_path: str | None) -> None:
    """Write every entry as a line of JSON to FILE, or to the standard output; `verify FILE` reads it."""
    count = run_connected(_export(load(config_path), file))
    if file is not None:
        say(f"{file} has {count} entries")


async def _read(
    loaded: LoadedConfiguration, limit: int, is_wanted: Callable[[dict[str, Any]], bool]
) -> list[AuditEntry]:
    async with open_broker(loaded) as broker:
        newest: deque[AuditEntry] = deque(maxlen=limit)
        async for entry in _open(broker, loaded).read():
            if is_wanted(_read_act(entry)):
                newest.append(entry)
    return list(newest)


async def _verify(loaded: LoadedConfiguration, export: IO[bytes] | None) -> tuple[int, list[Fault], Chain | None]:
    async with open_broker(loaded) as broker:
        log = _open(broker, loaded)
        entries, chain = await log.read_whole()
        kept_since_ms = await log.find_kept_since_ms()
    faults = list(find_faults(entries, chain)) if chain is not None else list(_miss_chain(entries))
    if export is not None:
        faults += compare_with_export(read_export(export), entries, chain, kept_since_ms)
    return len(entries), faults, chain


def _miss_chain(entries: list[AuditEntry]) -> Iterator[Fault]:
    if entries:
        yield Fault("removed", 0, "what says where the chain begins and ends is gone")


async def _export(loaded: LoadedConfiguration, file: Path | None) -> int:
    async with open_broker(loaded) as broker:
        entries, chain = await _open(broker, loaded).read_whole()
    previous = chain.anchor.link if chain is not None else ""
    with _open_file(file) as stream:
        for entry in entries:
            stream.write(write_line(entry, previous))
            previous = entry.link
    return len(entries)


@contextmanager
def _open_file(file: Path | None) -> Iterator[IO[bytes]]:
    if file is None:
        with written_out():
            yield sys.stdout.buffer
            sys.stdout.buffer.flush()
        return
    try:
        with file.open("xb") as stream:
            yield stream
    except FileExistsError:
        raise CaptchadError(f"{file} is there already; give another name") from None
    except OSError as error:
        raise CaptchadError(f"{file} can't be written: {error.strerror}") from None


def _open(broker: Broker, loaded: LoadedConfiguration) -> AuditLog:
    return AuditLog(broker, loaded.configuration.security.audit_log)


def _read_act(entry: AuditEntry) -> dict[str, Any]:
    try:
        act = orjson.loads(entry.act)
    except orjson.JSONDecodeError:
        return {}
    return act if isinstance(act, dict) else {}


def _represent(entry: AuditEntry) -> dict[str, Any]:
    return {"number": entry.sequence, "at": show_time(entry.at_ms), **_read_act(entry)}


def _describe(entry: AuditEntry) -> tuple[object, ...]:
    act = _read_act(entry)
    who = act.get("key_id") or act.get("actor") or "no key"
    times = f" ×{act['count']}" if "count" in act else ""
    outcome = f"{act.get('outcome', '-')}{times}"
    what = " ".join(f"{name}={_join(value)}" for name, value in (act.get("object") or {}).items())
    return (entry.sequence, show_time(entry.at_ms), who, act.get("address"), act.get("action"), outcome, what)


def _join(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
