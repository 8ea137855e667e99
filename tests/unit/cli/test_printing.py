import json

import pytest

from captchad.cli.event_printer import EventPrinter
from captchad.cli.failures import run_guarded
from captchad.cli.printing import print_json, print_pairs, print_table, say, show_confidence
from captchad.deployment.events import ServiceEvent, ServiceEventKind
from captchad.domain.errors import GatewayUnreachable
from captchad.domain.plain_text import escape_control_characters

STEERING = "a\x1b]0;owned\x07\x1b[2Jb\x9b31mc\u202ed\u2066e\nf\tg\u2028h\x7f"


@pytest.mark.parametrize(
    ("confidence", "shown"),
    [(0.9956, "0.99"), (0.999999, "0.99"), (0.29, "0.29"), (0.58, "0.58"), (0.9, "0.90"), (1.0, "1.00"), (0.0, "0.00")],
)
def test_a_confidence_is_never_rounded_up(confidence: float, shown: str) -> None:
    assert show_confidence(confidence) == shown


def test_no_confidence_is_not_shown() -> None:
    assert show_confidence(None) is None


def fail(text: str) -> None:
    def act() -> None:
        raise GatewayUnreachable(text)

    run_guarded(act, is_debug=True)


def print_event(text: str) -> None:
    printer = EventPrinter()
    printer.print_event(ServiceEvent(ServiceEventKind.LOGGED, "worker-1", text, "warning"))
    printer.flush()


@pytest.mark.parametrize(
    "act",
    [
        say,
        lambda text: say(text, is_error=True),
        lambda text: print_table(("NAME", "VALUE"), [(text, {"inside": text})], ""),
        lambda text: print_table(("NAME",), [], text),
        lambda text: print_pairs([("name", text), ("inside", {"text": [text]})]),
        fail,
        print_event,
    ],
    ids=["line", "error line", "table", "empty table", "pairs", "failure", "event"],
)
def test_nothing_that_is_printed_steers_a_terminal(act: object, capsys: pytest.CaptureFixture[str]) -> None:
    act(STEERING)  # type: ignore[operator]
    output = capsys.readouterr()
    printed = output.out + output.err
    assert "owned" in printed
    assert all(escape_control_characters(line) == line for line in printed.split("\n"))


def test_columns_keep_their_tabs(capsys: pytest.CaptureFixture[str]) -> None:
    say("a\tb", 1, None)
    assert capsys.readouterr().out == "a\\tb\t1\tNone\n"


@pytest.mark.parametrize("is_one_line", [True, False])
def test_json_means_what_it_did(capsys: pytest.CaptureFixture[str], is_one_line: bool) -> None:
    print_json({"text": STEERING}, is_one_line=is_one_line)
    printed = capsys.readouterr().out
    assert json.loads(printed) == {"text": STEERING}
    assert all(escape_control_characters(line) == line for line in printed.split("\n"))
