"""Every key that Redis ever holds is listed in broker/redis_keys.py, with its type and its fate in a backup."""

import re

from captchad.broker import redis_keys as keys
from captchad.broker.backup.fates import FATES
from tests.integration.every_key import fill_every_key
from tests.integration.protocol import Partition

ENTRY = re.compile(r"^    (PREFIX|captchad):(\S+)\s+(stream|hash|zset|set|string|channel)\s", re.MULTILINE)


def read_listed() -> dict[str, str]:
    """Return each listed key as a regular expression, and its type."""
    listed = {}
    for start, rest, kind in ENTRY.findall(keys.__doc__ or ""):
        text = re.escape("captchad:{pNN}:" + rest if start == "PREFIX" else f"captchad:{rest}")
        text = text.replace(r"\{pNN\}", r"\{p[0-9a-f]{2}\}")
        text = re.sub(r"recovered\\\|high\\\|normal\\\|low", "(recovered|high|normal|low)", text)
        listed[re.sub(r"[A-Z]{2,}", "[^:]+", text)] = kind
    return listed


async def test_every_key_in_use_is_listed_with_its_type_and_life(partition: Partition, redis_url: str) -> None:
    broker = partition.broker
    await fill_every_key(partition, redis_url)
    listed = read_listed()
    met = set()
    for key in await broker.client.keys("*"):
        matching = [pattern for pattern in listed if re.fullmatch(pattern, key.decode())]
        assert matching, f"{key.decode()} is not listed in broker/redis_keys.py"
        assert (await broker.client.type(key)).decode() == listed[matching[0]]
        met |= set(matching)
    channels = {pattern for pattern, kind in listed.items() if kind == "channel"}
    assert set(listed) - channels == met


def test_every_key_has_its_fate_in_a_backup() -> None:
    listed = {f"{start}:{name}" for start, name, kind in ENTRY.findall(keys.__doc__ or "") if kind != "channel"}
    assert listed == FATES.keys()
