"""`captchad restore`: a backup put back into an empty installation, or in place of one."""

from pathlib import Path

import click

from captchad.broker.audit_log import AuditLog
from captchad.broker.backup.restore_mark import locked_for_restore
from captchad.broker.leases import find_presence_lease_seconds
from captchad.cli.broker_connection import open_broker_at_rest, run_connected
from captchad.cli.options import config_option, json_option, load
from captchad.cli.passphrase import ask_passphrase, passphrase_file_option
from captchad.cli.printing import print_json, say
from captchad.cli.progress import count_progress
from captchad.cli.state_folder import find_state_directory
from captchad.config.loader import LoadedConfiguration
from captchad.deployment.backup.restoring import RestoredBackup, RestoreOrder, check_ready, restore_backup
from captchad.deployment.backup.verifying import Verified, verify
from captchad.deployment.ownership import handed_over
from captchad.operations.audited import audited

CONFIGURATION_NAME = "distributed.json"
KEYS_SHOWN = 5


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--replace", "is_replacing", is_flag=True, help="Delete the installation that is there; no role may run.")
@passphrase_file_option
@config_option
@json_option
def restore(
    file: Path, is_replacing: bool, passphrase_file: Path | None, config_path: str | None, is_json: bool
) -> None:
    """Put the backup FILE back, and check that all of it is there.

    A host that has nothing but the first API key of its deploy counts as empty; the backup's keys take its place.

    The Redis is the configured one, else the private one of `captchad up`, which must not run. Results and deadlines
    expire when they would have; tasks that were running are queued again.
    """
    backup = verify(file)
    loaded = load(config_path)
    state_directory = find_state_directory(loaded.path)
    order = RestoreOrder(
        state_directory=state_directory,
        configuration=loaded.path or state_directory / CONFIGURATION_NAME,
        is_replacing=is_replacing,
        passphrase=ask_passphrase(passphrase_file) if backup.manifest.has_secrets else None,
        lease_seconds=find_presence_lease_seconds(loaded.configuration.scheduler),
    )
    with handed_over(state_directory):
        restored = run_connected(_restore(loaded, order, backup))
    if is_json:
        print_json(
            {
                "kept": dict(restored.kept),
                "expired": dict(restored.expired),
                "deleted": restored.deleted,
                "files": restored.files,
                "beside": [str(path) for path in restored.beside],
                "lost_api_keys": list(restored.lost_api_keys),
                "api_keys": restored.api_keys,
            }
        )
        return
    _print(restored, backup, has_passphrase=order.passphrase is not None)


async def _restore(loaded: LoadedConfiguration, order: RestoreOrder, backup: Verified) -> RestoredBackup:
    # The lock comes before the log, to which a refused restore would add in the middle of the other.
    async with open_broker_at_rest(loaded, order.state_directory) as broker, locked_for_restore(broker):
        log = AuditLog(broker, loaded.configuration.security.audit_log)
        replaced = await log.read_chain()
        async with audited(broker, loaded.configuration, "restore", file=str(backup.path)) as act:
            await check_ready(order, backup, broker)
            with count_progress("restore", backup.counts.total()) as report:
                restored = await restore_backup(order, backup, broker, report)
            if replaced is not None:
                # The log that was there is gone with the rest; this says how far it went.
                act.object |= {"replaced_log": {"sequence": replaced.head.sequence, "link": replaced.head.link}}
            return restored


def _print(restored: RestoredBackup, backup: Verified, *, has_passphrase: bool) -> None:
    say(
        f"restored and found to be there: {restored.kept['task']} tasks, {restored.kept['dead']} dead letters, "
        f"{restored.kept.total()} entries, {restored.files} files"
    )
    if restored.expired.total():
        say(f"{restored.expired.total()} entries of the backup have expired meanwhile")
    if restored.deleted:
        say(f"{restored.deleted} keys that were in Redis before are deleted")
    if restored.lost_api_keys:
        say(_describe_keys(restored), is_error=True)
    for path in restored.beside:
        say(f"{path} is the backup's (mode 0600); the one in use beside it stays", is_error=True)
    if restored.beside:
        say("these may hold secrets: take over what you need, then `captchad deploy`, and delete them", is_error=True)
    if backup.manifest.has_secrets and not has_passphrase:
        say("the backup's secrets stay sealed: no passphrase was given", is_error=True)


def _describe_keys(restored: RestoredBackup) -> str:
    lost = restored.lost_api_keys
    more = f" and {len(lost) - KEYS_SHOWN} more" if len(lost) > KEYS_SHOWN else ""
    now = f"the backup's {restored.api_keys} are valid now" if restored.api_keys else "the backup has none"
    return f"API keys of before that are gone: {', '.join(lost[:KEYS_SHOWN])}{more}; {now} (`captchad keys list`)"
