import base64
from pathlib import Path

import pytest

from captchad.cli.main import run_command_line
from captchad.cli.printing import print_pairs, print_table, show
from captchad.cli.task_options import make_task_body
from tests.unit.client.conftest import StubGateway

PAGE = "http://localhost:8090/"


def test_only_what_is_given_is_sent() -> None:
    assert make_task_body({"url": PAGE, "image_path": None, "timeout": None, "evidence": False}) == {"url": PAGE}


def test_every_option_reaches_the_body(stub: StubGateway, tmp_path: Path) -> None:
    (tmp_path / "fill.json").write_text('{"input": "#text"}')
    (tmp_path / "picture.png").write_bytes(b"picture")
    stub.answer(202, {"task_id": "task_1"})
    line = (
        f"submit --gateway {stub.url} --image {tmp_path}/picture.png --target localhost --timeout 5 --retry-count 0 "
        "--priority low --selector #captcha --charset abc --min-length 4 --max-length 5 --case-insensitive --kind math "
        "--colour red --position last:3 "
        f"--session {{}} --fill @{tmp_path}/fill.json --task-deadline 60 --return-session --evidence "
        '--callback-url http://localhost/done --metadata {"a":1}'
    )
    assert run_command_line(line.split()) == 0
    assert stub.requests[0][3] == {
        "image": base64.b64encode(b"picture").decode(),
        "target": "localhost",
        "timeout": 5,
        "retry_count": 0,
        "priority": "low",
        "selector": "#captcha",
        "hints": {
            "charset": "abc",
            "min_length": 4,
            "max_length": 5,
            "case_sensitive": False,
            "kind": "math",
            "colour": "red",
            "position": "last:3",
        },
        "session": {},
        "fill": {"input": "#text"},
        "task_deadline": 60,
        "return_session": True,
        "evidence": True,
        "callback_url": "http://localhost/done",
        "metadata": {"a": 1},
    }


def test_an_integer_of_thousands_of_digits_is_left_to_the_gateway_to_name(stub: StubGateway) -> None:
    stub.answer(202, {"task_id": "task_1"})
    line = f'submit {PAGE} --gateway {stub.url} --metadata {{"a":{"9" * 5000}}}'
    assert run_command_line(line.split()) == 0
    assert stub.requests[0][3]["metadata"]["a"] > 2**64


def test_a_form_is_given_part_by_part_and_a_session_in_a_file(stub: StubGateway, tmp_path: Path) -> None:
    (tmp_path / "session.json").write_text('{"headers": {"X-A": "b"}}')
    stub.answer(202, {"task_id": "task_1"})
    line = (
        f"submit {PAGE} --gateway {stub.url} --session {tmp_path}/session.json --fill-input #code --fill-submit #go "
        '--success url:*/home --failure .wrong --refresh a.new --fill {"input":"#old"}'
    )
    assert run_command_line(line.split()) == 0
    assert stub.requests[0][3] == {
        "url": PAGE,
        "session": {"headers": {"X-A": "b"}},
        "fill": {
            "input": "#code",
            "submit": "#go",
            "success": "url:*/home",
            "failure": ".wrong",
            "refresh": "a.new",
        },
    }


def test_a_session_of_either_shape_is_taken_and_what_is_left_out_of_it_is_said(
    stub: StubGateway, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "state.json").write_text('{"cookies": [], "origins": []}')
    left_out = {"cookies": [".a.org"], "origins": ["https://a.org"]}
    stub.answer(202, {"task_id": "task_1", "session_left_out": left_out})
    assert run_command_line(["submit", PAGE, "--gateway", stub.url, "--session", f"{tmp_path}/state.json"]) == 0
    assert stub.requests[0][3]["session"] == {"storage_state": {"cookies": [], "origins": []}}
    shown = capsys.readouterr()
    assert shown.out == "task_1\n"
    assert shown.err == (
        "captchad: not given to the page, which would not be sent it: cookies of .a.org, storage of https://a.org\n"
    )


@pytest.mark.parametrize("option", ["--session", "--metadata", "--fill"])
def test_a_file_may_begin_with_a_byte_order_mark(stub: StubGateway, tmp_path: Path, option: str) -> None:
    (tmp_path / "f.json").write_bytes(b'\xef\xbb\xbf{"input": "#a"}')
    stub.answer(202, {"task_id": "task_1"})
    assert run_command_line(["submit", PAGE, "--gateway", stub.url, option, f"@{tmp_path}/f.json"]) == 0
    assert stub.requests[0][3][option.removeprefix("--")] == {"input": "#a"}


@pytest.mark.parametrize(
    ("option", "words"),
    [("--image", "the picture is larger than 2 MiB"), ("--session", "is larger than 4194304 bytes")],
)
def test_no_more_of_a_file_is_read_than_can_be_used(
    stub: StubGateway, capsys: pytest.CaptureFixture[str], option: str, words: str
) -> None:
    place = ["--target", "a.test"] if option == "--image" else [PAGE]
    assert run_command_line(["submit", "--gateway", stub.url, option, "/dev/zero", *place]) == 2
    assert words in capsys.readouterr().err
    assert stub.requests == []


def test_what_the_gateway_refuses_is_named_by_its_argument(
    stub: StubGateway, capsys: pytest.CaptureFixture[str]
) -> None:
    pointers = ["/target", "/url", "/image", "/hints/min_length", "/hints", "/fill/submit", "/session/cookies/0/name"]
    violations = [{"pointer": pointer, "message": "is wrong"} for pointer in (*pointers, "")]
    stub.answer(400, {"code": "invalid_request", "detail": "the body is not valid", "violations": violations})
    assert run_command_line(["submit", PAGE, "--gateway", stub.url]) == 1
    assert capsys.readouterr().err == (
        "captchad: the gateway refuses the task: --target is wrong; URL is wrong; --image is wrong; "
        "--min-length is wrong; the hints is wrong; --fill-submit is wrong; --session: cookies/0/name is wrong; "
        "/ is wrong\n"
    )


def test_a_status_shows_where_evidence_is_but_no_secret(stub: StubGateway, capsys: pytest.CaptureFixture[str]) -> None:
    session = {"cookies": [{"name": "sid", "value": "open-sesame"}], "headers": {}, "local_storage": {}}
    evidence = {"image_url": "/task_evidence/t/image", "screenshot_url": None, "choice": ""}
    result = {"captcha_text": "ab3d", "confidence": 0.9, "session": session, "evidence": evidence}
    stub.answer(200, {"task_id": "t", "status": "completed", "result": result})
    assert run_command_line(["status", "t", "--gateway", stub.url]) == 0
    shown = capsys.readouterr().out
    assert "/task_evidence/t/image" in shown
    assert "1 cookies" in shown
    assert "open-sesame" not in shown


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ("--metadata [1]", "not a JSON object"),
        ("--metadata {", "not JSON"),
        ("--metadata @/missing.json", "/missing.json can't be read: no such file or directory"),
        ("--image /missing.png", "give either a URL or --image FILE"),
        ("--session /missing.json", "/missing.json can't be read: no such file or directory"),
        ("--success .home", "a form needs --fill-input"),
        ("--min-length 5 --max-length 3", "--min-length is greater than --max-length"),
    ],
)
def test_a_wrong_option_is_wrong_usage(capsys: pytest.CaptureFixture[str], options: str, reason: str) -> None:
    assert run_command_line(["submit", PAGE, *options.split()]) == 2
    assert reason in capsys.readouterr().err


def completed(text: str) -> dict[str, object]:
    return {"task_id": "t", "status": "completed", "result": {"captcha_text": text, "confidence": 0.956}}


def test_a_waited_for_text_comes_with_its_confidence(stub: StubGateway, capsys: pytest.CaptureFixture[str]) -> None:
    stub.answer(202, {"task_id": "t"})
    stub.answer(200, completed("ab3d"))
    assert run_command_line(["submit", PAGE, "--wait", "5", "--gateway", stub.url]) == 0
    assert capsys.readouterr().out == "ab3d\t0.95\n"


@pytest.mark.parametrize(("verified", "word"), [(True, "verified"), (False, "not verified")])
def test_a_form_says_whether_it_took_the_text(
    stub: StubGateway, capsys: pytest.CaptureFixture[str], verified: bool, word: str
) -> None:
    stub.answer(202, {"task_id": "t"})
    state = completed("ab3d")
    state["result"] |= {"verified": verified}  # type: ignore[operator]
    stub.answer(200, state)
    assert run_command_line(["submit", PAGE, "--wait", "5", "--fill-input", "#a", "--gateway", stub.url]) == 0
    assert capsys.readouterr().out == f"ab3d\t0.95\t{word}\n"


@pytest.mark.parametrize(("options", "exit_code"), [(["--success", "#b"], 1), (["--failure", ".c"], 1), ([], 0)])
@pytest.mark.parametrize("is_json", [True, False])
def test_an_answer_of_which_the_page_says_nothing_is_no_success_where_its_sign_was_named(
    stub: StubGateway, capsys: pytest.CaptureFixture[str], options: list[str], exit_code: int, is_json: bool
) -> None:
    stub.answer(202, {"task_id": "t"})
    state = completed("ab3d")
    state["result"] |= {"verified": None}  # type: ignore[operator]
    stub.answer(200, state)
    wanted = ["--wait", "5", "--fill-input", "#a", *options, *(["--json"] if is_json else [])]
    assert run_command_line(["submit", PAGE, *wanted, "--gateway", stub.url]) == exit_code
    assert ("neither success nor failure" in capsys.readouterr().err) == (exit_code == 1 and not is_json)


def test_fields_and_steps_are_read(stub: StubGateway, monkeypatch: pytest.MonkeyPatch) -> None:
    stub.answer(202, {"task_id": "t"})
    monkeypatch.setenv("LOGIN_PASSWORD", "=>secret")
    fields = ["#user=>anna", "#password=>@env:LOGIN_PASSWORD", "#at=>@@home", "#agree=>@check", "#land=>@choose:DE"]
    steps = ["click:#login", "wait_for:div > input", "type:#user=>anna"]
    arguments = [part for one in fields for part in ("--field", one)] + [
        part for one in steps for part in ("--step", one)
    ]
    assert run_command_line(["submit", PAGE, "--fill-input", "#code", *arguments, "--gateway", stub.url]) == 0
    body = stub.requests[-1][3]
    assert body["fill"]["fields"] == [
        {"selector": "#user", "value": "anna"},
        {"selector": "#password", "value": "=>secret"},
        {"selector": "#at", "value": "@home"},
        {"selector": "#agree", "check": True},
        {"selector": "#land", "choose": "DE"},
    ]
    assert body["steps"] == [
        {"click": "#login"},
        {"wait_for": "div > input"},
        {"type": "#user", "value": "anna"},
    ]


@pytest.mark.parametrize(
    ("option", "reason"),
    [
        ("--field=#user", "'#user' has no => between the CSS selector and the value"),
        ("--field=#user=>@env:NOBODY_SET_THIS", "the environment has no NOBODY_SET_THIS"),
        ("--step=press:#a", "'press:#a' does not begin with one of click, focus, hover, wait_for, type, and a colon"),
        ("--step=type:#a", "'#a' has no => between"),
    ],
)
def test_a_field_or_step_that_can_not_be_read_is_wrong_usage(
    capsys: pytest.CaptureFixture[str], option: str, reason: str
) -> None:
    assert run_command_line(["submit", PAGE, "--fill-input", "#code", option]) == 2
    assert reason in capsys.readouterr().err


def test_a_session_that_came_back_is_counted_beside_the_text(
    stub: StubGateway, capsys: pytest.CaptureFixture[str]
) -> None:
    stub.answer(202, {"task_id": "t"})
    state = completed("ab3d")
    cookies = [{"name": "sid", "value": "open-sesame"}]
    state["result"] |= {"session": {"cookies": cookies, "headers": {}, "local_storage": {}}}  # type: ignore[operator]
    stub.answer(200, state)
    assert run_command_line(["submit", PAGE, "--wait", "5", "--return-session", "--gateway", stub.url]) == 0
    output = capsys.readouterr()
    assert output.out == "ab3d\t0.95\n"
    assert output.err == "session: 1 cookies, 0 stored values; --json shows them\n"


def test_waiting_for_no_time_looks_once(stub: StubGateway, capsys: pytest.CaptureFixture[str]) -> None:
    stub.answer(202, {"task_id": "t"})
    stub.answer(200, {"task_id": "t", "status": "pending", "result": None})
    assert run_command_line(["submit", PAGE, "--wait", "0", "--gateway", stub.url]) == 1
    output = capsys.readouterr()
    assert (output.out, output.err) == ("", "captchad: t is still pending — ask again with `captchad status t`\n")
    assert [request[1] for request in stub.requests] == ["/submit_task", "/task_status/t"]


def test_a_wait_that_was_too_short_says_what_the_task_waits_for(
    stub: StubGateway, capsys: pytest.CaptureFixture[str]
) -> None:
    stub.answer(202, {"task_id": "t"})
    waiting_for = {"reason": "target_limit", "until": "2026-01-01T00:00:09.000Z"}
    stub.answer(200, {"task_id": "t", "status": "pending", "result": None, "waiting_for": waiting_for})
    assert run_command_line(["submit", PAGE, "--wait", "0", "--gateway", stub.url]) == 1
    said = capsys.readouterr().err
    assert "t is still pending (waiting for: target limit, until 2026-01-01T00:00:09.000Z) — ask again" in said


@pytest.mark.parametrize("is_json", [True, False])
def test_a_task_that_fails_is_exit_code_1(stub: StubGateway, capsys: pytest.CaptureFixture[str], is_json: bool) -> None:
    stub.answer(202, {"task_id": "t"})
    error = {"code": "captcha_not_found", "message": "there is no picture"}
    stub.answer(200, {"task_id": "t", "status": "failed", "result": None, "error": error})
    line = ["submit", PAGE, "--wait", "5", "--gateway", stub.url, *(["--json"] if is_json else [])]
    assert run_command_line(line) == 1
    output = capsys.readouterr()
    assert "captcha_not_found" in (output.out if is_json else output.err)


def test_values_are_shown_as_people_read_them() -> None:
    assert [show(value) for value in (None, True, 1.50, 2.0, 100.0, {"a": 1}, "x")] == [
        "-",
        "yes",
        "1.5",
        "2",
        "100",
        '{"a": 1}',
        "x",
    ]


def test_a_table_keeps_brackets_and_says_when_it_is_empty(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("A", "B"), [("[red]x[/red]", None)], "none")
    print_table(("A", "B"), [], "none")
    print_pairs([("name", "n"), ("left out", None)])
    assert capsys.readouterr().out == "A             B\n[red]x[/red]  -\nnone\nname  n\n"
