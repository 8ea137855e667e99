import click
import pytest

from captchad.cli.failures import run_guarded
from captchad.domain.errors import (
    ConfigurationError,
    ConfigurationProblem,
    GatewayUnreachable,
    InvalidRequest,
    Violation,
)


def fail_with(error: BaseException, is_debug: bool = False) -> int:
    def act() -> None:
        raise error

    return run_guarded(act, is_debug)


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (click.ClickException("it failed"), 1, "it failed"),
        (click.Abort(), 1, "interrupted"),
        (KeyboardInterrupt(), 1, "interrupted"),
        (
            InvalidRequest("the body is wrong", (Violation("/url", "is required"), Violation("", "is empty"))),
            1,
            "the body is wrong: /url is required; / is empty",
        ),
        (
            GatewayUnreachable("nobody there"),
            1,
            "nobody there — start captchad with `captchad up`, or name another gateway with --gateway",
        ),
        (PermissionError(13, "Permission denied", "/srv/state"), 1, "/srv/state: permission denied"),
        (ValueError("two\nlines"), 1, "ValueError: two lines — run again with --debug for the traceback"),
    ],
)
def test_a_failure_is_one_line_without_a_traceback(
    capsys: pytest.CaptureFixture[str], error: BaseException, code: int, line: str
) -> None:
    assert fail_with(error) == code
    assert capsys.readouterr().err == f"captchad: {line}\n"


def test_every_wrong_setting_has_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    problems = (ConfigurationProblem("a.b", "is wrong", "f.json"), ConfigurationProblem("", "no file"))
    assert fail_with(ConfigurationError(problems)) == 1
    assert capsys.readouterr().err == "captchad: a.b: is wrong (f.json)\ncaptchad: no file\n"


def test_debug_adds_the_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    assert fail_with(ValueError("x"), is_debug=True) == 1
    assert "Traceback" in capsys.readouterr().err


def test_a_commands_exit_code_is_kept() -> None:
    assert run_guarded(lambda: 3, is_debug=False) == 3
    assert run_guarded(lambda: None, is_debug=False) == 0
