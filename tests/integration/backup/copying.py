"""What tests of backups do: an installation copied through an archive in memory into another Redis."""

from io import BytesIO
from typing import Any

from captchad.broker.backup.entries import decode_entry, encode_entry
from captchad.broker.backup.reading import InstallationReader
from captchad.broker.backup.restoring import Restoration, Restored
from captchad.broker.connection import Broker
from captchad.config.settings import RedisSection
from captchad.deployment.backup.archive import ArchiveReader, ArchiveWriter


async def back_up(broker: Broker, hosts: tuple[str, ...] = (), with_evidence: bool = True) -> bytes:
    """Return the archive of an installation."""
    stream = BytesIO()
    writer = ArchiveWriter(stream)
    async for entry in InstallationReader(broker, hosts, with_evidence).read():
        writer.write(encode_entry(entry))
    writer.finish()
    return stream.getvalue()


async def restore(broker: Broker, archive: bytes) -> Restored:
    """Put an archive's entries into a Redis, in place of all that is there."""
    restoration = Restoration(broker)
    await restoration.begin()
    for row in ArchiveReader(BytesIO(archive)).read():
        await restoration.put(decode_entry(row))
    return await restoration.finish()


async def open_broker(url: str, partitions: int = 1) -> Broker:
    broker = Broker(RedisSection(partitions=partitions), "test", url_override=url)
    await broker.start()
    return broker


async def dump(broker: Broker) -> dict[str, Any]:
    """Return every key of a Redis with its value, and how long it lives in seconds."""
    client, found = broker.client, {}
    for key in sorted(await client.keys("*")):
        read = {
            b"string": client.get,
            b"hash": client.hgetall,
            b"set": client.smembers,
            b"zset": lambda key: client.zrange(key, 0, -1, withscores=True),
            b"stream": client.xrange,
        }[await client.type(key)]
        found[key.decode()] = (await read(key), round(max(-1, await client.pttl(key)) / 10_000))
    return found
