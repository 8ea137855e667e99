"""`captchad backup` and `captchad restore` as an operator uses them."""

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest
import redis

from captchad.broker.api_keys import FIRST_KEY
from captchad.broker.backup.restore_mark import RestoreState, locked_for_restore
from captchad.broker.redis_keys import RESTORING
from captchad.deployment.backup.archive import ArchiveReader, ArchiveWriter
from captchad.domain.api_key import Scope
from tests.integration.cli.conftest import CAPTCHAD, Run
from tests.integration.protocol import Partition, completed
from tests.redis_server import RedisServer

PASSPHRASE = {"CAPTCHAD_BACKUP_PASSPHRASE": "a passphrase of ours"}


def state(environment: dict[str, str]) -> Path:
    return Path(environment["CAPTCHAD_STATE_DIRECTORY"])


async def test_a_backup_is_made_listed_checked_and_restored_elsewhere(
    captchad: Run, environment: dict[str, str], partition: Partition, own_redis: RedisServer
) -> None:
    first, second = await partition.submit(), await partition.submit()
    worker = partition.make_consumer()
    await worker.settle([completed(one) for one in await worker.take(1)])
    made = captchad("backup", "--json")
    assert made.returncode == 0, made.stderr
    path = Path(json.loads(made.stdout)["path"])
    assert path.parent == state(environment) / "backups"
    assert oct(os.stat(path).st_mode)[-3:] == "600"  # noqa: PTH116
    assert "whole" in captchad("backup", "list").stdout
    assert json.loads(captchad("backup", "verify", str(path), "--json").stdout)["tasks"] == 2
    restored = captchad("restore", str(path), "--json", REDIS_URL=own_redis.url)
    assert restored.returncode == 0, restored.stderr
    assert json.loads(restored.stdout)["kept"]["task"] == 2
    with redis.Redis(port=own_redis.port) as client:
        states = [client.hget(f"captchad:{{p00}}:task:{task_id}", "status") for task_id in (first, second)]
    assert states == [b"completed", b"pending"]


def test_an_installation_is_replaced_only_when_asked(captchad: Run, tmp_path: Path) -> None:
    captchad("keys", "create", "before")
    file = tmp_path / "one.backup"
    assert captchad("backup", str(file)).returncode == 0
    captchad("keys", "create", "after")
    refused = captchad("restore", str(file))
    assert (refused.returncode, refused.stderr) == (
        1,
        "captchad: there is an installation in Redis already; --replace deletes it first\n",
    )
    assert captchad("restore", str(file), "--replace").returncode == 0
    assert [key["name"] for key in json.loads(captchad("keys", "list", "--json").stdout)] == ["before"]
    again = captchad("backup", str(file))
    assert (again.returncode, again.stderr) == (1, f"captchad: {file} is there already; name another file\n")


def test_a_host_with_nothing_but_the_first_key_of_its_deploy_takes_a_backup_and_its_keys(
    captchad: Run, own_redis: RedisServer, tmp_path: Path
) -> None:
    file, there = tmp_path / "one.backup", {"REDIS_URL": own_redis.url}
    captchad("keys", "create", "ours")
    assert captchad("backup", str(file)).returncode == 0
    every_scope = [word for scope in Scope for word in ("--scope", scope)]
    captchad("keys", "create", FIRST_KEY, *every_scope, **there)
    restored = captchad("restore", str(file), **there)
    assert (restored.returncode, restored.stderr) == (
        0,
        f"API keys of before that are gone: {FIRST_KEY}; the backup's 1 are valid now (`captchad keys list`)\n",
    )
    assert [key["name"] for key in json.loads(captchad("keys", "list", "--json", **there).stdout)] == ["ours"]
    # Now it is an installation.
    assert captchad("restore", str(file), **there).returncode == 1


def test_roles_that_are_at_work_are_named(captchad: Run, gateway: str, tmp_path: Path) -> None:
    file = tmp_path / "one.backup"
    assert captchad("backup", str(file)).returncode == 0
    refused = captchad("restore", str(file), "--replace")
    assert (refused.returncode, refused.stderr) == (1, "captchad: roles are at work: gateway-1; stop them first\n")


def test_damaged_archives_change_nothing(captchad: Run, tmp_path: Path) -> None:
    captchad("keys", "create", "before")
    file = tmp_path / "one.backup"
    assert captchad("backup", str(file)).returncode == 0
    whole = file.read_bytes()
    for name, content in {"cut off": whole[:-1], "damaged": whole[:100] + b"\0" + whole[101:]}.items():
        file.write_bytes(content)
        refused = captchad("restore", str(file), "--replace")
        assert refused.returncode == 1
        assert name in refused.stderr
    assert "before" in captchad("keys", "list").stdout


def test_secrets_are_kept_under_a_passphrase_alone(captchad: Run, environment: dict[str, str], tmp_path: Path) -> None:
    file, configuration = tmp_path / "one.backup", Path(environment["DISTRIBUTED_CONFIG_PATH"])
    tree = json.loads(configuration.read_text()) | {"browser": {"node_secret": "the-secret"}}
    configuration.write_text(json.dumps(tree))
    state(environment).mkdir()
    (state(environment) / "session.key").write_text("the-session-key-of-this-state-folder\n")
    beside = configuration.with_name("secrets.json")
    beside.write_text('{"security": {"session_key": "the-session-key-of-the-secrets-beside-it-all"}}')
    bare = captchad("backup", str(file))
    named = ("browser.node_secret", str(beside), str(state(environment) / "session.key"))
    assert all(name in bare.stderr for name in named)
    refused = captchad("backup", str(tmp_path / "none"), "--with-secrets")
    assert refused.returncode == 2
    assert "CAPTCHAD_BACKUP_PASSPHRASE" in refused.stderr
    sealed = tmp_path / "sealed.backup"
    assert captchad("backup", str(sealed), "--with-secrets", **PASSPHRASE).returncode == 0
    assert b"the-session-key" not in sealed.read_bytes()
    for command in (("restore", str(sealed), "--replace"), ("backup", "verify", str(sealed))):
        wrong = captchad(*command, CAPTCHAD_BACKUP_PASSPHRASE="another one")
        assert (wrong.returncode, "passphrase" in wrong.stderr) == (1, True)
    (tmp_path / "passphrase").write_text(f"{PASSPHRASE['CAPTCHAD_BACKUP_PASSPHRASE']}\n")
    verified = captchad("backup", "verify", str(sealed), "--json", "--passphrase-file", str(tmp_path / "passphrase"))
    assert "configuration/secrets.json" in json.loads(verified.stdout)["secrets_opened"]
    assert json.loads(captchad("backup", "verify", str(sealed), "--json").stdout)["secrets_opened"] is None
    elsewhere = {"CAPTCHAD_STATE_DIRECTORY": str(tmp_path / "elsewhere"), **PASSPHRASE}
    configuration.write_text("{}")
    beside.unlink()
    there = captchad("restore", str(sealed), "--replace", **elsewhere)
    assert there.returncode == 0, there.stderr
    assert (tmp_path / "elsewhere/session.key").read_text() == "the-session-key-of-this-state-folder\n"
    aside = configuration.with_name(f"{configuration.name}.restored")
    assert json.loads(aside.read_text()) == tree
    assert aside.stat().st_mode & 0o777 == 0o600
    assert f"{aside} is the backup's (mode 0600); the one in use beside it stays\n" in there.stderr
    assert "take over what you need, then `captchad deploy`, and delete them" in there.stderr
    assert configuration.read_text() == "{}"
    assert "the-session-key-of-the-secrets" in beside.read_text()


def test_labels_and_models_of_the_state_folder_come_back(
    captchad: Run, environment: dict[str, str], tmp_path: Path
) -> None:
    kept = {"labels/captcha.example/a.label": b"\0\xff" * 300_000, "models/m.onnx": b"", "learning/h.json": b"{}"}
    for name, content in {**kept, "redis/appendonly": b"x", "logs/worker.log": b"x"}.items():
        (state(environment) / name).parent.mkdir(parents=True, exist_ok=True)
        (state(environment) / name).write_bytes(content)
    file = tmp_path / "one.backup"
    assert captchad("backup", str(file)).returncode == 0
    there = tmp_path / "elsewhere"
    restored = captchad("restore", str(file), "--replace", CAPTCHAD_STATE_DIRECTORY=str(there))
    assert restored.returncode == 0, restored.stderr
    found = {str(path.relative_to(there)): path.read_bytes() for path in there.rglob("*") if path.is_file()}
    assert found == kept


def test_nothing_is_deleted_for_a_backup_that_can_not_be_read_or_a_link_in_its_way(
    captchad: Run, environment: dict[str, str], tmp_path: Path
) -> None:
    label, secret = state(environment) / "labels/captcha.example/a.label", tmp_path / "secret"
    label.parent.mkdir(parents=True)
    label.write_bytes(b"a label")
    secret.write_text("root's")
    captchad("keys", "create", "before")
    good, later = tmp_path / "one.backup", tmp_path / "later.backup"
    assert captchad("backup", str(good)).returncode == 0
    with good.open("rb") as stream:
        rows = list(ArchiveReader(stream).read())
    with later.open("wb") as stream:
        writer = ArchiveWriter(stream)
        for row in (*rows, (b"novelty", b"1")):
            writer.write(row)
        writer.finish()
    for command in (("restore", str(later), "--replace"), ("backup", "verify", str(later))):
        refused = captchad(*command)
        assert (refused.returncode, "made by a later release" in refused.stderr) == (1, True)
    label.unlink()
    label.symlink_to(secret)
    refused = captchad("restore", str(good), "--replace")
    assert (refused.returncode, f"{label} is a link" in refused.stderr) == (1, True)
    assert "before" in captchad("keys", "list").stdout
    assert secret.read_text() == "root's"
    made = captchad("backup", str(tmp_path / "two.backup"))
    assert (made.returncode, f"{label} is not in the backup: it is a link" in made.stderr) == (0, True)


async def test_a_second_restore_is_refused_and_a_broken_off_one_is_named(
    captchad: Run, partition: Partition, tmp_path: Path
) -> None:
    file = str(tmp_path / "one.backup")
    assert captchad("backup", file).returncode == 0
    async with locked_for_restore(partition.broker):
        refused = captchad("restore", file, "--replace")
    assert (refused.returncode, refused.stderr) == (
        1,
        "captchad: another restore into this Redis is at work; if it was killed, try again in 15 s\n",
    )
    await partition.broker.client.set(RESTORING, await partition.broker.time_ms())
    captchad("keys", "create", "later")
    assert RestoreState.BROKEN_OFF in captchad("health").stdout
    assert RestoreState.BROKEN_OFF in captchad("backup").stderr
    refused = captchad("restore", file)
    assert (refused.returncode, "was broken off, and it was used since" in refused.stderr) == (1, True)
    assert "later" in captchad("keys", "list").stdout


def test_the_newest_are_kept(captchad: Run, environment: dict[str, str]) -> None:
    paths = [json.loads(captchad("backup", "--keep", "2", "--json").stdout)["path"] for _ in range(4)]
    assert sorted(map(str, (state(environment) / "backups").iterdir())) == paths[2:]
    assert captchad("backup", "file", "--keep", "2").returncode == 2


def kill_backup(environment: dict[str, str], folder: Path, bytes_written: int) -> None:
    """Make a backup, and kill it once its file has so many bytes."""
    with subprocess.Popen([*CAPTCHAD, "backup"], env=environment) as process:
        while process.poll() is None:
            sizes = [path.stat().st_size for path in folder.glob(".unfinished-*")] if folder.exists() else []
            if sizes and max(sizes) >= bytes_written:
                process.send_signal(signal.SIGKILL)
                return


@pytest.mark.parametrize("bytes_written", [0, 20_000, 200_000])
async def test_a_killed_backup_leaves_nothing_that_looks_whole(
    captchad: Run, environment: dict[str, str], partition: Partition, bytes_written: int
) -> None:
    for _ in range(60):
        await partition.submit(picture=os.urandom(10_000))
    folder = state(environment) / "backups"
    kill_backup(environment, folder, bytes_written)
    for path in folder.glob("captchad-*"):
        assert captchad("backup", "verify", str(path)).returncode == 0
    assert captchad("backup").returncode == 0
    assert list(folder.glob(".unfinished-*")) == []
