import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from captchad.broker.redis_keys import TargetKeys
from captchad.broker.target_limits import TargetLimits
from captchad.browser.launch.executable import PATH_NAMES
from tests.integration.cli.conftest import Run
from tests.integration.every_key import give_up_a_callback
from tests.integration.protocol import CALLBACK_URL, Partition, close_fill, failed_for_good, retryable


def test_a_key_is_created_listed_and_revoked(captchad: Run) -> None:
    created = captchad("keys", "create", "ci", "--scope", "submit", "--target", "LOCALHOST")
    assert created.returncode == 0, created.stderr
    assert created.stdout.startswith("ck_")
    assert created.stderr.splitlines() == [
        "keys are not asked for yet: security.api_key_required is false",
        "save it now: only its hash is stored, so it can't be shown again",
    ]
    (listed,) = json.loads(captchad("keys", "list", "--json").stdout)
    assert (listed["name"], listed["scopes"], listed["targets"]) == ("ci", ["submit"], ["localhost"])
    secret = created.stdout.strip().rpartition("_")[2]
    assert secret not in captchad("keys", "list").stdout
    assert captchad("keys", "revoke", "ci").returncode == 0
    assert json.loads(captchad("keys", "list", "--json").stdout)[0]["revoked_at"] is not None
    again = captchad("keys", "revoke", "ci")
    assert (again.returncode, again.stderr) == (
        1,
        "captchad: there is no key named 'ci' that is still valid — see `captchad keys list`\n",
    )


def test_a_key_has_its_limits_and_is_rotated(captchad: Run) -> None:
    limits = ("--expires", "90d", "--rate", "60", "--burst", "5", "--quota", "5000")
    created = json.loads(captchad("keys", "create", "ci", *limits, "--json").stdout)
    assert (created["requests_per_minute"], created["burst_size"], created["daily_quota"]) == (60, 5, 5000)
    rotated = json.loads(captchad("keys", "rotate", "ci", "--overlap", "2h", "--json").stdout)
    assert rotated["key"] != created["key"]
    assert rotated["former_text_valid_until"] is not None
    (listed,) = json.loads(captchad("keys", "list", "--json").stdout)
    names = ("id", "requests_per_minute", "burst_size", "daily_quota", "expires_at")
    assert [listed[name] for name in names] == [created[name] for name in names]
    assert (listed["state"], listed["used_today"], listed["last_used_at"]) == ("rotating", 0, None)
    shown = captchad("keys", "list").stdout
    for text in ("60/min", "0 of 5000", listed["expires_at"], "rotating"):
        assert text in shown
    again = captchad("keys", "rotate", "ci", "--overlap", "0s")
    assert again.stdout.startswith(f"ck_{created['id']}_")
    assert "the former text is valid until" in again.stderr
    for line in ("create b --expires soon", "create b --expires 0s", "create b --burst 5", "rotate"):
        assert captchad("keys", *line.split()).returncode == 2
    assert "too long; at most 90d" in captchad("keys", "rotate", "ci", "--overlap", "91d").stderr
    short = json.loads(captchad("keys", "create", "short", "--expires", "1h", "--json").stdout)
    rotated = json.loads(captchad("keys", "rotate", "short", "--overlap", "2h", "--json").stdout)
    assert rotated["former_text_valid_until"] == short["expires_at"]


@pytest.mark.parametrize("act", ["create", "rotate"])
def test_a_key_whose_text_is_lost_is_named_with_what_to_do(
    captchad: Run, environment: dict[str, str], act: str
) -> None:
    if act == "rotate":
        assert captchad("keys", "create", "ci").returncode == 0
    with open("/dev/full", "wb") as full:  # noqa: PTH123
        command = [sys.executable, "-m", "captchad", "keys", act, "ci"]
        ended = subprocess.run(command, env=environment, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    (listed,) = json.loads(captchad("keys", "list", "--json").stdout)
    told, line = ended.stderr.splitlines()[-2:]
    advice = {"create": "revoke", "rotate": "rotate"}[act]
    assert f"text is lost: `captchad keys {advice} {listed['id']}`" in told
    assert (ended.returncode, line) == (1, "captchad: standard output can't be written: no space left on device")


def test_a_key_that_is_asked_for_comes_without_that_remark(captchad: Run) -> None:
    asked = captchad("keys", "create", "ci", CAPTCHAD_SECURITY__API_KEY_REQUIRED="true")
    assert "not asked for" not in asked.stderr
    assert captchad("keys", "create", "program", "--json").stderr == ""


def test_a_key_that_may_not_read_loses_no_task(
    captchad: Run, environment: dict[str, str], request: pytest.FixtureRequest
) -> None:
    environment["CAPTCHAD_SECURITY__API_KEY_REQUIRED"] = "true"
    request.getfixturevalue("gateway")

    def create_key(scope: str) -> str:
        created: dict[str, str] = json.loads(captchad("keys", "create", scope, "--scope", scope, "--json").stdout)
        return created["key"]

    submit = ("submit", "http://localhost:8090/", "--wait", "5", "--api-key", create_key("submit"))
    waited, for_programs = captchad(*submit), captchad(*submit, "--json")
    assert (waited.returncode, waited.stdout, for_programs.returncode) == (1, "", 1)
    named, reason = waited.stderr.splitlines()
    assert "this key lacks the scope read" in reason
    task_ids = {named.split(" ")[1], json.loads(for_programs.stdout)["task_id"]}
    admin = create_key("admin")
    assert {captchad("cancel", task_id, "--api-key", admin).returncode for task_id in task_ids} == {0}


def test_a_key_is_for_declared_targets_alone(captchad: Run) -> None:
    refused = captchad("keys", "create", "ci", "--target", "elsewhere.example")
    assert refused.returncode == 1
    assert "elsewhere.example is not declared in security.targets (declared: localhost)" in refused.stderr
    assert "no keys" in captchad("keys", "list").stdout


async def test_a_dead_letter_is_listed_shown_and_replayed(captchad: Run, partition: Partition) -> None:
    task_id = await partition.submit(retry_count=0)
    consumer = partition.make_consumer()
    await consumer.settle([retryable(delivery) for delivery in await consumer.take(1)])
    (listed,) = json.loads(captchad("dead", "list", "--json").stdout)
    assert (listed["task_id"], listed["error_code"]) == (task_id, "navigation_failed")
    assert "the site did not answer" in captchad("dead", "show", task_id).stdout
    replayed = captchad("dead", "replay", task_id)
    assert replayed.returncode == 0, replayed.stderr
    (of_all,) = json.loads(captchad("dead", "replay", "--all", "--json").stdout)
    assert of_all["replay_of"] == task_id
    assert (await partition.store.read(of_all["task_id"])).replay_of == task_id


@pytest.mark.parametrize("columns", [120, 80, 40])
async def test_the_id_and_the_time_of_a_dead_letter_are_never_folded(
    read_in_terminal: Callable[..., str], captchad: Run, partition: Partition, columns: int
) -> None:
    task_id = await partition.submit(retry_count=0)
    consumer = partition.make_consumer()
    await consumer.settle([retryable(delivery) for delivery in await consumer.take(1)])
    (listed,) = json.loads(captchad("dead", "list", "--json").stdout)
    shown = read_in_terminal("dead", "list", columns=columns)
    assert f"{task_id}  {listed['died_at']}  " in shown


async def test_a_callback_that_was_given_up_is_listed_shown_and_sent_again(captchad: Run, partition: Partition) -> None:
    await give_up_a_callback(partition)
    (listed,) = json.loads(captchad("callbacks", "list", "--json").stdout)
    assert (listed["url"], listed["tries"], listed["failure"]) == (CALLBACK_URL, 1, "it answered 500")
    assert "it answered 500" in captchad("callbacks", "list").stdout
    task_id = listed["task_id"]
    shown = json.loads(captchad("callbacks", "show", task_id, "--json").stdout)
    assert (shown["body"]["task_id"], shown["body"]["status"]) == (task_id, "cancelled")
    assert '"status":"cancelled"' in captchad("callbacks", "show", task_id).stdout
    assert captchad("callbacks", "replay", task_id).stdout == f"the callback of {task_id} is sent again\n"
    assert captchad("callbacks", "list").stdout == "no callback was given up\n"
    missing = captchad("callbacks", "replay", task_id)
    assert (missing.returncode, missing.stderr) == (
        1,
        f"captchad: there is no callback of {task_id} that was given up\n",
    )
    assert captchad("callbacks", "replay", "--all", "--json").stdout == "[]\n"


async def test_what_failed_for_good_at_once_is_no_dead_letter(captchad: Run, partition: Partition) -> None:
    task_id = await partition.submit()
    consumer = partition.make_consumer()
    await consumer.settle([failed_for_good(delivery) for delivery in await consumer.take(1)])
    assert captchad("dead", "list").stdout == "no dead letters\n"
    missing = captchad("dead", "show", task_id)
    assert (missing.returncode, missing.stderr) == (1, f"captchad: there is no dead letter {task_id}\n")


async def test_a_closed_target_is_reopened(captchad: Run, partition: Partition) -> None:
    await TargetLimits(partition.broker, "worker.1", 60.0).close("localhost", 250)
    reopened = captchad("targets", "reopen", "LOCALHOST")
    assert reopened.returncode == 0, reopened.stderr
    assert reopened.stdout.startswith("localhost is open again, 2")
    assert reopened.stdout.endswith(" s early; 0 tasks wait for it\n")
    assert not await partition.broker.client.exists(TargetKeys("localhost").closed)
    assert captchad("targets", "reopen", "localhost").stdout == "localhost was not closed\n"
    assert json.loads(captchad("targets", "reopen", "localhost", "--json").stdout)["was_closed"] is False
    unknown = captchad("targets", "reopen", "elsewhere.example")
    assert unknown.returncode == 1
    assert "elsewhere.example is not declared in security.targets (declared: localhost)" in unknown.stderr


async def test_forms_of_a_target_are_filled_again(captchad: Run, partition: Partition) -> None:
    await close_fill(partition.broker, "localhost")
    reopened = captchad("targets", "reopen", "localhost")
    assert reopened.stdout == "forms of localhost are filled again; its count of rejections begins anew\n"
    assert not await partition.broker.client.exists(TargetKeys("localhost").fill_closed)
    await close_fill(partition.broker, "localhost")
    assert json.loads(captchad("targets", "reopen", "localhost", "--json").stdout)["was_fill_closed"] is True


def test_a_redis_that_does_not_answer_is_one_line(captchad: Run) -> None:
    ended = captchad("keys", "list", REDIS_URL="redis://127.0.0.1:1/0")
    assert ended.returncode == 1
    assert ended.stderr.startswith("captchad: Redis at redis://127.0.0.1:1/0 does not answer: ")
    assert ended.stderr.endswith(" — see `captchad doctor`\n")


def test_the_doctor_finds_redis_and_launches_the_browser(captchad: Run) -> None:
    found = captchad("doctor", "--json")
    findings = {finding["subject"]: finding for finding in json.loads(found.stdout)}
    assert {
        "python",
        "configuration",
        "state folder",
        "redis",
        "clock",
        "browser",
        "sandbox",
        "fonts",
    } <= findings.keys()
    assert findings["browser"]["status"] == "ok", findings["browser"]
    assert findings["redis"]["status"] == findings["clock"]["status"] == "ok"
    assert all(finding["fix"] for finding in findings.values() if finding["status"] != "ok")


def test_the_doctor_fails_on_a_browser_that_is_none_and_a_redis_that_is_away(captchad: Run) -> None:
    found = captchad("doctor", "--json", CAPTCHAD_BROWSER__EXECUTABLE="/bin/false", REDIS_URL="redis://127.0.0.1:1/0")
    verdicts = {finding["subject"]: finding["status"] for finding in json.loads(found.stdout)}
    assert found.returncode == 1
    assert (verdicts["browser"], verdicts["redis"]) == ("fail", "fail")


def test_the_doctor_says_once_how_to_get_a_browser(captchad: Run, tmp_path: Path) -> None:
    # A machine that has everything but a Chromium.
    programs = tmp_path / "programs"
    programs.mkdir()
    for folder in reversed(os.environ["PATH"].split(os.pathsep)):
        for program in Path(folder).glob("*"):
            if program.name not in PATH_NAMES:
                (programs / program.name).unlink(missing_ok=True)
                (programs / program.name).symlink_to(program)
    found = captchad("doctor", "--json", PATH=str(programs), PLAYWRIGHT_BROWSERS_PATH=str(tmp_path))
    (finding,) = (one for one in json.loads(found.stdout) if one["subject"] == "browser")
    assert finding["found"] == "no Chromium was found"
    assert finding["fix"].startswith("playwright install --with-deps chromium-headless-shell, or apt-get install")


def test_the_doctor_fails_on_what_a_role_would_refuse(captchad: Run) -> None:
    found = captchad("doctor", "--json", ENVIRONMENT="prod", CAPTCHAD_REDIS__CONNECTION_POOL_SIZE="101")
    told = [
        (finding["status"], finding["found"])
        for finding in json.loads(found.stdout)
        if finding["subject"] == "configuration"
    ]
    assert found.returncode == 1
    assert [status for status, _ in told] == ["fail", "warn"]
    assert told[0][1].startswith("security.api_key_required: no role will start: in production without API keys")
    assert told[1][1].startswith("redis.connection_pool_size: keeps more connections than redis.max_connections")


def test_a_wrong_key_is_told_from_none(
    captchad: Run, environment: dict[str, str], request: pytest.FixtureRequest
) -> None:
    environment["CAPTCHAD_SECURITY__API_KEY_REQUIRED"] = "true"
    request.getfixturevalue("gateway")
    advice = "give a valid key with --api-key or CAPTCHAD_API_KEY; `captchad keys create NAME` makes one"
    for options, reason in (
        ((), "send one API key, as `Authorization: Bearer KEY` or `X-API-Key: KEY`"),
        (("--api-key", "ck_0_0"), "this API key is not valid; ask whoever runs captchad for one"),
    ):
        refused = captchad("stats", *options)
        assert (refused.returncode, refused.stderr) == (1, f"captchad: {reason} — {advice}\n")


def test_health_without_a_key_asks_whether_roles_are_ready(
    captchad: Run, environment: dict[str, str], request: pytest.FixtureRequest
) -> None:
    environment["CAPTCHAD_SECURITY__API_KEY_REQUIRED"] = "true"
    request.getfixturevalue("gateway")
    lines = {line["what"]: line for line in json.loads(captchad("health", "--json").stdout)["lines"]}
    assert lines["gateway"]["well"]
    assert lines["gateway"]["remark"].startswith("ready; an API key with scope read shows more, last seen")
    assert not lines["worker"]["well"]


def test_a_worker_whose_hub_is_away_says_so_once(captchad: Run) -> None:
    ended = captchad("--role=worker", "--port=0", SELENIUM_HUB_URL="http://127.0.0.1:1")
    assert ended.returncode == 1
    told = [line for line in ended.stderr.splitlines() if "127.0.0.1:1" in line]
    expected = "captchad: no browser at http://127.0.0.1:1: Connection refused; `captchad doctor` says more"
    assert told == [expected]
