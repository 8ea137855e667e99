import subprocess
import sys

import click
import pytest

from captchad import __version__
from captchad.cli.commands import COMMANDS
from captchad.cli.main import root, run_command_line
from captchad.domain.node import Role
from captchad.roles.registry import RoleOptions
from captchad.runtime.extras import Extra

HEAVY = ("pydantic", "aiohttp", "redis", "playwright", "rich", "orjson", "uvloop", "onnxruntime", "asyncio", "psutil")


def test_the_help_lists_every_command_and_loads_nothing_heavy() -> None:
    program = (
        "import sys; from captchad.cli.main import run_command_line as run; code = run(['--help']); "
        f"print(sorted(set({HEAVY!r}) & set(sys.modules)), code)"
    )
    output = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert output.splitlines()[-1] == "[] 0"
    assert all(f"\n  {name} " in output for name in COMMANDS)


@pytest.mark.parametrize("name", ["", " ", "a\x1b[2J", "a\u202eb", "a\nb", "a\x9bb", "x" * 101])
def test_a_name_that_would_steer_a_terminal_is_refused(capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert run_command_line(["--role", "monitor", "--name", name]) == 2
    assert "printable characters" in capsys.readouterr().err


def test_without_arguments_the_help_comes_as_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command_line([]) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert "Usage: captchad" in output.err


@pytest.mark.parametrize("group", ["config", "keys", "targets", "dead"])
def test_a_group_without_a_command_shows_its_help_as_wrong_usage(
    capsys: pytest.CaptureFixture[str], group: str
) -> None:
    assert run_command_line([group]) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.startswith(f"Usage: captchad {group} ")
    assert "\nCommands:\n" in output.err


def lack_every_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("captchad.runtime.extras.MODULES", dict.fromkeys(Extra, ("no_such_module",)))


@pytest.mark.parametrize("line", ["train --help", "up -h", "keys --help", "keys create --help", "recognise x --help"])
def test_the_help_needs_no_extra(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    lack_every_extra(monkeypatch)
    assert run_command_line(line.split()) == 0
    output = capsys.readouterr()
    assert "--help" in output.out
    assert output.err == ""


def test_a_command_that_runs_needs_its_extra(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lack_every_extra(monkeypatch)
    assert run_command_line(["keys", "list", "--", "--help"]) == 1
    line = "captchad: reaching Redis needs the extra `server`: pip install 'captchad[server]'\n"
    assert capsys.readouterr().err == line


def test_the_help_of_a_command_that_can_not_be_imported_names_its_extra(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "captchad.cli.keys", None)
    with pytest.raises(ModuleNotFoundError):
        root.get_command(click.Context(root), "keys")
    lack_every_extra(monkeypatch)
    assert run_command_line(["keys", "create", "--help"]) == 0
    output = capsys.readouterr().out
    assert COMMANDS["keys"].help in output
    assert "reaching Redis needs the extra `server`: pip install 'captchad[server]'" in output


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command_line(["--version"]) == 0
    assert capsys.readouterr().out == f"captchad {__version__}\n"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("submti", "there is no command 'submti'; did you mean submit? see `captchad --help`"),
        ("zzz", "there is no command 'zzz'; see `captchad --help`"),
        ("--port 0", "--port goes with --role; see `captchad --help`"),
        ("--config f status", "write --config after the command: captchad status --config FILE; see `captchad --help`"),
        (
            "--role worker status",
            "--role starts a role and takes no command, but status was given; see `captchad --help`",
        ),
        ("submit", "give either a URL or --image FILE; see `captchad submit --help`"),
        ("submit u --image f", "give either a URL or --image FILE; see `captchad submit --help`"),
        ("dead replay", "give either a TASK_ID or --all; see `captchad dead replay --help`"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(capsys: pytest.CaptureFixture[str], line: str, message: str) -> None:
    assert run_command_line(line.split()) == 2
    assert capsys.readouterr().err == f"captchad: {message}\n"


@pytest.mark.parametrize("line", ["--role=nobody", "submit u --timeout 0", "submit u --priority urgent", "cancel"])
def test_a_wrong_value_is_wrong_usage_on_one_line(capsys: pytest.CaptureFixture[str], line: str) -> None:
    assert run_command_line(line.split()) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_role_is_started_with_its_options(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[tuple[Role, RoleOptions]] = []

    def run_role(role: Role, options: RoleOptions) -> int:
        started.append((role, options))
        return 1

    monkeypatch.setattr("captchad.roles.registry.run_role", run_role)
    line = "--role=worker --config f.json --host ::1 --port 0 --name w1"
    assert run_command_line(line.split()) == 1
    assert started == [(Role.WORKER, RoleOptions(config_path="f.json", host="::1", port=0, name="w1"))]
