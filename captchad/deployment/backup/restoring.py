"""Restores a backup into an installation that is empty, or that it replaces, while none of its roles run."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from captchad.broker.api_keys import ApiKeys
from captchad.broker.backup.emptying import is_empty
from captchad.broker.backup.entries import KINDS, decode_entry
from captchad.broker.backup.restore_mark import read_mark_ms
from captchad.broker.backup.restoring import Restoration
from captchad.broker.connection import Broker
from captchad.broker.nodes import NodeRegistry
from captchad.deployment.backup.archive import ArchiveReader, Row
from captchad.deployment.backup.file_names import CONFIGURATION
from captchad.deployment.backup.file_restorer import FileRestorer
from captchad.deployment.backup.host_files import Chunk
from captchad.deployment.backup.manifest import FILE, SEALED
from captchad.deployment.backup.sealed_files import open_sealer
from captchad.deployment.backup.sealing import Sealer
from captchad.deployment.backup.verifying import Verified
from captchad.domain.errors import BackupRefused


@dataclass(frozen=True, slots=True)
class RestoreOrder:
    """What is wanted; without a passphrase, the backup's secrets stay sealed, and nothing is done with them."""

    state_directory: Path
    configuration: Path
    is_replacing: bool
    passphrase: str | None
    lease_seconds: float


@dataclass(frozen=True, slots=True)
class RestoredBackup:
    """What was put back and found to be there, by kind, and what had expired meanwhile.

    `deleted` keys were in Redis before; `beside` are files that were laid beside others which stay in use;
    `lost_api_keys` are the names of API keys that were there before and are not in the backup, which has `api_keys`;
    neither counts those that were revoked.
    """

    kept: Counter[str]
    expired: Counter[str]
    deleted: int
    files: int
    beside: tuple[Path, ...]
    lost_api_keys: tuple[str, ...]
    api_keys: int


async def check_ready(order: RestoreOrder, backup: Verified, broker: Broker) -> None:
    """Raise BackupRefused where a backup must not be restored into this Redis now."""
    partitions = len(broker.partitions)
    if backup.manifest.partitions > partitions:
        raise BackupRefused(
            f"the backup has {backup.manifest.partitions} partitions, and redis.partitions is {partitions}; "
            f"set it to {backup.manifest.partitions} or more"
        )
    alive = await NodeRegistry(broker).alive_consumers(order.lease_seconds)
    if alive:
        names = ", ".join(sorted(consumer.rpartition(".")[0] or consumer for consumer in alive))
        raise BackupRefused(f"roles are at work: {names}; stop them first")
    if not order.is_replacing and not await is_empty(broker):
        if await read_mark_ms(broker) is not None:
            raise BackupRefused(
                "a restore into this Redis was broken off, and it was used since; --replace deletes all of it first"
            )
        raise BackupRefused("there is an installation in Redis already; --replace deletes it first")


async def restore_backup(
    order: RestoreOrder, backup: Verified, broker: Broker, report: Callable[[int], None]
) -> RestoredBackup:
    """Restore a backup that is whole. Broken off, it is begun anew by the next restore. `report`: entries so far."""
    await check_ready(order, backup, broker)
    # Nothing is begun with a wrong passphrase.
    is_opened = backup.manifest.has_secrets and order.passphrase is not None
    sealer = open_sealer(backup.path, order.passphrase or "") if is_opened else None
    restoration = Restoration(broker)
    files = FileRestorer(order.state_directory, order.configuration, order.is_replacing)
    for name in backup.files:
        files.check(name)
    keys = ApiKeys(broker)
    before = await keys.list_all()
    deleted = await restoration.begin()
    done = 0
    with backup.path.open("rb") as stream:
        for row in ArchiveReader(stream).read():
            if row[0] in KINDS:
                await restoration.put(decode_entry(row))
            else:
                _put_file(row, files, sealer)
            done += 1
            report(done)
    files.finish()
    restored = await restoration.finish()
    after = {key.key_id: key for key in await keys.list_all()}
    return RestoredBackup(
        restored.kept,
        restored.expired,
        deleted,
        files.written,
        tuple(files.beside),
        lost_api_keys=tuple(key.name for key in before if key.revoked_ms is None and key.key_id not in after),
        api_keys=sum(key.revoked_ms is None for key in after.values()),
    )


def _put_file(row: Row, files: FileRestorer, sealer: Sealer | None) -> None:
    if row[0] == FILE:
        _, name, offset, content = row
        # Where the whole configuration comes too, the one without its secrets is not needed.
        if sealer is None or not name.decode().startswith(f"{CONFIGURATION}/"):
            files.put(Chunk(name.decode(), int(offset), content))
    elif row[0] == SEALED and sealer is not None:
        _, name, sealed = row
        files.put(Chunk(name.decode(), 0, sealer.open(name.decode(), sealed)))
