"""No API key, cookie, header, typed value or password is in any byte that an installation stores, logs or shows.

One round by default; `make prove-secrets` makes more, and kills worker and scheduler in each while a page is open.
"""

import base64
import gzip
import os
import zlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.system.secrets_proof.places import read_files, read_pages, read_processes, read_redis
from tests.system.secrets_proof.production import Production, run_production
from tests.system.secrets_proof.searching import Hit, Search
from tests.system.secrets_proof.visits import (
    PUBLIC,
    Caller,
    fail,
    find,
    log_in,
    misconfigure,
    misplace,
    open_page,
    send_pictures,
)

ROUNDS = int(os.environ.get("CAPTCHAD_PROOF_SECRET_ROUNDS", "1"))
LIMIT_SECONDS = 600 * ROUNDS
SECRET = "a /+ü&= secret"
WHERE_METADATA_IS = (
    "Redis key",
    "MONITOR of Redis",
    ".aof",
    "plain.backup, unpacked",
    "sealed.backup, unpacked",
    "/tasks",
)


@pytest.mark.parametrize("neighbours", ["", "x", "xy"])
def test_the_search_sees_through_codings_and_compression(neighbours: str) -> None:
    text = f"{neighbours}{SECRET}{neighbours}"
    coded = [base64.b64encode(text.encode()), text.encode().hex().encode(), text.encode()]
    wrapped = [*coded, *map(zlib.compress, coded), gzip.compress(b"\0" * 99 + zlib.compress(coded[0]))]
    for content in wrapped:
        assert list(Search({"it": SECRET}).find("there", b"before" + content + b"after")), content
    assert not list(Search({"it": SECRET}).find("there", base64.b64encode(text.replace("a", "b").encode())))


@pytest.mark.timeout(LIMIT_SECONDS)
async def test_no_secret_is_anywhere_in_clear(tmp_path: Path) -> None:
    for number in range(ROUNDS):
        folder = tmp_path / str(number)
        folder.mkdir()
        async with run_production(folder) as production:
            task_id = await live(production)
            if ROUNDS > 1:
                await die(production)
            await look(production, task_id)


async def live(production: Production) -> str:
    """Do everything with secrets in it that callers and operators do; return a task that was solved."""
    caller = Caller(production, production.secrets.keys["caller --target"])
    await production.run("keys", "revoke", "former")
    task_id = await log_in(caller)
    await production.make_key("caller", "rotate")
    [letter, *_] = await fail(caller)
    caller.key = production.secrets.keys["caller rotate"]
    await send_pictures(caller)
    await misplace(caller)
    await misconfigure(production)
    folder = production.fleet.folder
    await production.run("audit-log", "export", str(folder / "audit.jsonl"))
    await production.run("backup", str(folder / "plain.backup"), "--with-evidence")
    passphrase = ("--passphrase-file", str(folder / "passphrase"))
    await production.run("backup", str(folder / "sealed.backup"), "--with-evidence", "--with-secrets", *passphrase)
    shown = [await production.run("config", "show"), await production.run("dead", "show", letter)]
    (folder / "shown").write_bytes(b"".join(shown))
    return task_id


async def die(production: Production) -> None:
    """Kill worker and scheduler while a page is open, and have others go on."""
    async with open_page(Caller(production, production.secrets.keys["caller rotate"]), retry_count=1):
        for name in ("worker", "scheduler"):
            find(production, name)[0].kill()
            await production.fleet.start_ready(name)


async def look(production: Production, task_id: str) -> None:
    """Search everything while a page is open; what is no secret must be found by the same search."""
    async with open_page(Caller(production, production.secrets.keys["caller rotate"])):
        places = [found async for found in read_everything(production)]
    search, control = Search(production.secrets.by_name), Search({"metadata": PUBLIC, "task": task_id})
    hits = [hit for place, content in places for hit in search.find(place, content)]
    [monitor] = find(production, "monitor")
    assert hits == [Hit(f"environ of {monitor.process.pid}", "redis_password", "as it is")]
    seen = {(hit.place, hit.secret) for place, content in places for hit in control.find(place, content)}
    for kind in WHERE_METADATA_IS:
        assert any(kind in place for place, what in seen if what == "metadata"), kind
    assert any("worker" in place and place.endswith(".log") for place, what in seen if what == "task")
    print(f"{len(places)} places, {sum(len(content) for _, content in places)} bytes searched")


async def read_everything(production: Production) -> AsyncIterator[tuple[str, bytes]]:
    """Yield all that could be read, by a name for each place."""
    async for place, content in read_redis(production.redis.port, production.secrets.redis_password):
        yield place, content
    async for place, content in read_pages(production.fleet):
        yield place, content
    for found in (production.wiretap.read(), read_files(production.given), read_processes()):
        for place, content in found:
            yield place, content
