import io
import json

import pytest
from PIL import Image

from captchad.broker.captcha_watch import CaptchaWatch
from captchad.broker.connection import Broker
from captchad.broker.housekeeping import LeaderLease
from captchad.config.settings import RedisSection
from captchad.domain.captcha_drift import CaptchaObservation, CaptchaState, DriftSignal
from captchad.domain.plain_text import escape_control_characters
from tests.integration.cli.conftest import Run
from tests.integration.protocol import close_fill

PAGE = "http://localhost:8090/login"
pytestmark = pytest.mark.usefixtures("gateway")


def submit(captchad: Run, *options: str) -> str:
    submitted = captchad("submit", PAGE, *options)
    assert submitted.returncode == 0, submitted.stderr
    return submitted.stdout.strip()


def test_a_submitted_task_is_shown_and_cancelled(captchad: Run) -> None:
    task_id = submit(
        captchad, "--priority", "high", "--metadata", '{"order": 7}', "--charset", "abc", "--timeout", "30"
    )
    assert task_id.startswith("task_00")
    shown = captchad("status", task_id).stdout
    assert "pending" in shown
    assert '{"order": 7}' in shown
    cancelled = captchad("cancel", task_id)
    assert (cancelled.returncode, cancelled.stdout) == (0, f"{task_id} is cancelled\n")
    assert json.loads(captchad("status", task_id, "--json").stdout)["status"] == "cancelled"


def test_what_a_caller_wrote_has_no_power_over_the_terminal(captchad: Run) -> None:
    metadata = {"note": "a\x1b]0;owned\x07\x1b[2J\x9b31m\u202eb\nc"}
    task_id = submit(captchad, "--metadata", json.dumps(metadata))
    for options in ((), ("--json",)):
        shown = captchad("status", task_id, *options).stdout
        assert "owned" in shown
        assert all(escape_control_characters(line) == line for line in shown.split("\n"))
    assert json.loads(captchad("status", task_id, "--json").stdout)["metadata"] == metadata


def test_a_picture_comes_from_a_file_or_from_stdin(captchad: Run) -> None:
    picture = io.BytesIO()
    Image.new("RGB", (80, 30), "white").save(picture, "PNG")
    submitted = captchad("submit", "--image", "-", "--target", "localhost", "--json", stdin=picture.getvalue())
    assert submitted.returncode == 0, submitted.stderr
    assert json.loads(submitted.stdout)["status"] == "pending"


def test_waiting_longer_than_the_task_takes_fails_and_names_the_task(captchad: Run) -> None:
    waited = captchad("submit", PAGE, "--wait", "0.1")
    assert waited.returncode == 1
    assert waited.stdout == ""
    assert "is still pending after 0.1 s — ask again with `captchad status task_" in waited.stderr


def test_a_charset_that_no_engine_reads_is_wrong_usage_in_one_line(captchad: Run) -> None:
    refused = captchad("submit", PAGE, "--charset", "ab龘")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == "captchad: --charset: no engine reads 龘; see `captchad submit --help`\n"
    submit(captchad, "--charset", "三加五@#яЯ۵")


def test_the_same_idempotency_key_gives_the_same_task(captchad: Run) -> None:
    assert submit(captchad, "--idempotency-key", "k") == submit(captchad, "--idempotency-key", "k")
    other = captchad("submit", PAGE, "--idempotency-key", "k", "--priority", "low")
    assert other.returncode == 1


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("submit", "http://undeclared.example/"), "undeclared.example is not a declared target"),
        (("submit", "ftp://localhost/"), "URL must begin with http:// or https://"),
        (
            ("submit", PAGE, "--fill", '{"input": "#a", "inputs": 1}'),
            "refuses the task: --fill: inputs is not a known field; did you mean input?",
        ),
        (
            ("submit", PAGE, "--callback-url", "http://localhost/"),
            "--callback-url localhost is not in security.callback_hosts",
        ),
        (("submit", PAGE, "--fill-input", "xpath=//input"), "--fill-input is not a CSS selector"),
        (("status", "task_00aaaaaaaaaaaaaaaaaaaaaaaaaa"), "task_00aaaaaaaaaaaaaaaaaaaaaaaaaa"),
        (("cancel", "nonsense"), "nonsense"),
    ],
)
def test_what_the_gateway_refuses_is_one_line_and_exit_code_1(
    captchad: Run, arguments: tuple[str, ...], reason: str
) -> None:
    refused = captchad(*arguments)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert reason in refused.stderr
    assert refused.stderr.count("\n") == 1
    assert "Traceback" not in refused.stderr


def test_the_figures_are_shown_for_people_and_for_programs(captchad: Run) -> None:
    submit(captchad)
    assert "pending" in captchad("stats").stdout
    assert "no workers" in captchad("workers").stdout
    asked = captchad("queue")
    assert asked.returncode == 0, asked.stderr
    queue = asked.stdout
    assert "1 waiting" in queue
    assert "localhost" in queue
    assert json.loads(captchad("queue", "--json").stdout)["pending"] == 1
    assert json.loads(captchad("workers", "--json").stdout) == {"workers": []}
    assert json.loads(captchad("stats", "--json").stdout)["pending_tasks"] == 1


async def test_stats_name_a_captcha_that_has_changed(captchad: Run, environment: dict[str, str]) -> None:
    broker = Broker(RedisSection(), "test", url_override=environment["REDIS_URL"])
    await broker.start()
    assert await LeaderLease(broker, "s.1", lease_seconds=60).hold()
    watch = CaptchaWatch(broker)
    await watch.add([CaptchaObservation("localhost", 160, 60, 0.9, "model")])
    state = CaptchaState(visits=3, changes=1, signals=(DriftSignal.SIZE, DriftSignal.CONFIDENCE))
    await watch.fold("s.1", await watch.read_observed(), {"localhost": state}, {"localhost"})
    await broker.close()
    changed_at = json.loads(captchad("stats", "--json").stdout)["captchas"]["localhost"]["changed_at"]
    [line] = [line for line in captchad("stats").stdout.splitlines() if line.startswith("localhost")]
    assert line.split() == ["localhost", "learning", "3", changed_at, "size,", "confidence"]


async def test_stats_name_a_target_where_no_form_is_filled(captchad: Run, environment: dict[str, str]) -> None:
    broker = Broker(RedisSection(), "test", url_override=environment["REDIS_URL"])
    await broker.start()
    await close_fill(broker, "localhost")
    await broker.close()
    closed_at = json.loads(captchad("stats", "--json").stdout)["fill_closures"]["localhost"]["closed_at"]
    [line] = [line for line in captchad("stats").stdout.splitlines() if line.startswith("localhost")]
    assert line.split() == ["localhost", closed_at, "captchad", "targets", "reopen", "localhost"]


def test_health_names_who_is_well_and_who_is_missing(captchad: Run) -> None:
    found = captchad("health", "--json")
    assert found.returncode == 1
    lines = {line["what"]: line for line in json.loads(found.stdout)["lines"]}
    assert lines["redis"]["well"]
    assert (lines["gateway"]["well"], lines["gateway"]["name"]) == (True, "gateway-1")
    assert lines["worker"]["remark"] == lines["scheduler"]["remark"] == lines["monitor"]["remark"] == "not running"


def test_a_reader_that_goes_away_is_no_traceback(captchad: Run, environment: dict[str, str]) -> None:
    import subprocess  # noqa: PLC0415
    import sys  # noqa: PLC0415

    line = f"{sys.executable} -m captchad config show | head -c 1"
    ended = subprocess.run(["bash", "-c", line], env=environment, capture_output=True, check=False)
    assert ended.stderr == b""
