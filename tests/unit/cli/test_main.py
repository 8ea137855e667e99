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


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["config", "example", "nginx"]])
def test_what_can_not_be_printed_is_one_line_and_a_failure(arguments: list[str]) -> None:
    command = [sys.executable, "-m", "captchad", *arguments]
    with open("/dev/full", "wb") as full:  # noqa: PTH123
        ended = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    line = "captchad: standard output can't be written: no space left on device\n"
    assert (ended.returncode, ended.stderr) == (1, line)


def test_without_standard_output_nothing_is_begun() -> None:
    closed = subprocess.run(
        ["/bin/sh", "-c", 'exec "$@" >&-', "sh", sys.executable, "-m", "captchad", "--version"],
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert (closed.returncode, closed.stderr) == (
        1,
        "captchad: standard output is closed; where nobody reads it, add >/dev/null\n",
    )


def test_a_key_that_no_header_carries_is_refused_unseen(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command_line(["stats", "--api-key", "ck_a\nsecret"]) == 2
    shown = capsys.readouterr().err
    assert "an API key is one line of printable ASCII characters" in shown
    assert "secret" not in shown


def test_without_arguments_the_help_comes_as_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command_line([]) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert "Usage: captchad" in output.err


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
    line = "captchad: reaching Redis needs the extra `server`: pip install 'captchad[server]' --find-links FOLDER"
    assert capsys.readouterr().err.startswith(line)


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
        ("keys", "keys needs a command: create, list, revoke or rotate; see `captchad keys --help`"),
        ("targets", "targets needs a command: check, limit, list, prove or reopen; see `captchad targets --help`"),
        ("keys creat n", "there is no command 'creat'; did you mean create? see `captchad keys --help`"),
        ("keys zzz", "there is no command 'zzz'; see `captchad keys --help`"),
        ("submit u --imge f", "there is no option --imge; did you mean --image? see `captchad submit --help`"),
        ("submit u --zzz", "there is no option --zzz; see `captchad submit --help`"),
        ("submit --image", "--image needs a value; see `captchad submit --help`"),
        ("submit --image --target h", "--image needs a value, but --target follows it; see `captchad submit --help`"),
        ("keys create n --scope --json", "--scope needs a value, but --json follows it; see "),
        ("submit --image= --target h", "--image: names no file; see `captchad submit --help`"),
        ("status --wait 3", "--wait waits for a task: give its TASK_ID; see `captchad status --help`"),
        ("status --gateway nowhere", "--gateway: 'nowhere' is not a gateway's address; write it as http://"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(capsys: pytest.CaptureFixture[str], line: str, message: str) -> None:
    assert run_command_line(line.split()) == 2
    written = capsys.readouterr().err
    assert written.startswith(f"captchad: {message}")
    assert written.count("\n") == 1


def test_what_follows_two_dashes_is_no_option(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run_command_line(["recognise", "--", "--engine", "--json"])
    assert "--engine: No such file" in capsys.readouterr().err


def complete(line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Return what bash is offered for the last word of a line."""
    monkeypatch.setenv("_CAPTCHAD_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", line)
    monkeypatch.setenv("COMP_CWORD", str(len(line.split(" ")) - 1))
    with pytest.raises(SystemExit):
        run_command_line([])
    return capsys.readouterr().out.split()


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("captchad st", ["plain,status", "plain,stats", "plain,start", "plain,stop"]),
        ("captchad --ro", ["plain,--role"]),
        ("captchad keys re", ["plain,revoke"]),
        ("captchad submit --idem", ["plain,--idempotency-key"]),
        ("captchad submit --priority h", ["plain,high"]),
        ("captchad submit --priority = h", ["plain,high"]),
        ("captchad --role = ga", ["plain,gateway"]),
        ("captchad --role =", ["plain,gateway", "plain,scheduler", "plain,worker", "plain,monitor"]),
        ("captchad submit --image pic", ["file,pic"]),
        ("captchad --role gateway --config con", ["file,con"]),
        ("captchad config check con", ["file,con"]),
        ("captchad nonsense x", []),
    ],
)
def test_the_shell_is_offered_commands_options_values_and_files(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], line: str, offered: list[str]
) -> None:
    assert sorted(complete(line, monkeypatch, capsys)) == sorted(offered)


def test_completing_a_commands_name_loads_no_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(root, "get_command", lambda *_: pytest.fail("a command was loaded"))
    assert len(complete("captchad ", monkeypatch, capsys)) == len(COMMANDS)


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
