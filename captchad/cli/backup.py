"""`captchad backup`: everything worth keeping of an installation in one file, while it runs."""

import os
from pathlib import Path
from typing import Any

import click

from captchad.broker.backup.reading import InstallationReader
from captchad.broker.backup.restore_mark import find_restore_state
from captchad.cli.broker_connection import open_broker_at_rest, run_connected
from captchad.cli.command_group import CommandGroup
from captchad.cli.options import config_option, json_option, load
from captchad.cli.passphrase import ask_new_passphrase, ask_passphrase, passphrase_file_option
from captchad.cli.printing import print_json, print_pairs, print_table, say, show_time
from captchad.cli.progress import count_progress
from captchad.cli.state_folder import find_state_directory
from captchad.config.loader import LoadedConfiguration, find_file
from captchad.deployment.backup.folder import keep_newest, list_backups
from captchad.deployment.backup.making import BackupOrder, MadeBackup, make_backup
from captchad.deployment.backup.sealed_files import open_secrets
from captchad.deployment.backup.verifying import Verified, verify
from captchad.deployment.ownership import handed_over
from captchad.domain.errors import BackupRefused
from captchad.domain.exit_codes import EXIT_FAILED
from captchad.operations.audited import audited

DEFAULT_COMMAND = "create"
LONGEST_KEPT = 10_000


class _BackupGroup(CommandGroup):
    """A group whose first word may be a file: then, and without any word, a backup is made."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        is_named = bool(args) and (args[0] in self.commands or args[0] in ctx.help_option_names)
        return super().parse_args(ctx, args if is_named else [DEFAULT_COMMAND, *args])


@click.group(cls=_BackupGroup)
def backup() -> None:
    """Make a backup of the installation, list those of this host, or check one.

    `captchad backup [FILE]` is `captchad backup create [FILE]`.
    """


@backup.command(DEFAULT_COMMAND)
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--with-evidence", is_flag=True, help="Also the pictures and screenshots of tasks that asked for evidence."
)
@click.option("--with-secrets", is_flag=True, help="Also the secrets, sealed with a passphrase that is asked for.")
@passphrase_file_option
@click.option(
    "--keep",
    type=click.IntRange(1, LONGEST_KEPT),
    metavar="N",
    help="Delete all but the N newest backups of the state folder afterwards.",
)
@config_option
@json_option
def create(
    file: Path | None,
    with_evidence: bool,
    with_secrets: bool,
    passphrase_file: Path | None,
    keep: int | None,
    config_path: str | None,
    is_json: bool,
) -> None:
    """Write a backup to FILE, or into the folder backups of the state folder; the roles go on meanwhile."""
    if keep is not None and file is not None:
        raise click.UsageError("--keep is for the state folder's backups; it does not go with FILE")
    if passphrase_file is not None and not with_secrets:
        raise click.UsageError("--passphrase-file goes with --with-secrets")
    loaded = load(config_path)
    state_directory = find_state_directory(loaded.path)
    order = BackupOrder(
        file=file.absolute() if file else None,
        state_directory=state_directory,
        configuration=loaded.path,
        partitions=loaded.configuration.redis.partitions,
        has_evidence=with_evidence,
        passphrase=ask_new_passphrase(passphrase_file) if with_secrets else None,
    )
    with handed_over(state_directory):
        made = run_connected(_make(loaded, order))
    deleted = keep_newest(state_directory, keep) if keep is not None else []
    if is_json:
        print_json({**_represent_made(made), "deleted": [str(path) for path in deleted]})
        return
    say(f"{made.path} has {_count(made)} tasks, {made.counts.total()} entries, {made.size_bytes} bytes")
    if made.left_out:
        say(f"left out (--with-secrets keeps them): {', '.join(made.left_out)}", is_error=True)
    for path in made.passed_over:
        say(f"{path} is not in the backup: it is a link or no file, and none is followed", is_error=True)
    for path in deleted:
        say(f"{path} is deleted")


@backup.command("list")
@json_option
@click.pass_context
def list_all(ctx: click.Context, /, is_json: bool) -> None:
    """Show the backups in the state folder, the oldest first; exit 1 if one of them is damaged."""
    state_directory = find_state_directory(find_file(None, os.environ))
    rows: list[dict[str, Any]] = []
    for path in list_backups(state_directory):
        try:
            rows.append(_represent(verify(path)))
        except BackupRefused as refused:
            rows.append({"path": str(path), "fault": refused.message})
    if is_json:
        print_json(rows)
    else:
        table = (
            (row["path"], row.get("created_at"), row.get("bytes"), row.get("tasks"), row.get("fault", "whole"))
            for row in rows
        )
        print_table(
            ("FILE", "MADE", "BYTES", "TASKS", "STATE"), table, "no backups; `captchad backup`", whole=("FILE",)
        )
    ctx.exit(EXIT_FAILED if any("fault" in row for row in rows) else 0)


@backup.command("verify")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@passphrase_file_option
@json_option
def check(file: Path, passphrase_file: Path | None, is_json: bool) -> None:
    """Read FILE to its end, and say whether it is whole and what is in it; its secrets, if the passphrase is given."""
    verified = verify(file)
    passphrase = ask_passphrase(passphrase_file) if verified.manifest.has_secrets else None
    found = _represent(verified)
    if verified.manifest.has_secrets:
        found["secrets_opened"] = None if passphrase is None else list(open_secrets(file, passphrase))
    if is_json:
        print_json(found)
    else:
        print_pairs((name.replace("_", " "), value) for name, value in found.items())


async def _make(loaded: LoadedConfiguration, order: BackupOrder) -> MadeBackup:
    hosts = [target.host for target in loaded.configuration.security.declared_targets()]
    async with open_broker_at_rest(loaded, order.state_directory) as broker:
        state = await find_restore_state(broker)
        if state is not None:
            say(state, is_error=True)
        reader = InstallationReader(broker, hosts, order.has_evidence)
        with count_progress("backup", await reader.count()) as report:
            async with audited(
                broker, loaded.configuration, "backup_create", secrets=order.passphrase is not None
            ) as act:
                made = await make_backup(order, reader, report)
                act.object |= {"file": str(made.path), "checksum": made.checksum}
                return made


def _count(made: MadeBackup | Verified) -> int:
    return made.counts["task"]


def _represent_made(made: MadeBackup) -> dict[str, Any]:
    return {
        "path": str(made.path),
        "bytes": made.size_bytes,
        "tasks": _count(made),
        "entries": dict(made.counts),
        "checksum": made.checksum,
        "left_out": list(made.left_out),
        "passed_over": [str(path) for path in made.passed_over],
    }


def _represent(found: Verified) -> dict[str, Any]:
    manifest = found.manifest
    return {
        "path": str(found.path),
        "created_at": show_time(manifest.created_ms),
        "version": manifest.version,
        "host": manifest.host,
        "partitions": manifest.partitions,
        "has_evidence": manifest.has_evidence,
        "has_secrets": manifest.has_secrets,
        "bytes": found.size_bytes,
        "tasks": _count(found),
        "entries": dict(found.counts),
        "checksum": found.checksum,
    }
