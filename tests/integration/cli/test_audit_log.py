"""`captchad audit-log`, and that every act of an operator is in it."""

import json
from pathlib import Path
from typing import Any

import orjson

from captchad.broker.audit_log import AuditLog
from captchad.broker.learned_models import LearnedModels
from captchad.broker.redis_keys import AUDIT_CHAIN, AUDIT_LOG
from captchad.config.settings import AuditLogSection, RecognitionSection
from captchad.domain.audit import Act
from captchad.domain.label import Verdict
from captchad.domain.learned_model import PACKAGED
from captchad.operations.audited import name_operator
from captchad.operations.labels.label_store import open_label_store
from captchad.runtime.clock import Clock
from captchad.sample_site.drawing import Artist
from tests.integration.cli.conftest import Run
from tests.integration.protocol import Partition, retryable
from tests.unit.operations.labels.test_label_store import make_label


def show(captchad: Run, *options: str) -> list[dict[str, Any]]:
    shown: list[dict[str, Any]] = json.loads(captchad("audit-log", "show", "--json", *options).stdout)
    return shown


async def test_what_operators_do_is_written_down(captchad: Run, partition: Partition, tmp_path: Path) -> None:
    letter = await partition.submit(retry_count=0)
    consumer = partition.make_consumer()
    await consumer.settle([retryable(delivery) for delivery in await consumer.take(1)])
    assert captchad("audit-log", "show").stdout == "the audit log has no such entry\n"
    created = json.loads(captchad("keys", "create", "ci", "--target", "localhost", "--json").stdout)
    rotated = json.loads(captchad("keys", "rotate", "ci", "--json").stdout)
    assert captchad("keys", "revoke", "ci").returncode == 0
    assert captchad("keys", "revoke", "ci").returncode == 1
    assert captchad("dead", "replay", letter).returncode == 0
    assert captchad("dead", "replay", "task_00none").returncode == 1
    assert captchad("callbacks", "replay", "task_00none").returncode == 1
    assert captchad("targets", "reopen", "localhost").returncode == 0
    file = tmp_path / "one.backup"
    assert captchad("backup", str(file)).returncode == 0
    entries = show(captchad)
    assert [(entry["action"], entry["outcome"]) for entry in entries] == [
        ("keys_create", "done"),
        ("keys_rotate", "done"),
        ("keys_revoke", "done"),
        ("keys_revoke", "key_not_found"),
        ("dead_replay", "done"),
        ("dead_replay", "task_not_found"),
        ("callback_replay", "task_not_found"),
        ("targets_reopen", "done"),
        ("backup_create", "done"),
    ]
    assert {entry["actor"] for entry in entries} == {name_operator()}
    assert entries[0]["object"] == {
        "key_id": created["id"],
        "name": "ci",
        "scopes": ["read", "submit"],
        "targets": ["localhost"],
    }
    assert entries[4]["object"]["task_id"] == letter
    assert [one["action"] for one in show(captchad, "--refused")] == ["keys_revoke", "dead_replay", "callback_replay"]
    stored = b"".join(b"".join(fields.values()) for _, fields in await partition.broker.client.xrange(AUDIT_LOG))
    for text in (created["key"], rotated["key"]):
        assert text.rpartition("_")[2].encode() not in stored
    # The backup has the log as it was then; the restore is an entry of the chain that goes on.
    assert captchad("restore", str(file), "--replace").returncode == 0
    (*before, restored) = show(captchad)
    assert [one["action"] for one in before] == [one["action"] for one in entries[:-1]]
    assert (restored["action"], restored["object"]["replaced_log"]["sequence"]) == ("restore", len(entries))
    whole = captchad("audit-log", "verify")
    assert (whole.returncode, whole.stdout.startswith(f"{len(entries)} entries, whole")) == (0, True), whole.stderr


async def test_what_is_done_to_labels_and_models_is_written_down(
    captchad: Run, environment: dict[str, str], partition: Partition, tmp_path: Path
) -> None:
    store = open_label_store(tmp_path / "state", RecognitionSection(), Clock())
    store.add(make_label(1, Clock().now_ms(), host="localhost", verdict=Verdict.RIGHT), Artist().draw("ab1"))
    folder = tmp_path / "exported"
    for arguments in (("export", "localhost", "--out", str(folder)), ("import", "localhost", str(folder))):
        ended = captchad("labels", *arguments)
        assert (ended.returncode, ended.stderr) == (0, "")
    assert captchad("labels", "delete", "localhost").stdout == "1 deleted\n"
    assert await LearnedModels(partition.broker).install("localhost", b"model", PACKAGED) is not None
    assert captchad("learn", "localhost", "--rollback").returncode == 0
    assert [(entry["action"], entry["object"].get("host")) for entry in show(captchad)] == [
        ("labels_import", "localhost"),
        ("labels_delete", "localhost"),
        ("model_roll_back", "localhost"),
    ]
    # The labels are files of this host, and are worked on without Redis too.
    gone = environment["REDIS_URL"].rpartition(":")[0] + ":1/0"
    ended = captchad("labels", "delete", "localhost", REDIS_URL=gone)
    assert (ended.returncode, ended.stdout) == (0, "0 deleted\n")
    assert ended.stderr.startswith("this is not in the audit log: ")


async def test_tampering_is_named_and_an_export_finds_a_new_chain(
    captchad: Run, partition: Partition, tmp_path: Path
) -> None:
    client, log, file = partition.broker.client, AuditLog(partition.broker, AuditLogSection()), tmp_path / "audit.jsonl"
    await log.append([Act(f"act{index}", object={"text": "\x1b[31m"}).encode() for index in range(4)])
    assert captchad("audit-log", "export", str(file)).stdout == f"{file} has 4 entries\n"
    assert captchad("audit-log", "export", str(file)).returncode == 1
    assert [orjson.loads(line)["number"] for line in captchad("audit-log", "export").stdout.splitlines()] == [
        1,
        2,
        3,
        4,
    ]
    assert "\x1b" not in captchad("audit-log", "show").stdout
    assert captchad("audit-log", "verify", str(file)).returncode == 0
    [_, (second, _), *_] = await client.xrange(AUDIT_LOG)
    await client.xdel(AUDIT_LOG, second)
    found = captchad("audit-log", "verify")
    assert (found.returncode, found.stderr) == (1, "removed: entry 2 is missing\n")
    [fault] = json.loads(captchad("audit-log", "verify", "--json").stdout)["faults"]
    assert (fault["kind"], fault["entry"]) == ("removed", 2)
    await client.flushall()
    empty = captchad("audit-log", "verify")
    assert (empty.returncode, empty.stdout.partition(";")[0]) == (0, "the log is empty")
    assert captchad("audit-log", "verify", str(file)).returncode == 1
    await client.set(AUDIT_CHAIN, "foreign")
    foreign = captchad("audit-log", "verify")
    assert (foreign.returncode, "WRONGTYPE" in foreign.stderr, len(foreign.stderr.splitlines())) == (1, True, 1)
    await client.flushall()
    await log.append([Act(f"act{index}").encode() for index in range(4)])
    assert captchad("audit-log", "verify").returncode == 0
    assert captchad("audit-log", "verify", str(file)).stderr.splitlines() == [
        f"changed: entry {number} is not as it was exported" for number in range(1, 5)
    ]


async def test_a_forged_trim_and_a_field_of_somebody_else_are_found(
    captchad: Run, partition: Partition, tmp_path: Path
) -> None:
    client, log, file = partition.broker.client, AuditLog(partition.broker, AuditLogSection()), tmp_path / "audit.jsonl"
    await log.append([Act(f"act{index}").encode() for index in range(4)])
    assert captchad("audit-log", "export", str(file)).returncode == 0
    [(first, _), (second, fields), *_] = await client.xrange(AUDIT_LOG)
    await client.xdel(AUDIT_LOG, first, second)
    await client.hset(AUDIT_CHAIN, mapping={"anchor_sequence": 2, "anchor_link": fields[b"link"]})
    assert captchad("audit-log", "verify").returncode == 0
    found = captchad("audit-log", "verify", str(file))
    assert (found.returncode, found.stderr.splitlines()) == (
        1,
        [f"removed: entry {n} of the export is gone, though security.audit_log has it kept still" for n in (1, 2)],
    )
    # With a log of two entries, the same trim was due.
    assert captchad("audit-log", "verify", str(file), CAPTCHAD_SECURITY__AUDIT_LOG__LIMIT="2").returncode == 0
    [_, (last, fields)] = await client.xrange(AUDIT_LOG)
    await client.xdel(AUDIT_LOG, last)
    await client.xadd(AUDIT_LOG, fields | {b"more": b"x"})
    assert captchad("audit-log", "verify").stderr == "changed: entry 4 has a field that captchad has not written\n"
